# SPDX-License-Identifier: Apache-2.0
"""The folder for files that can be made or downloaded again."""

import os
from pathlib import Path


def cache_folder() -> Path:
    """The folder `monodepth_ros` in $XDG_CACHE_HOME, or in ~/.cache. It need not exist."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "monodepth_ros"
