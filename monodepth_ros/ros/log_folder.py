# SPDX-License-Identifier: Apache-2.0
"""Where ROS writes its log files: its own folder, a temporary one if that cannot be written, else nowhere.

ROS itself ends a process whose log folder cannot be made, as with a HOME that is read-only or missing.
"""

import os
import stat
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from monodepth_ros.cache_folder import home_folder
from monodepth_ros.errors import MonodepthError, one_line

VARIABLE = "ROS_LOG_DIR"
NO_FILES = ("--ros-args", "--disable-external-lib-logs")


def with_usable_log(arguments: Sequence[str]) -> list[str]:
    """The arguments for rclpy.init, after ROS_LOG_DIR was set to a folder that can be written if ROS's own cannot.

    Says so in one line on standard error. Without any folder, an argument switches ROS's log files off.
    """
    try:
        folder = ros_log_folder()
        _try_to_write(folder)
        if not os.environ.get("HOME") and not os.environ.get("ROS_HOME"):
            os.environ[VARIABLE] = str(folder)  # ROS knows no other home than HOME
        return list(arguments)
    except (OSError, ValueError) as error:
        reason = f"log files cannot be written to {folder} ({one_line(error)})"
    try:
        other = _own_temporary_folder()
        _try_to_write(other)
    except (OSError, ValueError):
        _say(f"{reason}, nor to a temporary folder: the log goes to the terminal and to /rosout alone")
        return [*arguments, *NO_FILES]
    os.environ[VARIABLE] = str(other)
    _say(f"{reason}: they go to {other}; {VARIABLE} names another place")
    return list(arguments)


def ros_log_folder() -> Path:
    """The folder that ROS's rules name: $ROS_LOG_DIR, $ROS_HOME/log or ~/.ros/log."""
    if stated := os.environ.get(VARIABLE):
        return _expanded(stated)
    if home := os.environ.get("ROS_HOME"):
        return _expanded(home) / "log"
    return home_folder() / ".ros" / "log"


def _expanded(path: str) -> Path:
    return home_folder() / path[1:].lstrip("/") if path == "~" or path.startswith("~/") else Path(path)


def _try_to_write(folder: Path) -> None:
    """Raise OSError if no file with something in it can be made in a folder, which is made."""
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile(prefix=".writable-", dir=folder) as file:
        file.write(b"\n")
        file.flush()


def _own_temporary_folder() -> Path:
    """A folder of this user alone, the same at every start."""
    folder = Path(tempfile.gettempdir()) / f"ros-log-{os.getuid()}"
    folder.mkdir(mode=0o700, exist_ok=True)
    found = folder.lstat()
    if stat.S_ISDIR(found.st_mode) and found.st_uid == os.getuid():
        return folder
    return Path(tempfile.mkdtemp(prefix="ros-log-"))


def _say(line: str) -> None:
    print(MonodepthError(line), file=sys.stderr, flush=True)
