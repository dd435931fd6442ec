# SPDX-License-Identifier: Apache-2.0
"""Motion from features: points tracked from image to image, with the network's depth as a soft prior."""
