# SPDX-License-Identifier: Apache-2.0
"""The depth node itself: from image messages to published results."""
