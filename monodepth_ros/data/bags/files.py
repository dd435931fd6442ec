# SPDX-License-Identifier: Apache-2.0
"""Files of a recording: from a user's path to open rosbags readers."""

from contextlib import suppress
from pathlib import Path
from typing import Any

import yaml
from rosbags.rosbag1 import Reader as Ros1Reader
from rosbags.rosbag2 import Reader as Ros2Reader

from monodepth_ros.errors import MonodepthError, one_line

ROS1_SUFFIX = ".bag"
ROS2_SUFFIXES = (".mcap", ".db3")
EXPECTED = "expected a rosbag2 folder, an .mcap or .db3 file, or a ROS 1 .bag"


class RecordingError(MonodepthError):
    """A recording that is missing, damaged or foreign, or lacks a requested topic."""


def open_readers(path: Path) -> list[Any]:
    """Open every file of the recording at `path`; the caller closes the readers.

    A folder with metadata.yaml is one rosbag2. A folder without it (its recorder was killed, or the bag is older than
    that file) is read as the storage files in it. Raises RecordingError if there is no readable recording.
    """
    readers: list[Any] = []
    try:
        for file in _storage_paths(path):
            readers.append(_open(file))
    except RecordingError:
        close_readers(readers)
        raise
    return readers


def close_readers(readers: list[Any]) -> None:
    for reader in readers:
        with suppress(Exception):
            reader.close()


def _storage_paths(path: Path) -> list[Path]:
    try:
        if not path.exists():
            raise RecordingError(f"{path} does not exist: {EXPECTED}")
        if path.is_dir():
            return _paths_in_folder(path)
    except OSError as error:
        raise RecordingError(f"{path} cannot be read: {one_line(error)}") from error
    if path.name == "metadata.yaml":
        return [path.parent]
    if path.suffix not in (*ROS2_SUFFIXES, ROS1_SUFFIX):
        if path.suffix in (".zstd", ".lz4"):
            raise RecordingError(f"{path} is a compressed storage file: give the rosbag2 folder that contains it")
        raise RecordingError(f"{path} is not a recording (suffix '{path.suffix}'): {EXPECTED}")
    return [_folder_if_compressed(path)]


def _paths_in_folder(folder: Path) -> list[Path]:
    if (folder / "metadata.yaml").exists():
        return [folder]
    for suffixes in ((".mcap",), (".db3",), (ROS1_SUFFIX,)):
        files = sorted(file for file in folder.iterdir() if file.suffix in suffixes and file.is_file())
        if files:
            return files
    inside = [entry.name for entry in sorted(folder.iterdir())]
    if not inside:
        raise RecordingError(f"folder {folder} is empty: {EXPECTED}")
    bags = [name for name in inside if (folder / name / "metadata.yaml").exists()]
    if bags:
        raise RecordingError(f"folder {folder} is not a recording but contains some: give one of {', '.join(bags[:8])}")
    raise RecordingError(f"folder {folder} contains no metadata.yaml, .mcap, .db3 or .bag: {EXPECTED}")


def _folder_if_compressed(file: Path) -> Path:
    """The bag's folder if its messages are compressed one by one, else the file.

    That compression is recorded in metadata.yaml alone, not in the storage file.
    """
    metadata = file.parent / "metadata.yaml"
    if file.suffix not in ROS2_SUFFIXES or not metadata.is_file():
        return file
    with suppress(OSError, yaml.YAMLError, KeyError, TypeError, AttributeError):
        information = yaml.safe_load(metadata.read_text())["rosbag2_bagfile_information"]
        names = [Path(name).name for name in information["relative_file_paths"]]
        if file.name in names and str(information.get("compression_mode", "")).lower() == "message":
            if len(names) > 1:
                raise RecordingError(f"{file} is one part of a compressed recording: give its folder {file.parent}")
            return file.parent
    return file


def _open(path: Path) -> Any:
    is_ros1 = path.suffix == ROS1_SUFFIX and not path.is_dir()
    try:
        reader = Ros1Reader(path) if is_ros1 else Ros2Reader(path)
        reader.open()
    except Exception as error:  # damaged bytes make rosbags raise errors of many types
        raise RecordingError(_describe_failure(path, one_line(error))) from error
    return reader


def _describe_failure(path: Path, reason: str) -> str:
    if path.is_file() and path.stat().st_size == 0:
        return f"{path} is empty (0 bytes): {EXPECTED}"
    if path.suffix == ".mcap" and ("end magic" in reason or "footer" in reason or "Truncated" in reason):
        return (
            f"{path} is truncated (was its recorder killed?): {reason}; "
            f"repair it with `mcap recover {path.name} -o whole.mcap`"
        )
    if path.suffix == ROS1_SUFFIX and "not indexed" in reason:
        return f"{path} was not closed by its recorder: {reason} (`rosbag reindex {path.name}`)"
    # Some readers begin their reason with the path.
    return f"{path} cannot be read as a recording: {reason.rpartition(f'{path}: ')[2]}"
