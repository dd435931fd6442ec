# SPDX-License-Identifier: Apache-2.0
"""What the benchmarks raise."""

from monodepth_ros.errors import MonodepthError


class BenchError(MonodepthError):
    """The benchmark could not be run."""
