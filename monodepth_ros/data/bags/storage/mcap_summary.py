# SPDX-License-Identifier: Apache-2.0
"""The index of an MCAP file from the summary at its end.

Chunk indexes, which are nearly all of it, are taken apart here and not by the library: 100 topics in 10 GB make a
million entries, of which a reader of one camera needs few.
"""

from dataclasses import dataclass, field
from io import BytesIO
from struct import Struct

from mcap.data_stream import ReadDataStream
from mcap.opcode import Opcode
from mcap.records import Channel, Schema, Statistics

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
from monodepth_ros.limits import LARGEST_SUMMARY

FOOTER = Struct("<QQI")  # start of the summary, start of its offsets, checksum
_TAIL = RECORD.size + FOOTER.size + len(MAGIC)
_CHUNK_BEGIN = Struct("<QQQQI")  # first time, last time, offset, length, length of the index offsets
_CHUNK_MIDDLE = Struct("<QI")  # length of the message indexes, length of the compression's name
_CHUNK_END = Struct("<QQ")  # size as stored, size uncompressed
_INDEX_OVERHEAD = RECORD.size + 2 + 4
_INDEX_ENTRY = 16
_SMALLEST_MESSAGE = RECORD.size + MESSAGE.size


@dataclass
class _Summary:
    channels: dict[int, Channel] = field(default_factory=dict)
    schemas: dict[int, Schema] = field(default_factory=dict)
    chunks: list[ChunkEntry] = field(default_factory=list)
    statistics: Statistics | None = None
    indexed: int = 0  # messages in the chunks' indexes
    unindexed: int = 0  # chunks without index


def find_summary(file: RandomFile) -> int:
    """Offset of the summary; 0 if the file has none, -1 if it does not end as an MCAP file does."""
    if file.size < _TAIL + len(MAGIC):
        return -1
    tail = file.read(file.size - _TAIL, _TAIL)
    if not tail.endswith(MAGIC) or RECORD.unpack_from(tail) != (Opcode.FOOTER, FOOTER.size):
        return -1
    return FOOTER.unpack_from(tail, RECORD.size)[0]


def read_summary(file: RandomFile) -> McapIndex | None:
    """The index of a file, None if its summary is missing, damaged, or leaves out some of the messages."""
    start = find_summary(file)
    if not len(MAGIC) <= start <= file.size - _TAIL or file.size - start > LARGEST_SUMMARY:
        return None
    content = file.read(start, file.size - _TAIL - start)
    try:
        summary = _parse(content, start)
    except Exception:  # the library and damaged bytes: struct, Unicode and its own errors
        return None
    if not _is_complete(summary) or _overlap(summary.chunks) or not _leads_to_chunks(file, summary.chunks):
        return None
    chunks = sorted(summary.chunks, key=lambda chunk: (chunk.start, chunk.offset))
    counts = _counts(summary, content)
    start_ns, end_ns = _span(summary)
    return McapIndex(summary.channels, summary.schemas, chunks, content, counts, start_ns=start_ns, end_ns=end_ns)


def _parse(content: bytes, limit: int) -> _Summary:
    """limit: offset of the summary, where the chunks end."""
    summary, position = _Summary(), 0
    while position < len(content):
        opcode, length = RECORD.unpack_from(content, position)
        position += RECORD.size
        if position + length > len(content):
            raise EOFError
        if opcode == Opcode.CHUNK_INDEX:
            _add_chunk(summary, content, position, limit)
        elif opcode in (Opcode.SCHEMA, Opcode.CHANNEL, Opcode.STATISTICS):
            record = ReadDataStream(BytesIO(content[position : position + length]))
            if opcode == Opcode.SCHEMA:
                schema = Schema.read(record)
                summary.schemas[schema.id] = schema
            elif opcode == Opcode.CHANNEL:
                channel = Channel.read(record)
                summary.channels[channel.id] = channel
            else:
                summary.statistics = Statistics.read(record)
        position += length
    return summary


def _add_chunk(summary: _Summary, content: bytes, position: int, limit: int) -> None:
    start, end, offset, length, offsets_length = _CHUNK_BEGIN.unpack_from(content, position)
    begin = position + _CHUNK_BEGIN.size
    offsets = begin, begin + offsets_length
    index_length, name_length = _CHUNK_MIDDLE.unpack_from(content, offsets[1])
    name_at = offsets[1] + _CHUNK_MIDDLE.size
    compression = content[name_at : name_at + name_length].decode()
    data_size, size = _CHUNK_END.unpack_from(content, name_at + name_length)
    if offset + length + index_length > limit or offsets_length % INDEX_OFFSET.size:
        raise EOFError
    indexed = (index_length - offsets_length // INDEX_OFFSET.size * _INDEX_OVERHEAD) // _INDEX_ENTRY
    summary.indexed += indexed
    if offsets_length == 0:
        if start == end == 0 or start > end:  # a chunk without messages
            return
        summary.unindexed += 1
    if start == end == 0:  # some writers do not state times
        end = FOREVER
    summary.chunks.append(ChunkEntry(start, end, offset, length, offsets, compression, data_size=data_size, size=size))


def _is_complete(summary: _Summary) -> bool:
    """Whether the summary leads to every message. Writers may leave out any kind of its records."""
    statistics = summary.statistics
    if statistics is None:
        has_times = all(chunk.end != FOREVER for chunk in summary.chunks)
        return bool(summary.chunks and summary.channels and not summary.unindexed and has_times)
    if statistics.message_count == 0:
        return not summary.chunks
    if not summary.channels or len(summary.channels) < statistics.channel_count:
        return False
    if any(c.schema_id and c.schema_id not in summary.schemas for c in summary.channels.values()):
        return False
    if summary.unindexed:
        has_counts = sum(statistics.channel_message_counts.values()) == statistics.message_count
        has_room = statistics.message_count * _SMALLEST_MESSAGE <= sum(chunk.size for chunk in summary.chunks)
        return has_counts and has_room and statistics.chunk_count == len(summary.chunks)
    return summary.indexed == statistics.message_count


def _overlap(chunks: list[ChunkEntry]) -> bool:
    """Whether two entries lead to the same bytes: one chunk would be read many times."""
    ordered = sorted(chunks, key=lambda chunk: chunk.offset)
    return any(first.offset + first.length > second.offset for first, second in zip(ordered, ordered[1:]))


def _leads_to_chunks(file: RandomFile, chunks: list[ChunkEntry]) -> bool:
    """Whether the first and the last chunk are where the summary says: not if bytes were cut out of the file."""
    ends = [(chunk, file.read(chunk.offset, RECORD.size)) for chunk in (*chunks[:1], *chunks[-1:])]
    return all(RECORD.unpack(begin) == (Opcode.CHUNK, chunk.length - RECORD.size) for chunk, begin in ends)


def _counts(summary: _Summary, content: bytes) -> dict[int, int]:
    statistics = summary.statistics
    if statistics is not None and sum(statistics.channel_message_counts.values()) == statistics.message_count:
        return statistics.channel_message_counts
    counts: dict[int, int] = {}
    for chunk in summary.chunks:
        found = sorted((at, channel) for channel, at in INDEX_OFFSET.iter_unpack(content[slice(*chunk.offsets)]))
        if not found:
            continue
        total = chunk.offset + chunk.length
        index_length = _CHUNK_MIDDLE.unpack_from(content, chunk.offsets[1])[0]
        ends = [at for at, _ in found[1:]] + [total + index_length]
        for (at, channel), end in zip(found, ends):
            counts[channel] = counts.get(channel, 0) + max(0, end - at - _INDEX_OVERHEAD) // _INDEX_ENTRY
    return counts


def _span(summary: _Summary) -> tuple[int | None, int | None]:
    stated = [chunk for chunk in summary.chunks if chunk.end != FOREVER]
    if stated and len(stated) == len(summary.chunks):
        return min(chunk.start for chunk in stated), max(chunk.end for chunk in stated)
    statistics = summary.statistics
    if statistics is None or not statistics.message_count:
        return None, None
    return statistics.message_start_time, statistics.message_end_time
