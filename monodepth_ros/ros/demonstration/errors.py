# SPDX-License-Identifier: Apache-2.0
"""The error of a demonstration that cannot run."""

from monodepth_ros.errors import MonodepthError


class DemoError(MonodepthError):
    """The demonstration could not run."""
