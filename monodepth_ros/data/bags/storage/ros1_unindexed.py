# SPDX-License-Identifier: Apache-2.0
"""ROS 1 bags that their recorder did not close, so that they lack the index at their end.

The layout of the records is that of wiki.ros.org/Bags/Format/2.0.
"""

import struct
import weakref
from array import array
from collections.abc import Callable, Collection, Iterator
from functools import partial
from pathlib import Path
from typing import NamedTuple

import numpy as np
from rosbags.interfaces import MessageDefinition, MessageDefinitionFormat

from monodepth_ros.data.bags.recording_error import RecordingError
from monodepth_ros.data.bags.storage.bounded import uncompress
from monodepth_ros.data.bags.storage.random_file import RandomFile
from monodepth_ros.data.bags.storage.stored_file import StoredMessage, StoredTopic
from monodepth_ros.data.bags.types import normalize_type
from monodepth_ros.limits import LARGEST_CHUNK

MAGIC = b"#ROSBAG V2.0\n"
_MESSAGE, _CHUNK, _CONNECTION = b"\x02", b"\x05", b"\x07"
_LENGTH, _TIME = struct.Struct("<I"), struct.Struct("<II")
_LONGEST_HEADER = 2**16  # bytes
_OUTSIDE = -1  # the chunk of a message that is in none

_Fields = dict[bytes, bytes]
_Read = Callable[[int, int], bytes]


class _Chunk(NamedTuple):
    offset: int
    size: int
    compression: bytes


class UnindexedBag:
    """A bag as a StoredFile, after a look at all of it. Raises RecordingError if it has no whole message."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.foreign: dict[str, str] = {}
        self.lost: dict[tuple[str, int], int] = {}
        self.encounters = 0
        self._file = RandomFile(path)
        self._contents = contents = _contents_of(path, self._file)
        remedy = f"`rosbag reindex {path.name}`"
        if not contents.table.size:
            self._file.close()
            raise RecordingError(
                f"{path} was not closed by its recorder or is cut off, and has no whole message ({remedy})"
            )
        self.start_ns, self.end_ns = int(contents.table[0, 0]), int(contents.table[0, -1])
        self.topics = contents.topics
        lost = f", the last {self._file.size - contents.end} bytes are lost" if contents.end < self._file.size else ""
        damaged = f", {contents.damaged} damaged chunks are left out" if contents.damaged else ""
        count = contents.table.shape[1]
        self.notes = [
            f"{path.name} was not closed by its recorder or is cut off: {count} messages are read{lost}{damaged} "
            f"({remedy} mends it)"
        ]
        self._last_chunk: tuple[int, bytes] = _OUTSIDE, b""

    def close(self) -> None:
        """Close the file; may be called twice."""
        self._file.close()
        self._last_chunk = _OUTSIDE, b""

    def messages(
        self, ids: Collection[int], start_ns: int | None = None, stop_ns: int | None = None
    ) -> Iterator[StoredMessage]:
        """Messages by their receive times, as ROS 1 bytes."""
        times, connections, chunks, offsets = self._contents.table
        first = 0 if start_ns is None else int(np.searchsorted(times, max(start_ns, 0)))
        last = len(times) if stop_ns is None else int(np.searchsorted(times, min(max(stop_ns, 0), 2**63 - 1)))
        for place in first + np.flatnonzero(np.isin(connections[first:last], list(ids))):
            read = self._reader(int(chunks[place]))
            _, begin, length = _record(read, int(offsets[place]))
            yield int(times[place]), int(connections[place]), read(begin, length)

    def _reader(self, chunk: int) -> _Read:
        if chunk == _OUTSIDE:
            return self._file.read
        number, data = self._last_chunk
        if number != chunk:
            data = _uncompressed(self._file, self._contents.chunks[chunk])
            self._last_chunk = chunk, data
        return partial(_part, data)


class _Contents:
    """What is in a bag. table: (4, N) time [ns], connection, chunk and offset in it of the messages, by time.

    end: where the whole records end [bytes]. damaged: number of chunks that cannot be read.
    """

    def __init__(self, file: RandomFile) -> None:
        self.chunks: list[_Chunk] = []
        self.damaged = 0
        self._connections: dict[int, _Fields] = {}
        found = array("q")
        self.end = len(MAGIC)
        while True:
            try:
                header, begin, length = _record(file.read, self.end)
            except (EOFError, ValueError):
                break
            if begin + length > file.size:
                break
            if header.get(b"op") == _CHUNK and length:
                self._take_chunk(file, _Chunk(begin, length, header.get(b"compression", b"none")), found)
            else:
                # Of the chunk that it was writing the recorder had not stated the length yet: its records stand here.
                try:
                    self._take(file.read, self.end, _OUTSIDE, found)
                except (EOFError, KeyError, ValueError, struct.error):
                    break
            self.end = begin + length
        table = np.array(found, np.int64).reshape(-1, 4)
        table = table[np.isin(table[:, 1], list(self._connections))]
        self.table = np.ascontiguousarray(table[np.argsort(table[:, 0], kind="stable")].T)
        self.topics = [self._topic(number, fields) for number, fields in self._connections.items()]

    def _take_chunk(self, file: RandomFile, chunk: _Chunk, found: array) -> None:
        number = len(self.chunks)
        self.chunks.append(chunk)
        try:
            data = _uncompressed(file, chunk)
            position, read = 0, partial(_part, data)
            while position < len(data):
                position = self._take(read, position, number, found)
        except Exception:  # of three decompressors, and of what they give
            self.damaged += 1

    def _take(self, read: _Read, position: int, chunk: int, found: array) -> int:
        """Take a message or connection; the end of its record."""
        header, begin, length = _record(read, position)
        kind = header.get(b"op")
        if kind == _MESSAGE:
            seconds, nanoseconds = _TIME.unpack(header[b"time"])
            connection = _LENGTH.unpack(header[b"conn"])[0]
            found.extend((seconds * 10**9 + nanoseconds, connection, chunk, position))
        elif kind == _CONNECTION:
            fields = {**_fields(read(begin, length)), b"topic": header[b"topic"]}
            self._connections.setdefault(_LENGTH.unpack(header[b"conn"])[0], fields)
        return begin + length

    def _topic(self, number: int, fields: _Fields) -> StoredTopic:
        text = {name: fields.get(name, b"").decode(errors="replace") for name in (b"topic", b"type")}
        definition = fields.get(b"message_definition", b"").decode(errors="replace")
        return StoredTopic(
            number,
            text[b"topic"],
            normalize_type(text[b"type"]),
            count=int(np.count_nonzero(self.table[1] == number)),
            definition=MessageDefinition(MessageDefinitionFormat.MSG, definition),
            latched=fields.get(b"latching") == b"1",
            is_ros1=True,
        )


# A source opens its recording several times: they share one look at it.
_known: "weakref.WeakValueDictionary[tuple[int, ...], _Contents]" = weakref.WeakValueDictionary()


def _contents_of(path: Path, file: RandomFile) -> _Contents:
    state = path.stat()
    key = state.st_dev, state.st_ino, state.st_size, state.st_mtime_ns
    contents = _known.get(key)
    if contents is None:
        _known[key] = contents = _Contents(file)
    return contents


def _uncompressed(file: RandomFile, chunk: _Chunk) -> bytes:
    packed = file.read(chunk.offset, chunk.size)
    return uncompress(packed, chunk.compression.decode(errors="replace"), LARGEST_CHUNK)


def _record(read: _Read, position: int) -> tuple[_Fields, int, int]:
    """Header fields, and place and length of the data of a record. Raises EOFError, and ValueError for no record."""
    size = _LENGTH.unpack(read(position, 4))[0]
    if size > _LONGEST_HEADER:
        raise ValueError("no record")
    header = read(position + 4, size + 4)
    return _fields(header[:size]), position + 8 + size, _LENGTH.unpack(header[size:])[0]


def _fields(header: bytes) -> _Fields:
    fields, position = {}, 0
    while position < len(header):
        if position + 4 > len(header):
            raise ValueError("no record")
        length = _LENGTH.unpack_from(header, position)[0]
        name, separator, value = header[position + 4 : position + 4 + length].partition(b"=")
        if not separator:
            raise ValueError("no record")
        fields[name] = value
        position += 4 + length
    return fields


def _part(data: bytes, offset: int, length: int) -> bytes:
    if offset + length > len(data):
        raise EOFError("the chunk ends before")
    return data[offset : offset + length]
