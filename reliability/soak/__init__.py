# SPDX-License-Identifier: Apache-2.0
"""The soak test: the depth node in a process of its own, run for many frames under faults chosen by a seed."""
