# SPDX-License-Identifier: Apache-2.0
"""The index of an MCAP file without a usable summary, by a walk from record to record.

Such files come from recorders that were killed, and from writers without chunks or without indexes.
"""

from array import array
from dataclasses import dataclass, field
from struct import Struct

import numpy as np
from mcap.opcode import Opcode
from mcap.records import Channel, Schema

from monodepth_ros.data.bags.storage.mcap_chunks import (
    DamagedError,
    definitions_in_data,
    places_in_data,
    read_chunk,
    read_definition,
)
from monodepth_ros.data.bags.storage.mcap_index import (
    FOREVER,
    INDEX_OFFSET,
    MAGIC,
    MESSAGE,
    RECORD,
    ChunkEntry,
    McapIndex,
)
from monodepth_ros.data.bags.storage.random_file import RandomFile

_CHUNK_TIMES = Struct("<QQQII")  # first time, last time, size uncompressed, checksum, length of the compression's name
_INDEX_BEGIN = Struct("<HI")
_LONGEST_NAME = 64  # of a compression [bytes]


@dataclass
class _Chunk:
    entry: ChunkEntry
    offsets: bytearray = field(default_factory=bytearray)
    counts: dict[int, int] = field(default_factory=dict)


class McapScan:
    """A walk over a file. end: where it ended [bytes]. reason: why it ended before the end of the data, or ''.

    has_all: whether it came past the last message, closed or not.
    """

    def __init__(self, file: RandomFile) -> None:
        self._file = file
        self._channels: dict[int, Channel] = {}
        self._schemas: dict[int, Schema] = {}
        self._chunks: list[_Chunk] = []
        self._loose: dict[int, array] = {}
        self._damaged = 0
        self.end = len(MAGIC)
        self.reason = ""
        self.has_all = False
        self._walk()

    def index(self) -> McapIndex:
        """The index of what is whole; its counts are those of the messages found."""
        if not self.has_all and self._chunks:
            self._chunks[-1].offsets.clear()  # its indexes may be cut off as well
        self._look_into_chunks()
        offsets, entries = bytearray(), []
        counts: dict[int, int] = {}
        for chunk in self._chunks:
            place = len(offsets), len(offsets) + len(chunk.offsets)
            offsets += chunk.offsets
            entries.append(chunk.entry._replace(offsets=place))
            for channel, count in chunk.counts.items():
                counts[channel] = counts.get(channel, 0) + count
        loose = {}
        for channel, found in self._loose.items():
            table = np.array(found, np.uint64).reshape(-1, 3)
            loose[channel] = np.ascontiguousarray(table[np.argsort(table[:, 0], kind="stable")].T)
            counts[channel] = counts.get(channel, 0) + len(table)
        entries.sort(key=lambda entry: (entry.start, entry.offset))
        starts = [entry.start for entry in entries] + [int(table[0, 0]) for table in loose.values()]
        ends = [entry.end for entry in entries] + [int(table[0, -1]) for table in loose.values()]
        span = {"start_ns": min(starts, default=None), "end_ns": max(ends, default=None)}
        notes = [f"{self._damaged} damaged chunks are left out"] if self._damaged else []
        return McapIndex(
            self._channels, self._schemas, entries, bytes(offsets), counts, loose=loose, notes=notes, **span
        )

    def _walk(self) -> None:
        file, position = self._file, len(MAGIC)
        while True:
            self.end = position
            if position + RECORD.size > file.size:
                self.reason = "it ends after a record" if position >= file.size else "it ends in a record"
                return
            opcode, length = RECORD.unpack(file.read(position, RECORD.size))
            content = position + RECORD.size
            if opcode == 0:
                self.reason = f"there is no record at byte {position}"
                self._drop_torn_message(position)
                return
            if content + length > file.size:
                self.reason = f"it ends in a {_name(opcode)}"
                return
            try:
                if opcode == Opcode.FOOTER:
                    self.has_all = True
                    return
                if opcode == Opcode.DATA_END:
                    self.has_all = True
                elif not self.has_all or opcode in (Opcode.SCHEMA, Opcode.CHANNEL):
                    self._take(opcode, content, length)
            except (DamagedError, EOFError):
                self.reason = f"the {_name(opcode)} at byte {position} is damaged"
                return
            position = content + length

    def _take(self, opcode: int, content: int, length: int) -> None:
        if opcode in (Opcode.SCHEMA, Opcode.CHANNEL):
            self._define(read_definition(opcode, self._file.read(content, length)))
        elif opcode == Opcode.MESSAGE:
            if length < MESSAGE.size:
                raise DamagedError
            channel, _, time, _ = MESSAGE.unpack(self._file.read(content, MESSAGE.size))
            found = self._loose.setdefault(channel, array("Q"))
            found.extend((time, content + MESSAGE.size, length - MESSAGE.size))
        elif opcode == Opcode.CHUNK:
            self._chunks.append(_Chunk(self._chunk(content, length)))
        elif opcode == Opcode.MESSAGE_INDEX and self._chunks:
            channel, entries = _INDEX_BEGIN.unpack(self._file.read(content, _INDEX_BEGIN.size))
            chunk = self._chunks[-1]
            chunk.offsets += INDEX_OFFSET.pack(channel, content - RECORD.size)
            chunk.counts[channel] = chunk.counts.get(channel, 0) + entries // 16

    def _drop_torn_message(self, end: int) -> None:
        """Drop the message before zeros, which a disk may have left there instead of its last bytes."""
        for channel, found in self._loose.items():
            if found[-2] + found[-1] == end and self._file.read(end - 1, 1) == b"\0":
                del found[-3:]
                if not found:
                    del self._loose[channel]
                return

    def _chunk(self, content: int, length: int) -> ChunkEntry:
        begin = self._file.read(content, min(length, _CHUNK_TIMES.size + _LONGEST_NAME + 8))
        if len(begin) < _CHUNK_TIMES.size:
            raise DamagedError
        start, end, size, _, name_length = _CHUNK_TIMES.unpack_from(begin)
        data_at = _CHUNK_TIMES.size + name_length + 8
        if name_length > _LONGEST_NAME or data_at > len(begin):
            raise DamagedError
        compression = begin[_CHUNK_TIMES.size : data_at - 8].decode(errors="replace")
        data_size = int.from_bytes(begin[data_at - 8 : data_at], "little")
        if data_at + data_size > length:
            raise DamagedError
        offset = content - RECORD.size
        return ChunkEntry(start, end, offset, length + RECORD.size, (0, 0), compression, data_size=data_size, size=size)

    def _define(self, record: Schema | Channel) -> None:
        if isinstance(record, Schema):
            self._schemas.setdefault(record.id, record)
        else:
            self._channels.setdefault(record.id, record)

    def _look_into_chunks(self) -> None:
        """Read the chunks that have no message index, and those whose channels are not known yet."""
        whole = []
        for chunk in self._chunks:
            has_times = 0 < chunk.entry.end >= chunk.entry.start
            if chunk.offsets and has_times and all(self._is_defined(channel) for channel in chunk.counts):
                whole.append(chunk)
                continue
            try:
                data = read_chunk(self._file, chunk.entry)
                for record in definitions_in_data(data):
                    self._define(record)
                if not chunk.offsets or not has_times:
                    self._count(chunk, data)
            except DamagedError:
                self._damaged += 1
                continue
            if chunk.counts:
                whole.append(chunk)
        self._chunks = whole

    def _is_defined(self, channel: int) -> bool:
        known = self._channels.get(channel)
        return known is not None and (known.schema_id == 0 or known.schema_id in self._schemas)

    def _count(self, chunk: _Chunk, data: bytes) -> None:
        chunk.counts.clear()
        places = places_in_data(data, None)
        for _, channel, _ in places:
            chunk.counts[channel] = chunk.counts.get(channel, 0) + 1
        if places:
            chunk.entry = chunk.entry._replace(start=places[0][0], end=min(places[-1][0], FOREVER))


def _name(opcode: int) -> str:
    try:
        return Opcode(opcode).name.lower().replace("_", " ")
    except ValueError:
        return "record"
