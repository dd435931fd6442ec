# SPDX-License-Identifier: Apache-2.0
"""Checkpoints that come with the package."""
