# SPDX-License-Identifier: Apache-2.0
"""What a storage file is: its content decides where it is known, its name otherwise."""

from pathlib import Path

from monodepth_ros.data.bags.storage.unpacked import PACKED
from monodepth_ros.input_file import is_ordinary_file

ROS1_SUFFIX = ".bag"
ROS2_SUFFIXES = (".mcap", ".db3")
KINDS = (*ROS2_SUFFIXES, ROS1_SUFFIX)
UNFINISHED = ".active"  # what rosbag appends to the name of a bag that it is writing
NAMES = {".mcap": "an MCAP file", ".db3": "a database of rosbag2", ROS1_SUFFIX: "a bag of ROS 1"}
GIT_LFS = b"version https://git-lfs"
_MAGIC = {b"\x89MCAP0\r\n": ".mcap", b"SQLite format 3\0": ".db3", b"#ROSBAG V2": ROS1_SUFFIX}
_ARCHIVES = {".zip": "unzip", ".tar": "tar xf", ".tgz": "tar xf", ".7z": "7z x", ".rar": "unrar x"}


def named_kind(path: Path) -> str:
    """'.mcap', '.db3' or '.bag' by a file's name, compressed or not; '' for another file."""
    name = path.with_suffix("") if path.suffix in (*PACKED, UNFINISHED) else path
    suffix = name.suffix.lower()
    return suffix if suffix in KINDS else ""


def content_kind(path: Path) -> str:
    """'.mcap', '.db3' or '.bag' by a file's first bytes; '' for another file, or one that cannot be read."""
    head = _head(path)
    return next((kind for magic, kind in _MAGIC.items() if head.startswith(magic)), "")


def storage_kind(path: Path) -> str:
    """The kind of a storage file that is one by its name: by its content if that is known; '' for another file."""
    named = named_kind(path)
    return named and (content_kind(path) or named)


def is_git_lfs_pointer(path: Path) -> bool:
    """Whether a file is what Git has of a large file that was not fetched."""
    return _head(path).startswith(GIT_LFS)


def journal_of(path: Path) -> Path | None:
    """The database that a file of sqlite3 belongs to, as bag_0.db3 for bag_0.db3-wal; None for another file."""
    name, _, last = path.name.rpartition("-")
    return path.with_name(name) if last in ("wal", "shm", "journal") and named_kind(Path(name)) == ".db3" else None


def archive_command(path: Path) -> str:
    """The command that unpacks an archive of files, by its name; '' for another file."""
    is_tar = Path(path.stem).suffix == ".tar"
    command = "tar xf" if is_tar else _ARCHIVES.get(path.suffix.lower(), "")
    return command and f"{command} {path.name}"


def _head(path: Path) -> bytes:
    try:
        if not is_ordinary_file(path):  # a pipe would wait for its writer
            return b""
        with path.open("rb") as file:
            return file.read(32)
    except OSError:
        return b""
