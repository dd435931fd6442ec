# SPDX-License-Identifier: Apache-2.0
"""What a sqlite3 journal beside a database says of its pages, after the recorder was killed.

The layouts are those of sqlite.org/fileformat2.html, sections 3 (rollback journal) and 4 (write-ahead log).
"""

import os
import struct
from dataclasses import dataclass
from pathlib import Path

import numpy as np

WAL_SUFFIX, JOURNAL_SUFFIX = "-wal", "-journal"
_WAL_MAGIC = 0x377F0682  # the last bit: checksums of big-endian words
_WAL_HEADER = struct.Struct(">8I")  # magic, version, page size, sequence, two salts, two checksums
_FRAME = struct.Struct(">6I")  # page number, pages after a commit or 0, two salts, two checksums
_JOURNAL_MAGIC = b"\xd9\xd5\x05\xf9\x20\xa1\x63\xd7"
_JOURNAL_HEADER = struct.Struct(">5I")  # records, nonce, pages before the transaction, sector size, page size
_UNTIL_THE_END = 0xFFFFFFFF
_BLOCK = 256  # frames checked at once


@dataclass(frozen=True)
class JournalPages:
    """Pages of a database that are in its journal. offsets: in the journal [bytes], by page number from 1.

    page_count: of the database with them. page_size: [bytes].
    """

    path: Path
    page_size: int
    page_count: int
    offsets: dict[int, int]


def journal_pages(database: Path) -> JournalPages | None:
    """The pages of a database that are in a journal beside it; None if there is none that counts."""
    database = Path(os.path.realpath(database))  # as sqlite3 looks for it
    wal = database.with_name(database.name + WAL_SUFFIX)
    journal = database.with_name(database.name + JOURNAL_SUFFIX)
    found = _write_ahead(wal) if wal.is_file() else None
    if found is None and journal.is_file():
        found = _rollback(journal)
    # A page that is neither in the database nor in its journal cannot be.
    known = database.stat().st_size // found.page_size + len(found.offsets) if found is not None else 0
    return found if found is not None and found.page_count <= known else None


def _is_page_size(size: int) -> bool:
    return 512 <= size <= 65536 and size & (size - 1) == 0


def _write_ahead(path: Path) -> JournalPages | None:
    """The newest committed version of every page in a write-ahead log."""
    with path.open("rb") as file:
        header = file.read(_WAL_HEADER.size)
        if len(header) < _WAL_HEADER.size:
            return None
        magic, _, page_size, _, *salts, first, second = _WAL_HEADER.unpack(header)
        if magic & ~1 != _WAL_MAGIC or not _is_page_size(page_size):
            return None
        order = ">u4" if magic & 1 else "<u4"
        state = _Checksum(order, page_size)
        if state.header(header[:24]) != (first, second):
            return None
        frame_size = _FRAME.size + page_size
        offsets: dict[int, int] = {}
        uncommitted: dict[int, int] = {}
        page_count, at = 0, _WAL_HEADER.size
        while block := file.read(frame_size * _BLOCK):
            count = len(block) // frame_size
            frames = [_FRAME.unpack_from(block, i * frame_size) for i in range(count)]
            valid = state.valid_frames(block[: count * frame_size], frames, tuple(salts))
            for page, commit, *_ in frames[:valid]:
                uncommitted[page] = at + _FRAME.size
                at += frame_size
                if commit:
                    offsets.update(uncommitted)
                    uncommitted.clear()
                    page_count = commit
            if valid < _BLOCK:
                break
    return JournalPages(path, page_size, page_count, offsets) if page_count else None


def _rollback(path: Path) -> JournalPages | None:
    """The pages as they were before the transaction that was not finished."""
    with path.open("rb") as file:
        size = path.stat().st_size
        offsets: dict[int, int] = {}
        first = None
        at = 0
        while True:
            file.seek(at)
            header = file.read(8 + _JOURNAL_HEADER.size)
            if len(header) < 8 + _JOURNAL_HEADER.size or not header.startswith(_JOURNAL_MAGIC):
                break
            records, nonce, pages, sector, page_size = _JOURNAL_HEADER.unpack_from(header, 8)
            if not _is_page_size(page_size):
                break
            first = first or (page_size, pages)
            at += max(sector, 512)
            whole = (size - at) // (page_size + 8)
            count = whole if records == _UNTIL_THE_END else min(records, whole)
            for _ in range(count):
                file.seek(at)
                record = file.read(page_size + 8)
                page = int.from_bytes(record[:4], "big")
                content = record[4:-4]
                if (nonce + sum(content[page_size - 200 : 0 : -200])) & 0xFFFFFFFF != int.from_bytes(
                    record[-4:], "big"
                ):
                    return JournalPages(path, *first, offsets)
                offsets.setdefault(page, at + 4)
                at += page_size + 8
            if records in (0, _UNTIL_THE_END):
                break
            at = -(-at // max(sector, 512)) * max(sector, 512)
    return JournalPages(path, *first, offsets) if first else None


class _Checksum:
    """The running checksum of a write-ahead log: s0 += x0 + s1, s1 += x1 + s0 for every two words, modulo 2^32.

    That is linear, so that each frame's share is a product of its words with constant weights.
    """

    def __init__(self, order: str, page_size: int) -> None:
        self._order = order
        pairs = (8 + page_size) // 8
        matrix = np.array([[1, 1], [1, 2]], np.uint64)
        power: np.ndarray = np.eye(2, dtype=np.uint64)
        weights = np.empty((pairs, 2, 2), np.uint64)
        for i in range(pairs - 1, -1, -1):
            weights[i] = power @ np.array([[1, 0], [1, 1]], np.uint64) & 0xFFFFFFFF
            power = power @ matrix & 0xFFFFFFFF
        self._weights = weights.transpose(0, 2, 1).reshape(2 * pairs, 2).astype(np.uint32)
        self._power = power
        self._state: np.ndarray = np.zeros(2, np.uint64)

    def header(self, data: bytes) -> tuple[int, int]:
        """Checksum of the log's header, which the frames continue."""
        s0 = s1 = 0
        words = np.frombuffer(data, self._order).tolist()
        for x0, x1 in zip(words[::2], words[1::2]):
            s0 = (s0 + x0 + s1) & 0xFFFFFFFF
            s1 = (s1 + x1 + s0) & 0xFFFFFFFF
        self._state = np.array([s0, s1], np.uint64)
        return s0, s1

    def valid_frames(self, block: bytes, frames: list[tuple[int, ...]], salts: tuple[int, ...]) -> int:
        """How many of the frames continue the log."""
        if not frames:
            return 0
        words = np.frombuffer(block, self._order).reshape(len(frames), -1).astype(np.uint32)
        checked = np.concatenate([words[:, :2], words[:, _FRAME.size // 4 :]], axis=1)
        shares = np.einsum("fw,wk->fk", checked, self._weights, dtype=np.uint32, casting="unsafe")
        for number, (frame, share) in enumerate(zip(frames, shares.astype(np.uint64))):
            self._state = (self._power @ self._state + share) & 0xFFFFFFFF
            if frame[2:4] != salts or frame[4:6] != tuple(self._state.tolist()) or not frame[0]:
                return number
        return len(frames)
