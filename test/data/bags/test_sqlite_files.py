# SPDX-License-Identifier: Apache-2.0
"""sqlite3 files of every version, with journals of killed recorders, are read as sqlite3 does, and left as they are."""

import os
import sqlite3
import subprocess
import sys

import pytest
from small_storage import START_NS, STRING, TENTH, cdr, notes, numbers, state, write_bag

from monodepth_ros.data.bags.recording import Recording, RecordingError

SCHEMAS = {
    "2019": "topics(id INTEGER PRIMARY KEY, name TEXT, type TEXT, serialization_format TEXT)",
    "foxy": "topics(id INTEGER PRIMARY KEY, name TEXT, type TEXT, serialization_format TEXT, "
    "offered_qos_profiles TEXT)",
}
MESSAGES = "messages(id INTEGER PRIMARY KEY, topic_id INTEGER, timestamp INTEGER, data BLOB)"


def write_database(path, tenths=range(10), schema="foxy", profiles="", indexed=True):
    """A .db3 as recorders without message definitions write it."""
    with sqlite3.connect(path) as database:
        database.execute(f"CREATE TABLE {SCHEMAS[schema]}")
        database.execute(f"CREATE TABLE {MESSAGES}")
        if indexed:
            database.execute("CREATE INDEX timestamp_idx ON messages (timestamp ASC)")
        topic = (1, "/numbers", STRING, "cdr", profiles)[: 5 if schema == "foxy" else 4]
        database.execute(f"INSERT INTO topics VALUES ({','.join('?' * len(topic))})", topic)
        for tenth in tenths:
            row = 1, START_NS + tenth * TENTH, cdr(tenth)
            database.execute("INSERT INTO messages (topic_id, timestamp, data) VALUES (?, ?, ?)", row)
    database.close()
    return path


def kill_while_writing(path, first, second, setup=(), padding=0):
    """A recorder that commits the messages `first` and `second` and is killed, as its database's settings say."""
    return f"""
import os, sqlite3, sys
sys.path.insert(0, {os.path.dirname(__file__)!r})
from small_storage import START_NS, TENTH, cdr
database = sqlite3.connect({str(path)!r}, isolation_level=None)
for statement in {list(setup)!r}:
    database.execute(statement)
def insert(tenths):
    database.execute("BEGIN")
    for tenth in tenths:
        data = cdr(f"{{tenth}}" + " " * {padding})
        database.execute("INSERT INTO messages (topic_id, timestamp, data) VALUES (1, ?, ?)",
                         (START_NS + tenth * TENTH, data))
insert({list(first)!r})
database.execute("COMMIT")
insert({list(second)!r})
"""


def run_and_die(program):
    subprocess.run([sys.executable, "-c", program + "\nos._exit(9)"])


@pytest.mark.parametrize("schema", SCHEMAS)
@pytest.mark.parametrize("profiles", ["", "- durability: 1", "- {durability: transient_local, new: {}}", "broken: ["])
def test_files_of_earlier_recorders_read_with_any_text_as_qos(tmp_path, schema, profiles):
    path = write_database(tmp_path / "old.db3", schema=schema, profiles=profiles)
    assert numbers(path) == list(range(10))
    with Recording(path) as recording:
        assert recording.topics["/numbers"].latched is (schema == "foxy" and "durability" in profiles)
        assert (recording.start_ns, recording.end_ns) == (START_NS, START_NS + 9 * TENTH)


@pytest.mark.parametrize("indexed", [True, False])
def test_messages_come_in_the_order_of_time_with_and_without_an_index_of_it(tmp_path, indexed):
    path = write_database(tmp_path / "a.db3", [4, 1, 3, 0, 2], indexed=indexed)
    assert numbers(path) == [0, 1, 2, 3, 4]
    with Recording(path) as recording:
        found = list(recording.messages(None, START_NS + TENTH, START_NS + 3 * TENTH))
        assert [recording.deserialize(message).data for message in found] == ["1", "2"]


def test_a_write_ahead_log_is_read_as_sqlite3_does_and_nothing_is_written(tmp_path):
    path = write_database(tmp_path / "killed.db3", range(3))
    setup = ["PRAGMA journal_mode=WAL", "PRAGMA wal_autocheckpoint=0"]
    run_and_die(kill_while_writing(path, range(3, 50), range(50, 60), setup) + "\ndatabase.execute('COMMIT')")
    (tmp_path / "killed.db3-shm").unlink()
    before = state(tmp_path)
    assert (tmp_path / "killed.db3-wal").stat().st_size > 0
    assert numbers(path) == numbers(tmp_path) == list(range(60))
    assert "killed.db3-wal has messages" in notes(path)
    assert state(tmp_path) == before
    with sqlite3.connect(path) as database:  # what sqlite3 itself finds
        assert database.execute("SELECT COUNT(*) FROM messages").fetchone() == (60,)


def test_a_database_that_is_all_in_its_log_and_on_a_read_only_disk(tmp_path):
    path = tmp_path / "killed.db3"
    tables = [f"CREATE TABLE {SCHEMAS['foxy']}", f"CREATE TABLE {MESSAGES}"]
    topic = f"INSERT INTO topics VALUES (1, '/numbers', '{STRING}', 'cdr', '')"
    setup = ["PRAGMA journal_mode=WAL", "PRAGMA wal_autocheckpoint=0", *tables, topic]
    run_and_die(kill_while_writing(path, range(6), range(6, 8), setup))
    (tmp_path / "killed.db3-shm").unlink()
    for file in tmp_path.iterdir():
        file.chmod(0o444)
    tmp_path.chmod(0o555)
    try:
        assert numbers(path) == list(range(6)), "the last transaction was not committed"
    finally:
        tmp_path.chmod(0o755)


def test_frames_of_an_earlier_log_and_torn_ones_do_not_count(tmp_path):
    path = write_database(tmp_path / "killed.db3", range(3))
    setup = ["PRAGMA journal_mode=WAL", "PRAGMA wal_autocheckpoint=0"]
    long_log = kill_while_writing(path, range(3, 40), range(40, 50), setup) + "\ndatabase.execute('COMMIT')"
    restart = "\ndatabase.execute('PRAGMA wal_checkpoint(RESTART)')\ninsert([50])\ndatabase.execute('COMMIT')"
    run_and_die(long_log + restart)
    assert numbers(path) == list(range(51))
    wal = tmp_path / "killed.db3-wal"
    log = bytearray(wal.read_bytes())
    log[32 + 24 + 100] ^= 1  # in the first frame: it and all after it are void
    wal.write_bytes(log)
    assert numbers(path) == list(range(50))


def test_a_rollback_journal_takes_back_what_was_not_finished(tmp_path):
    path = write_database(tmp_path / "killed.db3", range(5))
    setup = ["PRAGMA journal_mode=DELETE", "PRAGMA cache_size=1", "PRAGMA cache_spill=1"]
    run_and_die(kill_while_writing(path, [5], range(6, 200), setup, padding=3000))
    assert (tmp_path / "killed.db3-journal").stat().st_size > 512, "the transaction was not spilt to disk"
    before = state(tmp_path)
    assert numbers(path) == list(range(6))
    assert "killed.db3-journal" in notes(path)
    assert state(tmp_path) == before


def test_an_empty_log_changes_nothing(tmp_path):
    path = write_database(tmp_path / "a.db3")
    (tmp_path / "a.db3-wal").write_bytes(b"")
    (tmp_path / "a.db3-journal").write_bytes(bytes(512))
    assert numbers(path) == list(range(10)) and notes(path) == ""


def test_messages_compressed_one_by_one_need_no_metadata(tmp_path):
    folder = write_bag(tmp_path / "bag", storage="sqlite3", compress=True)
    (folder / "metadata.yaml").unlink()
    assert numbers(folder) == numbers(folder / "bag.db3") == list(range(10))


def test_topics_of_another_serialization_are_left_out(tmp_path):
    path = write_database(tmp_path / "a.db3")
    with sqlite3.connect(path) as database:
        database.execute("INSERT INTO topics VALUES (2, '/events', 'Note', 'protobuf', '')")
        database.execute("INSERT INTO messages VALUES (NULL, 2, ?, ?)", (START_NS, b"\x0a"))
    database.close()
    assert numbers(path) == list(range(10))
    assert "/events (protobuf Note)" in notes(path)


def test_names_that_are_special_in_addresses_are_opened(tmp_path):
    path = write_database(tmp_path / "what?#100%.db3")
    assert numbers(path) == list(range(10))


def test_a_damaged_database_names_the_way_to_recover_it(tmp_path):
    path = write_database(tmp_path / "cut.db3", range(2000))
    path.write_bytes(path.read_bytes()[: 3 * 4096])
    with pytest.raises(RecordingError, match=r"sqlite3 cut\.db3 \.recover \| sqlite3 whole\.db3") as caught:
        Recording(path)
    assert "\n" not in str(caught.value)
