# SPDX-License-Identifier: Apache-2.0
"""Running networks on images: one interface, several engines."""
