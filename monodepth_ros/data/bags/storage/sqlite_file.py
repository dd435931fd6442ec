# SPDX-License-Identifier: Apache-2.0
"""sqlite3 files of rosbag2, of every version of its schema, with the journal of a killed recorder."""

import importlib
import os
import sqlite3
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import numpy as np
from rosbags.interfaces import MessageDefinition

from monodepth_ros.data.bags.recording_error import EXPECTED, RecordingError
from monodepth_ros.data.bags.storage.mcap_topics import CDR_FORMATS
from monodepth_ros.data.bags.storage.sqlite_journal import JournalPages, journal_pages
from monodepth_ros.data.bags.storage.stored_file import (
    NO_DEFINITION,
    StoredMessage,
    StoredTopic,
    is_transient_local,
)
from monodepth_ros.data.bags.types import normalize_type
from monodepth_ros.errors import one_line

_STEPS = 100_000  # of sqlite3's machine, between two looks at its patience
STEPS_PER_BYTE = 50  # of the file; a row has ten bytes and more, and takes some ten steps


class SqliteFile:
    """A .db3 file as a StoredFile. Nothing is written, neither to the file nor beside it. Raises RecordingError."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.notes: list[str] = []
        self.foreign: dict[str, str] = {}
        self.lost: dict[tuple[str, int], int] = {}
        self.encounters = 0
        self._database: Any = None
        self._patience = _Patience(0)
        self._times: tuple[np.ndarray, np.ndarray, np.ndarray] | None = None
        try:
            self._database = self._open()
            self._read_contents()
        except RecordingError:
            self.close()
            raise
        except Exception as error:  # two libraries' errors, and those of damaged journals
            self.close()
            raise RecordingError(_failure(path, one_line(error))) from error

    def close(self) -> None:
        """Close the file; may be called twice."""
        if self._database is not None:
            self._database.close()
            self._database = None

    def messages(
        self, ids: Collection[int], start_ns: int | None = None, stop_ns: int | None = None
    ) -> Iterator[StoredMessage]:
        """Messages by their receive times."""
        spans = [self._spans[topic] for topic in ids if topic in self._spans]
        if not spans:
            return iter(())
        # Within the times of these topics: the first message of a topic that begins late is found at once.
        start = max(min(first for first, _ in spans), -(2**63) if start_ns is None else start_ns)
        stop = min(max(last for _, last in spans) + 1, 2**63 - 1 if stop_ns is None else stop_ns)
        if start >= stop:
            return iter(())
        if not self._is_indexed:
            return self._by_sorted_times(ids, start, stop)
        # Not by parameters, of which there may be no more than a thousand.
        numbers = ",".join(str(int(topic)) for topic in ids)
        return self._rows(
            f"SELECT timestamp, topic_id, data FROM messages WHERE timestamp >= ? AND timestamp < ? "
            f"AND +topic_id IN ({numbers}) ORDER BY timestamp, rowid",
            (start, stop),
        )

    def _by_sorted_times(self, ids: Collection[int], start: int, stop: int) -> Iterator[StoredMessage]:
        """For databases without an index of the times: letting sqlite3 sort would copy all images."""
        if self._times is None:
            rows = self._rows("SELECT timestamp, topic_id, rowid FROM messages")
            table = np.array([tuple(row) for row in rows], np.int64).reshape(-1, 3)
            table = table[np.lexsort((table[:, 2], table[:, 0]))]
            self._times = table[:, 0].copy(), table[:, 1].copy(), table[:, 2].copy()
        times, topics, numbers = self._times
        first, last = np.searchsorted(times, [start, stop])
        for place in first + np.flatnonzero(np.isin(topics[first:last], list(ids))):
            row = self._rows("SELECT data FROM messages WHERE rowid = ?", (int(numbers[place]),))
            yield int(times[place]), int(topics[place]), next(iter(row))[0]

    def _rows(self, statement: str, values: tuple[Any, ...] = ()) -> Any:
        self._patience.renew()
        return self._database.execute(statement, values)

    def _open(self) -> Any:
        pages = journal_pages(self.path)
        if pages is None:
            if self.path.stat().st_size == 0:
                raise RecordingError(f"{self.path} is empty (0 bytes): {EXPECTED}")
            # Immutable: no locks, so that a read-only disk will do, and no files beside the recording.
            place = f"file:{quote(os.fsencode(self.path))}?mode=ro&immutable=1"
            database = sqlite3.connect(place, uri=True, check_same_thread=False)
            database.text_factory = _text
            self._patience = _Patience(self.path.stat().st_size)
            database.set_progress_handler(self._patience, _STEPS)
            return database
        self.notes.append(
            f"{pages.path.name} has messages that its recorder, killed before, had not moved into "
            f"{self.path.name}: they are read as well"
            if pages.path.name.endswith("-wal")
            else f"{pages.path.name} is from a recorder that was killed: what it had not finished is left out"
        )
        database = _open_with_journal(self.path, pages)
        self._patience = _Patience(pages.page_count * pages.page_size)
        database.set_progress_handler(self._patience, _STEPS)
        return database

    def _read_contents(self) -> None:
        columns = self._columns("topics")
        if not {"id", "name", "type"} <= columns or not {"topic_id", "timestamp", "data"} <= self._columns("messages"):
            raise RecordingError(f"{self.path} cannot be read as a recording: it lacks the tables of rosbag2")
        counts: dict[int, int] = {}
        self._spans: dict[int, tuple[int, int]] = {}
        for topic, count, first, last in self._rows(
            "SELECT topic_id, COUNT(*), MIN(timestamp), MAX(timestamp) FROM messages GROUP BY topic_id"
        ):
            if not isinstance(first, int) or not isinstance(last, int):
                raise RecordingError(f"{self.path} cannot be read as a recording: its times are no whole numbers")
            counts[topic], self._spans[topic] = count, (first, last)
        self.start_ns = min((first for first, _ in self._spans.values()), default=None)
        self.end_ns = max((last for _, last in self._spans.values()), default=None)
        definitions = self._definitions()
        optional = [name if name in columns else "NULL" for name in ("serialization_format", "offered_qos_profiles")]
        self.topics: list[StoredTopic] = []
        for topic, name, kind, encoding, profiles in self._rows(
            f"SELECT id, name, type, {', '.join(optional)} FROM topics ORDER BY id"
        ):
            if not (isinstance(topic, int) and isinstance(name, str) and isinstance(kind, str)):
                raise RecordingError(f"{self.path} cannot be read as a recording: its topics have no names and types")
            if encoding not in ("cdr", "", None):
                self.foreign[name] = f"{encoding} {kind}"
                continue
            latched = None if profiles is None else is_transient_local(profiles)
            definition = definitions.get(kind, NO_DEFINITION)
            count = counts.get(topic, 0)
            self.topics.append(StoredTopic(topic, name, normalize_type(kind), count, definition, latched))
        plan = self._rows("EXPLAIN QUERY PLAN SELECT data FROM messages WHERE timestamp >= 0 ORDER BY timestamp, rowid")
        self._is_indexed = not any("TEMP B-TREE" in str(row[-1]) for row in plan)

    def _columns(self, table: str) -> set[str]:
        """Names of a table's columns; none for a view or a virtual table, which may compute anything at length."""
        kept = self._rows(
            "SELECT COUNT(*) FROM sqlite_master WHERE type = 'table' AND name = ? AND rootpage > 0", (table,)
        )
        if not next(iter(kept))[0]:
            return set()
        return {row[1] for row in self._rows(f"PRAGMA table_info({table})")}

    def _definitions(self) -> dict[str, MessageDefinition]:
        """Stored definitions by type; recorders before iron wrote none."""
        if not {"topic_type", "encoding", "encoded_message_definition"} <= self._columns("message_definitions"):
            return {}
        rows = self._rows("SELECT topic_type, encoding, encoded_message_definition FROM message_definitions")
        return {
            kind: MessageDefinition(CDR_FORMATS[encoding], text)
            for kind, encoding, text in rows
            if isinstance(encoding, str) and encoding in CDR_FORMATS and isinstance(text, str) and text
        }


class _Patience:
    """Ends a statement that takes more steps than the rows of a file of this size [bytes] can need.

    Pages that lead to one another can make the rows of a damaged database endless. sqlite3 calls it after every _STEPS.
    """

    def __init__(self, size: int) -> None:
        self._most = 100 + STEPS_PER_BYTE * size // _STEPS
        self._left = self._most

    def renew(self) -> None:
        """Begin to count again, for another statement."""
        self._left = self._most

    def __call__(self) -> bool:
        """Whether to end the statement."""
        self._left -= 1
        return self._left < 0


def _open_with_journal(path: Path, pages: JournalPages) -> Any:
    try:
        overlay = importlib.import_module("monodepth_ros.data.bags.storage.sqlite_overlay")
    except ImportError as error:
        raise RecordingError(
            f"{pages.path} has messages that are not in {path.name}: open it once with sqlite3, or install apsw"
        ) from error
    return overlay.OverlayDatabase(path, pages)


def _failure(path: Path, reason: str) -> str:
    text = f"{path} cannot be read as a recording: {reason}"
    if "malformed" in reason:
        text += f" (was its recorder killed?); try `sqlite3 {path.name} .recover | sqlite3 whole.db3`"
    return text


def _text(data: bytes) -> str:
    return data.decode(errors="replace")
