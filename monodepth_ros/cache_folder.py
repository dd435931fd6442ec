# SPDX-License-Identifier: Apache-2.0
"""Where things that can be made or downloaded again are kept."""

import os
from pathlib import Path


def cache_folder() -> Path:
    """`monodepth_ros` in the user's cache: $XDG_CACHE_HOME, or ~/.cache. It need not exist."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "monodepth_ros"
