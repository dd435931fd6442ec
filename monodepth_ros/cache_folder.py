# SPDX-License-Identifier: Apache-2.0
"""The folder for files that can be made or downloaded again, and what is said where it cannot be used."""

import logging
import os
import pwd
from pathlib import Path

from monodepth_ros.errors import one_line
from monodepth_ros.foreign_text import safe_line

_said: set[str] = set()


def home_folder() -> Path:
    """The user's home: $HOME, or that of the system's user list; / where neither names one. It need not exist."""
    home = os.environ.get("HOME", "")
    if not os.path.isabs(home):
        try:
            home = pwd.getpwuid(os.getuid()).pw_dir
        except KeyError:  # a container's user without an entry
            home = "/"
    return Path(home if os.path.isabs(home) else "/")


def cache_folder() -> Path:
    """The folder `monodepth_ros` in $XDG_CACHE_HOME (if that is absolute, as its standard asks), or in ~/.cache. It
    need not exist."""
    base = os.environ.get("XDG_CACHE_HOME", "")
    return (Path(base) if os.path.isabs(base) else home_folder() / ".cache") / "monodepth_ros"


def not_cached(what: str, folder: Path, error: Exception, cost: str) -> None:
    """Say once per process and kind of file, on one line, that it cannot be kept in the cache.

    what: the files, such as "decoded video"; cost: what follows from it, such as "it is decoded again each time".
    """
    if what not in _said:
        _said.add(what)
        logging.getLogger("monodepth_ros").warning("%s", not_cached_line(what, folder, error, cost))


def not_cached_line(what: str, folder: Path, error: Exception, cost: str) -> str:
    """The line of `not_cached`."""
    return safe_line(
        f"{what} cannot be kept in {folder} ({one_line(error)}), so {cost}; XDG_CACHE_HOME names another place"
    )
