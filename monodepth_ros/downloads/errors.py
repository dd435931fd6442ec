# SPDX-License-Identifier: Apache-2.0
"""The error of all downloads."""

from monodepth_ros.errors import MonodepthError


class DownloadError(MonodepthError):
    """A failed download: no network, no such file, an interruption, no space, or another file than expected."""
