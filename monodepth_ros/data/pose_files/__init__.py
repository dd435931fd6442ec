# SPDX-License-Identifier: Apache-2.0
"""Text files of poses: their columns, recognised by names or by form, and their poses."""
