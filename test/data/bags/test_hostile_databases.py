# SPDX-License-Identifier: Apache-2.0
"""Databases that are not rosbag2's, with values of other kinds, views, endless rows and journals of nonsense."""

import sqlite3
import struct

import pytest
import zstandard
from small_storage import cdr, numbers, write_bag

from monodepth_ros.data.bags import types
from monodepth_ros.data.bags.recording import Recording, RecordingError
from monodepth_ros.data.bags.storage import sqlite_file
from monodepth_ros.data.bags.storage.sqlite_journal import journal_pages


def lost(path, topic="/numbers"):
    with Recording(path) as recording:
        found = list(recording.messages([topic]))
        return len(found), dict(recording.lost(topic))


def test_a_packed_message_beyond_the_limit_is_left_out_and_counted(tmp_path, monkeypatch):
    path = write_bag(tmp_path / "bag", range(3), storage="sqlite3")
    (file,) = path.glob("*.db3")
    with sqlite3.connect(file) as database:
        database.execute("UPDATE messages SET data = ? WHERE rowid = 2", (zstandard.compress(cdr("1" * 5000)),))
    assert lost(path) == (3, {})
    monkeypatch.setattr(types, "LARGEST_OTHER_MESSAGE", 4000)
    assert lost(path) == (2, {"a damaged message: a message has more than 0 MB": 1})


@pytest.mark.parametrize("value", ["text", 5, 1.5])
def test_a_message_that_is_no_bytes_is_left_out_and_counted(tmp_path, value):
    path = write_bag(tmp_path / "bag", range(3), storage="sqlite3")
    (file,) = path.glob("*.db3")
    with sqlite3.connect(file) as database:
        database.execute("UPDATE messages SET data = ? WHERE rowid = 2", (value,))
    assert lost(path) == (2, {"a damaged message: a message holds no bytes": 1})


@pytest.mark.parametrize(
    "change, words",
    [
        ("UPDATE messages SET timestamp = 'noon' WHERE rowid = 2", "its times are no whole numbers"),
        ("UPDATE topics SET name = x'00ff'", "its topics have no names and types"),
        ("UPDATE topics SET type = x'00'", "its topics have no names and types"),
        ("ALTER TABLE messages RENAME TO m; CREATE VIEW messages AS SELECT * FROM m", "lacks the tables of rosbag2"),
        ("ALTER TABLE topics RENAME TO t; CREATE VIEW topics AS SELECT * FROM t", "lacks the tables of rosbag2"),
        (
            "DROP TABLE messages; CREATE VIRTUAL TABLE messages USING fts5(topic_id, timestamp, data)",
            "lacks the tables",
        ),
        (
            "DROP TABLE messages; CREATE TABLE messages(id INTEGER PRIMARY KEY, topic_id INTEGER, timestamp INTEGER,"
            " data BLOB GENERATED ALWAYS AS (x'00'))",
            "lacks the tables",
        ),
    ],
)
def test_a_database_that_is_not_rosbag2s_is_refused_in_one_line(tmp_path, change, words):
    path = write_bag(tmp_path / "a.db3", range(3))
    with sqlite3.connect(path) as database:
        try:
            database.executescript(change)
        except sqlite3.OperationalError as error:
            pytest.skip(f"this sqlite3 cannot: {error}")
    with pytest.raises(RecordingError, match=words), Recording(path) as recording:
        recording.first("/numbers")


def test_a_statement_without_an_end_is_ended(tmp_path, monkeypatch):
    path = write_bag(tmp_path / "a.db3", range(50))
    monkeypatch.setattr(sqlite_file, "_STEPS", 10)
    monkeypatch.setattr(sqlite_file, "STEPS_PER_BYTE", 0)
    with pytest.raises(RecordingError, match="cannot be read as a recording: interrupted|is damaged: interrupted"):
        numbers(path)


@pytest.mark.parametrize("page_size", [0, 512 + 1, 2**17, 2**31])
def test_a_journal_with_an_impossible_page_size_is_left_alone(tmp_path, page_size):
    path = write_bag(tmp_path / "a.db3", range(3))
    header = struct.pack(">8I", 0x377F0682, 3007000, page_size, 0, 1, 2, 3, 4)
    path.with_name("a.db3-wal").write_bytes(header + bytes(1000))
    assert journal_pages(path) is None and numbers(path) == [0, 1, 2]
    path.with_name("a.db3-wal").unlink()
    rollback = b"\xd9\xd5\x05\xf9\x20\xa1\x63\xd7" + struct.pack(">5I", 2**32 - 1, 1, 5, 512, page_size)
    path.with_name("a.db3-journal").write_bytes(rollback + bytes(5000))
    assert journal_pages(path) is None and numbers(path) == [0, 1, 2]
