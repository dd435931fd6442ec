# SPDX-License-Identifier: Apache-2.0
"""Metric scale: sources of the metres per network unit, and the choice between them."""
