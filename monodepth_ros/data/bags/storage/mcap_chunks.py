# SPDX-License-Identifier: Apache-2.0
"""The contents of one chunk of an MCAP file."""

import zlib
from collections.abc import Collection, Iterator
from io import BytesIO
from struct import Struct
from typing import Any

from mcap.data_stream import ReadDataStream
from mcap.opcode import Opcode
from mcap.records import Channel, Schema

from monodepth_ros.data.bags.storage.bounded import PackedError, TooLargeError, uncompress
from monodepth_ros.data.bags.storage.mcap_index import MESSAGE, RECORD, ChunkEntry, McapIndex
from monodepth_ros.data.bags.storage.random_file import RandomFile
from monodepth_ros.errors import one_line
from monodepth_ros.limits import LARGEST_CHUNK

MESSAGE_BEGIN = RECORD.size + MESSAGE.size
_CHECKSUM = Struct("<I")
_CHECKSUM_AT = RECORD.size + 24
_INDEX_BEGIN = Struct("<HI")  # channel, length of the entries
_INDEX_ENTRY = Struct("<QQ")  # log time, offset in the chunk

Place = tuple[int, int, int]
"""Log time [ns], channel, offset of the message's record in the chunk [bytes]."""


class DamagedError(Exception):
    """A chunk or message whose bytes are not what they must be."""


def read_chunk(file: RandomFile, chunk: ChunkEntry) -> bytes:
    """The uncompressed content of a chunk. Raises DamagedError, also for one larger than LARGEST_CHUNK."""
    if max(chunk.size, chunk.data_size) > LARGEST_CHUNK:
        raise DamagedError(f"it has more than {LARGEST_CHUNK / 1e6:.0f} MB")
    try:
        begin = file.read(chunk.offset, _CHECKSUM_AT + _CHECKSUM.size)
        data = file.read(chunk.data_offset, chunk.data_size)
    except (EOFError, OSError) as error:
        raise DamagedError(one_line(error)) from error
    if RECORD.unpack_from(begin) != (Opcode.CHUNK, chunk.length - RECORD.size):
        raise DamagedError("its record does not begin there")
    try:
        data = uncompress(data, chunk.compression, chunk.size)
    except (TooLargeError, PackedError) as error:
        raise DamagedError(one_line(error)) from error
    if len(data) != chunk.size:
        raise DamagedError(f"it holds {len(data)} bytes instead of {chunk.size}")
    (checksum,) = _CHECKSUM.unpack_from(begin, _CHECKSUM_AT)
    if checksum and checksum != zlib.crc32(data):
        raise DamagedError("its checksum does not match")
    return data


def places_in_index(
    file: RandomFile, index: McapIndex, chunk: ChunkEntry, channels: Collection[int]
) -> list[Place] | None:
    """Places of the channels' messages by the chunk's message indexes, by time; None if those are damaged."""
    places: list[Place] = []
    try:
        for channel, offset in index.index_offsets(chunk):
            if channel not in channels:
                continue
            begin = file.read(offset, RECORD.size + _INDEX_BEGIN.size)
            opcode, length = RECORD.unpack_from(begin)
            of, entries = _INDEX_BEGIN.unpack_from(begin, RECORD.size)
            if (opcode, of) != (Opcode.MESSAGE_INDEX, channel) or entries > length or entries % _INDEX_ENTRY.size:
                return None
            found = _INDEX_ENTRY.iter_unpack(file.read(offset + len(begin), entries))
            places += [(time, channel, at) for time, at in found]
    except EOFError:
        return None
    if len({at for _, _, at in places}) < len(places):  # one message can only be there once
        return None
    places.sort(key=_by_place)
    return places


def places_in_data(data: bytes, channels: Collection[int] | None) -> list[Place]:
    """Places of the channels' messages (None: all channels) in a chunk's content, by time. Raises DamagedError."""
    places = [
        (MESSAGE.unpack_from(data, at + RECORD.size)[2], channel, at)
        for opcode, at, channel in _records(data)
        if opcode == Opcode.MESSAGE and (channels is None or channel in channels)
    ]
    places.sort(key=_by_place)
    return places


def definitions_in_data(data: bytes) -> Iterator[Schema | Channel]:
    """The schemas and channels in a chunk's content. Raises DamagedError."""
    for opcode, at, _ in _records(data):
        if opcode in (Opcode.SCHEMA, Opcode.CHANNEL):
            yield read_definition(opcode, data[at + RECORD.size : at + RECORD.size + RECORD.unpack_from(data, at)[1]])


def read_definition(opcode: int, content: bytes) -> Schema | Channel:
    """A schema or channel from the content of its record. Raises DamagedError."""
    kind: Any = Schema if opcode == Opcode.SCHEMA else Channel
    try:
        return kind.read(ReadDataStream(BytesIO(content)))
    except Exception as error:  # struct, Unicode and the library's errors
        raise DamagedError(f"a {kind.__name__.lower()} record cannot be read") from error


def message_span(data: bytes, place: Place) -> slice:
    """Where the message at a place in a chunk's content is. Raises DamagedError if there is another one or none."""
    begin = place[2] + MESSAGE_BEGIN
    end = begin + message_length(data[place[2] : begin], place)
    if end > len(data):
        raise DamagedError("a message goes beyond the end of its chunk")
    return slice(begin, end)


def message_length(begin: bytes, place: Place) -> int:
    """Length of a message [bytes] by the beginning of its record. Raises DamagedError if it is another record."""
    if len(begin) == MESSAGE_BEGIN:
        opcode, length = RECORD.unpack_from(begin)
        channel, _, time, _ = MESSAGE.unpack_from(begin, RECORD.size)
        if (opcode, channel, time) == (Opcode.MESSAGE, place[1], place[0]) and length >= MESSAGE.size:
            return length - MESSAGE.size
    raise DamagedError("the message index leads elsewhere")


def _records(data: bytes) -> Iterator[tuple[int, int, int]]:
    """Opcode, offset, and the first two bytes as a number (a message's channel) of the records of a chunk."""
    position, end = 0, len(data)
    read = Struct("<BQH").unpack_from
    while position + RECORD.size + 2 <= end:
        opcode, length, channel = read(data, position)
        following = position + RECORD.size + length
        if not opcode or following > end or (opcode == Opcode.MESSAGE and length < MESSAGE.size):
            raise DamagedError("a record of it is damaged")
        yield opcode, position, channel
        position = following


def _by_place(place: Place) -> tuple[int, int]:
    return place[0], place[2]
