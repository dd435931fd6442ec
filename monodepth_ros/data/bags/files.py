# SPDX-License-Identifier: Apache-2.0
"""Files of a recording: from a user's path to open storage files."""

import os
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from monodepth_ros.data.bags.folder import FolderContents, recordings_within, storage_files
from monodepth_ros.data.bags.foxglove.cdr_records import as_ros_type
from monodepth_ros.data.bags.metadata import METADATA, Metadata, read_metadata
from monodepth_ros.data.bags.recording_error import EXPECTED, RecordingError
from monodepth_ros.data.bags.storage.file_kind import (
    NAMES,
    ROS1_SUFFIX,
    ROS2_SUFFIXES,
    archive_command,
    content_kind,
    is_git_lfs_pointer,
    named_kind,
)
from monodepth_ros.data.bags.storage.mcap_file import McapFile
from monodepth_ros.data.bags.storage.ros1_file import open_ros1
from monodepth_ros.data.bags.storage.sqlite_file import SqliteFile
from monodepth_ros.data.bags.storage.stored_file import StoredFile
from monodepth_ros.data.bags.storage.unpacked import PACKED, Unpacked, unpack
from monodepth_ros.errors import MonodepthError, one_line
from monodepth_ros.input_file import ordinary_file

__all__ = ["ROS1_SUFFIX", "ROS2_SUFFIXES", "OpenFiles", "RecordingError", "is_recording_file", "open_files"]


@dataclass
class OpenFiles:
    """The open storage files of a recording. metadata: of their folder. notes: for the user."""

    files: list[StoredFile] = field(default_factory=list)
    metadata: Metadata = field(default_factory=Metadata)
    notes: list[str] = field(default_factory=list)
    _unpacked: list[Unpacked] = field(default_factory=list)

    def close(self) -> None:
        """Close them; may be called twice."""
        for file in self.files:
            with suppress(Exception):
                file.close()
        self.files = []
        self._unpacked.clear()

    def open(self, path: Path) -> None:
        """Open one more file. Raises RecordingError."""
        try:
            plain = ordinary_file(path)
        except RecordingError:
            raise
        except MonodepthError as error:
            raise RecordingError(str(error)) from None
        if path.suffix in PACKED:
            content = unpack(path)
            self._unpacked.append(content)
            plain = content.path
            whole = "" if content.is_whole else " as far as it goes (it is cut off)"
            self.notes.append(
                f"{path.name} is unpacked into a temporary file of {content.size / 2**20:.0f} MiB{whole} each time; "
                f"`{PACKED[path.suffix].command} {path.name}` does it once"
            )
        if is_git_lfs_pointer(plain):
            raise RecordingError(f"{path} is a pointer of Git LFS, not the file itself: fetch it with `git lfs pull`")
        named, kind = named_kind(path), content_kind(plain)
        if kind and named and kind != named:
            self.notes.append(f"{path.name} is {NAMES[kind]} by its content, and read as such")
        kind = kind or named
        opened: StoredFile
        if kind == ROS1_SUFFIX:
            opened = open_ros1(plain)
        elif kind == ".db3":
            opened = SqliteFile(plain)
        else:
            opened = McapFile(plain, self.metadata.types)
        opened.topics = [as_ros_type(topic) for topic in opened.topics]
        self.files.append(opened)
        self.notes += opened.notes


def open_files(path: Path) -> OpenFiles:
    """Open every file of the recording at `path`; the caller closes them.

    A folder is read as the storage files in it, also those that its metadata.yaml does not list. Raises RecordingError
    if there is no readable recording.
    """
    opened = OpenFiles()
    try:
        contents = _contents(path, opened)
        opened.notes += contents.notes
        failures = []
        for file in contents.files:
            try:
                opened.open(file)
            except RecordingError as error:
                failures.append(str(error))
        if not opened.files:
            raise RecordingError(failures[0])
        opened.notes += [f"left out: {failure}" for failure in failures]
        _leave_out_copies(opened)
        opened.notes += _count_note(opened)
    except OSError as error:
        opened.close()
        raise RecordingError(f"{path} cannot be read: {one_line(error)}") from error
    except BaseException:
        opened.close()
        raise
    return opened


def is_recording_file(path: Path) -> bool:
    """Whether a file's name is that of a recording, of a compressed one or of a metadata.yaml."""
    return path.name == METADATA or named_kind(path) != "" or path.suffix in (".zstd", ".zst", ".lz4")


def _contents(path: Path, opened: OpenFiles) -> FolderContents:
    if not os.path.exists(path):
        raise RecordingError(f"{path} does not exist: {EXPECTED}")
    if path.name == METADATA and path.is_file():
        path = path.absolute().parent
    if path.is_dir():
        within = recordings_within(path)
        if len(within) == 1:
            opened.notes.append(f"{within[0].name} is read, the only recording in {path}")
            path = within[0]
        metadata = read_metadata(path)
        opened.metadata = metadata or opened.metadata
        return storage_files(path, metadata)
    if not named_kind(path) and not content_kind(path):
        if command := archive_command(path):
            raise RecordingError(f"{path} is an archive: unpack it with `{command}` and give what it contains")
        if path.suffix in PACKED:
            command = PACKED[path.suffix].command
            raise RecordingError(f"{path} is not a recording by its name: unpack it with `{command} {path.name}`")
        raise RecordingError(f"{path} is not a recording (suffix '{path.suffix}'): {EXPECTED}")
    metadata = read_metadata(path.absolute().parent)
    if metadata is not None and path.name in {name.name for name in metadata.files}:
        opened.metadata = metadata
    return FolderContents([path])


def _leave_out_copies(opened: OpenFiles) -> None:
    """Leave out files that hold what another one holds, such as the result of `mcap recover` in the same folder."""
    seen: dict[object, StoredFile] = {}
    for file in list(opened.files):
        counts = frozenset((topic.name, topic.count) for topic in file.topics)
        key = counts, file.start_ns, file.end_ns
        first = seen.setdefault(key, file)
        if first is not file and file.start_ns is not None:
            opened.notes.append(f"left out: {file.path.name}, a copy of {first.path.name}")
            opened.files.remove(file)
            file.close()


def _count_note(opened: OpenFiles) -> list[str]:
    """The note about messages that metadata.yaml promises and the storage does not have."""
    stated = opened.metadata.count
    if stated is None or any(file.foreign for file in opened.files) or len(opened.files) < len(opened.metadata.files):
        return []
    held = sum(topic.count for file in opened.files for topic in file.topics)
    return [f"{METADATA} states {stated} messages, the storage holds {held}: the storage counts"] * (held < stated)
