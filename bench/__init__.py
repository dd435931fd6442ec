# SPDX-License-Identifier: Apache-2.0
"""Benchmarks, run through scripts/bench: not installed, no part of the package."""
