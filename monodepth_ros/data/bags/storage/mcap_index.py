# SPDX-License-Identifier: Apache-2.0
"""Where the messages of an MCAP file are: its chunks, and messages outside chunks."""

from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from struct import Struct
from typing import NamedTuple

import numpy as np
from mcap.records import Channel, Schema

MAGIC = b"\x89MCAP0\r\n"
FOREVER = 2**64 - 1  # the latest time of the format [ns]

RECORD = Struct("<BQ")  # opcode, length of the content
MESSAGE = Struct("<HIQQ")  # channel, sequence, log time, publish time
INDEX_OFFSET = Struct("<HQ")  # channel, offset of its message index in the file


class ChunkEntry(NamedTuple):
    """One chunk. start, end: times of its messages [ns]. offset, length: of its record in the file [bytes].

    offsets: where those of its message indexes are in `McapIndex.offsets` (begin, end), equal if it has none.
    data_size, size: of its content as stored and uncompressed [bytes].
    """

    start: int
    end: int
    offset: int
    length: int
    offsets: tuple[int, int]
    compression: str
    data_size: int
    size: int

    @property
    def has_index(self) -> bool:
        """Whether message indexes lead to its messages."""
        return self.offsets[0] < self.offsets[1]

    @property
    def data_offset(self) -> int:
        """Offset of the content in the file [bytes]."""
        return self.offset + RECORD.size + 40 + len(self.compression.encode())


@dataclass
class McapIndex:
    """The contents of one MCAP file.

    chunks: in the order of their start. offsets: (channel, offset) of every chunk's message indexes, as stored:
    unpacked, those of a long recording would take ten times the memory. loose: of each channel, (3, N) time [ns],
    offset and length [bytes] of the messages outside chunks, by time. counts: of messages, by channel. start_ns,
    end_ns: of the messages, None without any. notes: for the user.
    """

    channels: dict[int, Channel]
    schemas: dict[int, Schema]
    chunks: list[ChunkEntry]
    offsets: bytes
    counts: dict[int, int]
    start_ns: int | None
    end_ns: int | None
    loose: dict[int, np.ndarray] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._ends = np.array([chunk.end for chunk in self.chunks], np.uint64)
        self._starts = np.array([chunk.start for chunk in self.chunks], np.uint64)

    def index_offsets(self, chunk: ChunkEntry) -> Iterator[tuple[int, int]]:
        """(channel, offset in the file) of the message indexes of a chunk; none: the chunk has no index."""
        return INDEX_OFFSET.iter_unpack(memoryview(self.offsets)[slice(*chunk.offsets)])

    def chunks_with(self, channels: Collection[int], start_ns: int, stop_ns: int) -> Iterator[ChunkEntry]:
        """The chunks that may have messages of the channels with start_ns <= time < stop_ns, by their start."""
        if stop_ns <= start_ns:
            return
        places = np.flatnonzero((self._starts < np.uint64(stop_ns)) & (self._ends >= np.uint64(start_ns)))
        for place in places:
            chunk = self.chunks[place]
            if not chunk.has_index or any(c in channels for c, _ in self.index_offsets(chunk)):
                yield chunk
