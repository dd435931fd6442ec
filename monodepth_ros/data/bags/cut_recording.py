# SPDX-License-Identifier: Apache-2.0
"""Recordings whose disk became full: closed after the last message that was written whole, so that they can be read.

What `rosbags` writes is complete in steps: an mcap file after each chunk, a sqlite3 file after each commit. `Step`
keeps the state of its writer after one, and `close_cut` returns to the last step whose summary still fits on the disk.
"""

import sqlite3
from collections import defaultdict, deque
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any

from rosbags.rosbag2 import Writer

COMMIT_BYTES = 1 << 20  # of messages between two commits, about a chunk of mcap
MOST_STEPS = 32  # that are kept to return to
NO_MESSAGE = 2**63 - 1, 0  # first and last time


@dataclass(frozen=True)
class Step:
    """The state after a chunk or a commit. size: of the file [bytes]; counts: messages by connection."""

    size: int
    chunks: int
    counts: dict[int, int]
    times: tuple[int, int]


class WholeWrites:
    """An unbuffered file that writes all or raises, so that nothing waits in a buffer when the disk is full."""

    def __init__(self, path: Path):
        self._file = open(path, "r+b", buffering=0)  # noqa: SIM115 - closed by close
        self._file.seek(0, 2)

    def write(self, data: Any) -> int:
        rest = memoryview(data)
        while len(rest):
            rest = rest[self._file.write(rest) :]
        return len(data)

    def tell(self) -> int:
        return self._file.tell()

    def truncate(self, size: int) -> None:
        self._file.truncate(size)
        self._file.seek(size)

    def close(self) -> None:
        self._file.close()


class StepWriter(Writer):
    """The writer of `rosbags`, which can be closed after a failed write with what was complete before."""

    def open(self) -> None:
        super().open()
        self._steps: deque[Step] = deque(maxlen=MOST_STEPS)
        self._waiting = 0
        if self._is_mcap:
            self.storage.bio.close()
            self.storage.bio = WholeWrites(self.storage.path)
        else:
            # It is synchronised when it is complete; until then nobody else reads it.
            self.storage.conn.executescript("PRAGMA synchronous = OFF; PRAGMA journal_mode = MEMORY;")

    def write(self, connection: Any, timestamp: int, data: bytes | memoryview) -> None:
        super().write(connection, timestamp, data)
        self._waiting += len(data)
        if self._is_mcap:
            if not self.storage.chunk.bio.tell():
                self._end_step(self.storage.bio.tell(), len(self.storage.chunks))
        elif self._waiting >= COMMIT_BYTES:
            self.storage.conn.commit()
            self._end_step(0, 0)

    @property
    def _is_mcap(self) -> bool:
        return hasattr(self.storage, "bio")

    def _end_step(self, size: int, chunks: int) -> None:
        self._waiting = 0
        self._steps.append(Step(size, chunks, dict(self.counts), (self.min_timestamp, self.max_timestamp)))

    def close_cut(self) -> int:
        """Close after the last complete step; the number of messages that the file keeps, 0 if there is no file."""
        if self.storage is None:  # all but the metadata.yaml is written
            return sum(self.counts.values())
        while self._steps:
            step = self._steps.pop()
            try:
                self._return_to(step)
                self.close()
            except (OSError, sqlite3.Error):
                # The metadata.yaml alone is missing then, which readers do without.
                if self.storage is not None and self._is_mcap:
                    continue
            return sum(step.counts.values())
        self.abort()
        return 0

    def _return_to(self, step: Step) -> None:
        storage = self.storage
        self.counts = {number: step.counts.get(number, 0) for number in self.counts}
        self.min_timestamp, self.max_timestamp = step.times
        if not self._is_mcap:
            storage.conn.rollback()
            return
        storage.bio.truncate(step.size)
        del storage.chunks[step.chunks :]
        storage.chunk = type(storage.chunk)(*NO_MESSAGE, BytesIO(), defaultdict(list))
        storage.channel_stats = dict(self.counts)
        storage.message_start_time, storage.message_end_time = step.times
