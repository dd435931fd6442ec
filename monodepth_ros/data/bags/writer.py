# SPDX-License-Identifier: Apache-2.0
"""Writing recordings: a rosbag2 folder or a single .mcap or .db3 file, which appears once it is complete."""

import shutil
import tempfile
from pathlib import Path
from typing import Any

from rosbags.interfaces import Qos, QosDurability, QosHistory, QosLiveliness, QosReliability, QosTime
from rosbags.rosbag2 import StoragePlugin, Writer
from rosbags.rosbag2.enums import CompressionFormat, CompressionMode

from monodepth_ros.data.bags.files import ROS1_SUFFIX, RecordingError
from monodepth_ros.data.bags.types import common_types
from monodepth_ros.errors import one_line

STORAGES = ("mcap", "sqlite3")
STORAGE_OF_SUFFIX = {".mcap": "mcap", ".db3": "sqlite3"}
SUFFIX_OF_STORAGE = {storage: suffix for suffix, storage in STORAGE_OF_SUFFIX.items()}
METADATA_VERSION = 8  # the version that jazzy writes; older readers accept it


class BagWriter:
    """A new recording: `with BagWriter(path) as bag: bag.add_topic(...); bag.write(...)`.

    path: a name with suffix .mcap or .db3 becomes a single file, any other name a rosbag2 folder. storage: "mcap"
    (default) or "sqlite3". compress: use zstd, per chunk in mcap, per message in sqlite3 (folders only). Messages are
    objects of `BagWriter.types`. If the block raises, nothing is left at `path`.

    An empty folder may exist already.
    Raises RecordingError if the path exists otherwise, cannot be written, or contradicts `storage`.
    """

    types = common_types().types

    def __init__(self, path: str | Path, storage: str = "", compress: bool = False) -> None:
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
        if not self._is_free():
            raise RecordingError(f"{path} exists already: choose another name or remove it")
        self._compress = compress
        self._connections: dict[str, Any] = {}

    def __enter__(self) -> "BagWriter":
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            self._workplace = Path(tempfile.mkdtemp(prefix=f".{self.path.name}.", dir=self.path.parent))
        except OSError as error:
            raise RecordingError(f"{self.path} cannot be written: {one_line(error)}") from error
        self._folder = self._workplace / (self.path.stem if self._bare_file else self.path.name)
        plugin = StoragePlugin.MCAP if self.storage == "mcap" else StoragePlugin.SQLITE3
        self._writer = Writer(self._folder, version=METADATA_VERSION, storage_plugin=plugin)
        if self._compress:
            mode = CompressionMode.STORAGE if self.storage == "mcap" else CompressionMode.MESSAGE
            self._writer.set_compression(mode, CompressionFormat.ZSTD)
        self._writer.open()
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        try:
            if kind is not None:
                self._writer.abort()
                return
            self._writer.close()
            self._move_into_place()
        except OSError as error:
            raise RecordingError(f"{self.path} cannot be written: {one_line(error)}") from error
        finally:
            shutil.rmtree(self._workplace, ignore_errors=True)

    def add_topic(self, name: str, message_type: str, latched: bool = False) -> None:
        """Add a topic of type pkg/msg/Name. latched: offered transient local, as required of /tf_static."""
        self._connections[name] = self._writer.add_connection(
            name, message_type, typestore=common_types(), offered_qos_profiles=[_quality_of_service(latched)]
        )

    def write(self, topic: str, stamp_ns: int, message: Any) -> None:
        """Serialise and append a message object. stamp_ns: its receive time [ns]."""
        self.write_raw(topic, stamp_ns, common_types().serialize_cdr(message, message.__msgtype__))

    def write_raw(self, topic: str, stamp_ns: int, data: bytes | memoryview) -> None:
        """Append CDR bytes. Raises RecordingError if the disk is full or gone."""
        try:
            self._writer.write(self._connections[topic], stamp_ns, data)
        except OSError as error:
            raise RecordingError(f"{self.path} cannot be written: {one_line(error)}") from error

    def _is_free(self) -> bool:
        """Whether nothing is at the path, or the empty folder that the recording is to become."""
        if self._bare_file or not self.path.is_dir() or self.path.is_symlink():
            return not self.path.exists()
        return not any(self.path.iterdir())

    def _move_into_place(self) -> None:
        if self._bare_file:
            stored = self._folder / f"{self._folder.name}{SUFFIX_OF_STORAGE[self.storage]}"
        else:
            stored = self._folder
        if not self._is_free():
            raise RecordingError(f"{self.path} exists already: another program has created it, choose another name")
        stored.rename(self.path)


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
