# SPDX-License-Identifier: Apache-2.0
"""Inspection of recordings: the frames that a training would use, and what is wrong with a recording."""
