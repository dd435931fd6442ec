# SPDX-License-Identifier: Apache-2.0
"""Soak test and fuzzing, run through scripts/soak and scripts/fuzz: not installed, no part of the package."""
