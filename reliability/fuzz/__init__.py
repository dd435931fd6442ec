# SPDX-License-Identifier: Apache-2.0
"""Fuzzing of everything that reads bytes or texts from outside, by hypothesis, in child processes with limits."""
