# SPDX-License-Identifier: Apache-2.0
"""Writing recordings: a rosbag2 folder or a single .mcap or .db3 file, which appears once it is complete."""

import os
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from rosbags.interfaces import Qos, QosDurability, QosHistory, QosLiveliness, QosReliability, QosTime
from rosbags.rosbag2 import StoragePlugin
from rosbags.rosbag2.enums import CompressionFormat, CompressionMode

from monodepth_ros.atomic_file import remove_leftovers, unfinished
from monodepth_ros.data.bags.cut_recording import StepWriter
from monodepth_ros.data.bags.files import ROS1_SUFFIX, RecordingError
from monodepth_ros.data.bags.folder import is_recording_folder
from monodepth_ros.data.bags.metadata import METADATA
from monodepth_ros.data.bags.storage.file_kind import named_kind
from monodepth_ros.data.bags.types import common_types
from monodepth_ros.errors import MonodepthError, one_line
from monodepth_ros.output_file import check_writable

STORAGES = ("mcap", "sqlite3")
STORAGE_OF_SUFFIX = {".mcap": "mcap", ".db3": "sqlite3"}
SUFFIX_OF_STORAGE = {storage: suffix for suffix, storage in STORAGE_OF_SUFFIX.items()}
METADATA_VERSION = 8  # the version that jazzy writes; older readers accept it


class BagWriter:
    """A new recording: `with BagWriter(path) as bag: bag.add_topic(...); bag.write(...)`.

    path: a name with suffix .mcap or .db3 becomes a single file, any other name a rosbag2 folder. storage: "mcap"
    (default) or "sqlite3". compress: use zstd, per chunk in mcap, per message in sqlite3 (folders only). replace: an
    existing recording or file at the path gives way to the new one, once that is complete. Messages are objects of
    `BagWriter.types`. If the block raises, nothing is left at `path`; if the disk becomes full, the messages
    before it are.

    An empty folder may exist already.
    Raises RecordingError if the path exists otherwise, cannot be written, or contradicts `storage`.
    """

    types = common_types().types

    def __init__(self, path: str | Path, storage: str = "", compress: bool = False, replace: bool = False) -> None:
        self.path = Path(path)
        suffix = self.path.suffix
        self.storage = storage or STORAGE_OF_SUFFIX.get(suffix, "mcap")
        if self.storage not in STORAGES:
            raise RecordingError(f"unknown storage '{storage}': expected one of {', '.join(STORAGES)}")
        self._bare_file = suffix in STORAGE_OF_SUFFIX
        if self._bare_file and STORAGE_OF_SUFFIX[suffix] != self.storage:
            wanted = SUFFIX_OF_STORAGE[self.storage]
            raise RecordingError(f"{path} does not fit storage {self.storage}: use the suffix {wanted} or none")
        if compress and self._bare_file and self.storage == "sqlite3":
            raise RecordingError(f"{path}: compressed sqlite3 storage needs a folder, leave out the suffix")
        if suffix == ROS1_SUFFIX:
            raise RecordingError(
                f"{path}: ROS 1 bags are not written: give a name in .mcap or .db3, or a folder's name"
            )
        self._replace = replace
        if not self._is_free():
            if replace:
                raise RecordingError(f"{path} is no {'file' if self._bare_file else 'recording'}: it is not replaced")
            raise RecordingError(f"{path} exists already: choose another name or remove it")
        try:
            check_writable(self.path)
        except MonodepthError as error:
            raise RecordingError(str(error)) from None
        self._compress = compress
        self._is_over = False
        self._connections: dict[str, Any] = {}

    def __enter__(self) -> "BagWriter":
        self._workplace = unfinished(self.path)
        self._folder = self._workplace / (self.path.stem if self._bare_file else self.path.name)
        plugin = StoragePlugin.MCAP if self.storage == "mcap" else StoragePlugin.SQLITE3
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            remove_leftovers(self.path)
            self._workplace.mkdir()
            self._writer = StepWriter(self._folder, version=METADATA_VERSION, storage_plugin=plugin)
            if self._compress:
                mode = CompressionMode.STORAGE if self.storage == "mcap" else CompressionMode.MESSAGE
                self._writer.set_compression(mode, CompressionFormat.ZSTD)
            self._writer.open()
        except (OSError, sqlite3.Error) as error:
            shutil.rmtree(self._workplace, ignore_errors=True)
            raise RecordingError(f"{self.path} cannot be written: {one_line(error)}") from None
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        try:
            if self._is_over:
                return
            if kind is not None:
                with suppress(OSError, sqlite3.Error):
                    self._writer.abort()
                return
            with self._kept_if_full():
                self._writer.close()
                self._move_into_place()
        finally:
            shutil.rmtree(self._workplace, ignore_errors=True)

    def add_topic(self, name: str, message_type: str, latched: bool = False) -> None:
        """Add a topic of type pkg/msg/Name. latched: offered transient local, as required of /tf_static."""
        with self._kept_if_full():
            self._connections[name] = self._writer.add_connection(
                name, message_type, typestore=common_types(), offered_qos_profiles=[_quality_of_service(latched)]
            )

    def write(self, topic: str, stamp_ns: int, message: Any) -> None:
        """Serialise and append a message object. stamp_ns: its receive time [ns]."""
        self.write_raw(topic, stamp_ns, common_types().serialize_cdr(message, message.__msgtype__))

    def write_raw(self, topic: str, stamp_ns: int, data: bytes | memoryview) -> None:
        """Append CDR bytes. Raises RecordingError if the disk is full or gone."""
        with self._kept_if_full():
            self._writer.write(self._connections[topic], stamp_ns, data)

    @contextmanager
    def _kept_if_full(self) -> Iterator[None]:
        """End the recording at an error of the disk: what is complete is put into place, and the error is one line."""
        try:
            yield
        except (OSError, sqlite3.Error) as error:
            self._is_over = True
            kept = 0
            with suppress(OSError, sqlite3.Error, RecordingError):
                count = self._writer.close_cut()
                if count:
                    self._move_into_place()
                    kept = count
            what = f"it holds the first {kept} messages" if kept else "nothing is kept of it"
            raise RecordingError(f"{self.path} cannot be written: {one_line(error)}; {what}") from None

    def _is_free(self) -> bool:
        """Whether the path may become the recording: nothing is there, an empty folder, or what is to be replaced."""
        if self._bare_file:
            return not os.path.lexists(self.path) or (self._replace and self.path.is_file())
        if not self.path.is_dir() or self.path.is_symlink():
            return not os.path.lexists(self.path)
        return not any(self.path.iterdir()) or (self._replace and is_only_recording(self.path))

    def _move_into_place(self) -> None:
        stored = self._folder
        if self._bare_file:
            stored = self._folder / f"{self._folder.name}{SUFFIX_OF_STORAGE[self.storage]}"
        for file in [stored] if self._bare_file else stored.iterdir():
            with open(file, "rb+") as opened:
                os.fsync(opened.fileno())
        if not self._is_free():
            raise RecordingError(f"{self.path} exists already: another program has created it, choose another name")
        if self._replace and not self._bare_file and self.path.is_dir():
            self.path.rename(self._workplace / "replaced")
        os.replace(stored, self.path.resolve() if self._bare_file else self.path)


def is_only_recording(folder: Path) -> bool:
    """Whether a folder is a recording and holds nothing else."""
    entries = list(folder.iterdir())
    return is_recording_folder(folder) and all(
        entry.is_file() and (entry.name == METADATA or named_kind(entry)) for entry in entries
    )


def _quality_of_service(latched: bool) -> Qos:
    forever = QosTime(2147483647, 4294967295)
    return Qos(
        history=QosHistory.KEEP_LAST,
        depth=1 if latched else 10,
        reliability=QosReliability.RELIABLE,
        durability=QosDurability.TRANSIENT_LOCAL if latched else QosDurability.VOLATILE,
        deadline=forever,
        lifespan=forever,
        liveliness=QosLiveliness.AUTOMATIC,
        liveliness_lease_duration=forever,
        avoid_ros_namespace_conventions=False,
    )
