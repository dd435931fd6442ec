# SPDX-License-Identifier: Apache-2.0
"""Which image topics are cameras, and the calibration that belongs to them."""
