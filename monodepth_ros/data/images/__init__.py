# SPDX-License-Identifier: Apache-2.0
"""Image messages to pixels: encodings, compressed pictures, and what their values mean."""
