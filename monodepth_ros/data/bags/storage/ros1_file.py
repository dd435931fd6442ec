# SPDX-License-Identifier: Apache-2.0
"""ROS 1 bags, read by rosbags if they are whole."""

from collections.abc import Collection, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

from rosbags.rosbag1 import Reader
from rosbags.rosbag1.reader import decompressors

from monodepth_ros.data.bags.recording_error import EXPECTED, RecordingError
from monodepth_ros.data.bags.storage.bounded import uncompress
from monodepth_ros.data.bags.storage.ros1_unindexed import MAGIC, UnindexedBag
from monodepth_ros.data.bags.storage.stored_file import StoredFile, StoredMessage, StoredTopic
from monodepth_ros.errors import one_line
from monodepth_ros.limits import LARGEST_CHUNK


def open_ros1(path: Path) -> StoredFile:
    """A ROS 1 bag, with or without index. Raises RecordingError."""
    try:
        return Ros1File(path)
    except RecordingError:
        if _has_index(path):
            raise
    return UnindexedBag(path)


def _has_index(path: Path) -> bool:
    """Whether the bag's header leads to an index, which its recorder writes on closing; True for no bag at all."""
    with path.open("rb") as file:
        begin = file.read(len(MAGIC) + 4096)
    _, found, rest = begin.partition(b"index_pos=")
    if not begin.startswith(MAGIC) or not found:
        return True
    return 0 < int.from_bytes(rest[:8], "little") < path.stat().st_size


class _BoundedReader(Reader):
    """A reader whose chunks expand to a limit, and whose index is not larger than the file.

    An index may lead to the same entries again and again, so that some megabytes name a billion messages.
    """

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self._indexed, self._size = 0, path.stat().st_size

    def read_index_data(self, pos: int, indexes: dict[int, list[Any]]) -> None:
        assert self.bio is not None
        begin = self.bio.tell()
        super().read_index_data(pos, indexes)
        self._indexed += self.bio.tell() - begin
        if self._indexed > self._size:
            raise RecordingError("its index names more messages than the file can hold")

    def read_chunk(self) -> Any:
        chunk = super().read_chunk()
        kind = _COMPRESSIONS[chunk.decompressor]
        return chunk._replace(decompressor=lambda data: uncompress(data, kind, LARGEST_CHUNK))


_COMPRESSIONS = {decompressor: name for name, decompressor in decompressors.items()}


class Ros1File:
    """A .bag file as a StoredFile. Raises RecordingError."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.notes: list[str] = []
        self.foreign: dict[str, str] = {}
        self.lost: dict[tuple[str, int], int] = {}
        self.encounters = 0
        try:
            self._reader = _BoundedReader(path)
            self._reader.open()
        except Exception as error:  # damaged bytes make rosbags raise errors of many types
            raise RecordingError(_failure(path, one_line(error))) from error
        self._connections = {connection.id: connection for connection in self._reader.connections}
        self.topics = [
            StoredTopic(
                connection.id,
                connection.topic,
                connection.msgtype,
                connection.msgcount,
                connection.msgdef,
                latched=bool(getattr(connection.ext, "latching", False)),
                is_ros1=True,
            )
            for connection in self._reader.connections
        ]
        has_messages = bool(self._reader.message_count)
        self.start_ns = self._reader.start_time if has_messages else None
        self.end_ns = self._reader.end_time - 1 if has_messages else None

    def close(self) -> None:
        """Close the file; may be called twice."""
        with suppress(Exception):
            self._reader.close()

    def messages(
        self, ids: Collection[int], start_ns: int | None = None, stop_ns: int | None = None
    ) -> Iterator[StoredMessage]:
        """Messages by their receive times, as ROS 1 bytes."""
        wanted = [self._connections[topic] for topic in ids if self._connections[topic].msgcount]
        if wanted:
            for connection, time, data in self._reader.messages(wanted, start_ns, stop_ns):
                yield time, connection.id, data


def _failure(path: Path, reason: str) -> str:
    if path.stat().st_size == 0:
        return f"{path} is empty (0 bytes): {EXPECTED}"
    # Some readers begin their reason with the path.
    return f"{path} cannot be read as a recording: {reason.rpartition(f'{path}: ')[2]}"
