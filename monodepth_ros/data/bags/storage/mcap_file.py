# SPDX-License-Identifier: Apache-2.0
"""MCAP files, with or without chunks, indexes, summary and end."""

import weakref
from collections.abc import Collection, Iterator, Mapping
from functools import partial
from pathlib import Path

import numpy as np

from monodepth_ros.data.bags.recording_error import EXPECTED, RecordingError
from monodepth_ros.data.bags.storage.mcap_chunks import (
    MESSAGE_BEGIN,
    DamagedError,
    Place,
    message_length,
    message_span,
    places_in_data,
    places_in_index,
    read_chunk,
)
from monodepth_ros.data.bags.storage.mcap_index import FOREVER, MAGIC, ChunkEntry, McapIndex
from monodepth_ros.data.bags.storage.mcap_scan import McapScan
from monodepth_ros.data.bags.storage.mcap_summary import read_summary
from monodepth_ros.data.bags.storage.mcap_topics import stored_topics
from monodepth_ros.data.bags.storage.random_file import RandomFile
from monodepth_ros.data.bags.storage.stored_file import StoredMessage
from monodepth_ros.data.bags.storage.time_order import Stream, in_time_order

# An uncompressed chunk up to this size is read at once, which checks it too. Of a larger one only what is asked for is
# read, and for single messages by their times as well: a training asks for those after it has read the recording once.
READ_AT_ONCE = 8 * 2**20
# Message indexes of more topics than this cost more than a look at every message of the chunk.
FEW_TOPICS = 4
_BLOCK = 1024  # messages whose places are unpacked at once

# A source opens its recording several times (images, reference, random access): they share one index.
_indexes: "weakref.WeakValueDictionary[tuple[int, ...], McapIndex]" = weakref.WeakValueDictionary()


class McapFile:
    """An MCAP file as a StoredFile. Safe to read from several threads. Raises RecordingError.

    types: of topics for which the file names none.
    """

    def __init__(self, path: Path, types: Mapping[str, str]) -> None:
        self.path = path
        self._file = RandomFile(path)
        try:
            self._index = _index_of(path, self._file)
            self.topics, self.foreign = stored_topics(self._index, types)
        except BaseException:
            self._file.close()
            raise
        self.start_ns, self.end_ns = self._index.start_ns, self._index.end_ns
        self.notes = list(self._index.notes)
        self.lost: dict[tuple[str, int], int] = {}
        self.encounters = 0
        self._last_chunk: tuple[int, bytes] = -1, b""

    def close(self) -> None:
        """Close the file; may be called twice."""
        self._file.close()
        self._last_chunk = -1, b""

    def messages(
        self, ids: Collection[int], start_ns: int | None = None, stop_ns: int | None = None
    ) -> Iterator[StoredMessage]:
        """Messages by their log times; those in damaged chunks are left out and counted in `lost`."""
        wanted = frozenset(ids)
        start = max(0, start_ns or 0)
        stop = FOREVER if stop_ns is None else min(max(0, stop_ns), FOREVER)
        chunks: Iterator[Stream] = (
            (chunk.start, partial(self._chunk_messages, chunk, wanted, start, stop))
            for chunk in self._index.chunks_with(wanted, start, stop)
        )
        loose = [
            (int(table[0, 0]), partial(self._loose_messages, channel, start, stop))
            for channel, table in self._index.loose.items()
            if channel in wanted
        ]
        if not loose:
            return in_time_order(chunks)
        return in_time_order(sorted([*loose, *chunks], key=lambda stream: stream[0]))

    def _loose_messages(self, channel: int, start: int, stop: int) -> Iterator[StoredMessage]:
        table = self._index.loose[channel]
        first, last = np.searchsorted(table[0], np.array([start, stop], np.uint64))
        for begin in range(first, last, _BLOCK):
            for time, offset, length in table[:, begin : min(last, begin + _BLOCK)].T.tolist():
                yield time, channel, self._file.read(offset, length)

    def _chunk_messages(
        self, chunk: ChunkEntry, channels: frozenset[int], start: int, stop: int
    ) -> Iterator[StoredMessage]:
        done = -1
        try:
            for place, message in self._read(chunk, channels, start, stop):
                done = place[0]
                yield place[0], place[1], message
        except DamagedError:
            self._count_lost(chunk, channels, max(start, done + 1), stop)

    def _read(
        self, chunk: ChunkEntry, channels: frozenset[int], start: int, stop: int
    ) -> Iterator[tuple[Place, bytes]]:
        has_index = chunk.has_index and len(channels) <= FEW_TOPICS
        places = places_in_index(self._file, self._index, chunk, channels) if has_index else None
        is_part = start > chunk.start or stop <= chunk.end
        if places is not None:
            places = [place for place in places if start <= place[0] < stop]
            if not places:
                return
            is_cached = self._last_chunk[0] == chunk.offset
            if not chunk.compression and not is_cached and (is_part or chunk.size > READ_AT_ONCE):
                for place in places:
                    yield place, self._message_in_file(chunk, place)
                return
        data = self._content(chunk)
        for place, span in _spans(data, places) or _spans(data, places_in_data(data, channels)) or ():
            if start <= place[0] < stop:
                yield place, data[span]

    def _content(self, chunk: ChunkEntry) -> bytes:
        """The chunk's content; the last one is kept, because neighbours are read one after the other."""
        offset, data = self._last_chunk
        if offset != chunk.offset:
            data = read_chunk(self._file, chunk)
            self._last_chunk = chunk.offset, data
        return data

    def _message_in_file(self, chunk: ChunkEntry, place: Place) -> bytes:
        at = chunk.data_offset + place[2]
        if place[2] + MESSAGE_BEGIN > chunk.size:
            raise DamagedError("the message index leads elsewhere")
        length = message_length(self._file.read(at, MESSAGE_BEGIN), place)
        if place[2] + MESSAGE_BEGIN + length > chunk.size:
            raise DamagedError("a message goes beyond the end of its chunk")
        return self._file.read(at + MESSAGE_BEGIN, length)

    def _count_lost(self, chunk: ChunkEntry, channels: frozenset[int], start: int, stop: int) -> None:
        self.encounters += 1
        names = {topic.id: topic.name for topic in self.topics if topic.id in channels}
        places = places_in_index(self._file, self._index, chunk, channels) or []
        places = [place for place in places if start <= place[0] < stop]
        counts = dict.fromkeys(names.values(), 0 if places else 1)
        for _, channel, _ in places:
            counts[names[channel]] += 1
        for name, count in counts.items():
            if count:
                self.lost[name, chunk.offset] = count


def _spans(data: bytes, places: list[Place] | None) -> list[tuple[Place, slice]] | None:
    """Where the messages at these places are in a chunk's content; None if it is elsewhere, by a wrong index."""
    try:
        return None if places is None else [(place, message_span(data, place)) for place in places]
    except DamagedError:
        return None


def _index_of(path: Path, file: RandomFile) -> McapIndex:
    if file.size == 0:
        raise RecordingError(f"{path} is empty (0 bytes): {EXPECTED}")
    if file.size < len(MAGIC) or file.read(0, len(MAGIC)) != MAGIC:
        raise RecordingError(
            f"{path} cannot be read as a recording: it does not begin as an MCAP file does; copy or download it again"
        )
    state = path.stat()
    key = state.st_dev, state.st_ino, state.st_size, state.st_mtime_ns
    index = _indexes.get(key)
    if index is None:
        index = read_summary(file) or _scanned(path, file)
        _indexes[key] = index
    return index


def _scanned(path: Path, file: RandomFile) -> McapIndex:
    scan = McapScan(file)
    index = scan.index()
    if scan.has_all:
        index.notes[:] = [f"{path.name}: {note}" for note in index.notes]
        if scan.reason:
            index.notes.append(f"{path.name} lacks the end of its summary, no message is lost")
        return index
    whole = sum(index.counts.values())
    remedy = f"`mcap recover {path.name} -o whole.mcap` writes what is whole"
    if not whole:
        raise RecordingError(f"{path} is truncated (was its recorder killed?): {scan.reason} before the first message")
    lost = f", the last {file.size - scan.end} bytes are lost" if scan.end < file.size else ""
    damaged = "".join(f", {note}" for note in index.notes)
    index.notes[:] = [
        f"{path.name} is truncated (was its recorder killed?): {scan.reason}{lost}{damaged}; "
        f"{whole} messages are read ({remedy})"
    ]
    return index
