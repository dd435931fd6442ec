# SPDX-License-Identifier: Apache-2.0
"""The error of the benchmarks."""

from monodepth_ros.errors import MonodepthError


class BenchError(MonodepthError):
    """A benchmark that cannot be run."""
