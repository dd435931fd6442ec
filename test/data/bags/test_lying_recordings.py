# SPDX-License-Identifier: Apache-2.0
"""Recordings that claim more than they hold, or lead to themselves or elsewhere, are read within bounds."""

import bz2
import os
import sqlite3
import struct

import lz4.frame
import pytest
import zstandard
from mcap.writer import CompressionType
from rosbags.rosbag1 import Writer
from small_storage import ROS1, START_NS, STRING, TENTH, cdr, mcap, notes, numbers, ros1, write_bag, write_mcap

from monodepth_ros.data.bags import types
from monodepth_ros.data.bags.definitions import parsed
from monodepth_ros.data.bags.recording import Recording, RecordingError
from monodepth_ros.data.bags.storage import mcap_chunks, ros1_file, ros1_unindexed, sqlite_file, unpacked
from monodepth_ros.data.bags.storage.bounded import PackedError, TooLargeError, uncompress
from monodepth_ros.data.bags.storage.sqlite_journal import journal_pages
from monodepth_ros.limits import LATEST_TIME_NS

PACK = {"zstd": zstandard.compress, "lz4": lz4.frame.compress, "bz2": bz2.compress}
CONTENT = b"0123456789" * 300_000


def without_size(data):
    """zstd as a stream, whose header does not state the size."""
    return zstandard.ZstdCompressor(write_content_size=False).compress(data)


@pytest.mark.parametrize("kind, pack", [*PACK.items(), ("zstd", without_size)])
def test_what_bytes_expand_to_ends_at_the_limit(kind, pack):
    packed = pack(CONTENT)
    assert uncompress(packed, kind, len(CONTENT)) == CONTENT
    with pytest.raises(TooLargeError, match="expands to more than 3 MB"):
        uncompress(packed, kind, len(CONTENT) - 1)
    if pack is not without_size:
        with pytest.raises(PackedError):
            uncompress(packed[:-40], kind, len(CONTENT))
    with pytest.raises(PackedError):
        uncompress(b"\0" + packed, kind, len(CONTENT))


def lost(path, topic="/numbers"):
    with Recording(path) as recording:
        found = list(recording.messages([topic]))
        return len(found), dict(recording.lost(topic))


@pytest.mark.parametrize("compression", [CompressionType.ZSTD, CompressionType.LZ4])
def test_a_chunk_of_an_mcap_file_beyond_the_limit_is_left_out(tmp_path, monkeypatch, compression):
    path = tmp_path / "a.mcap"
    with mcap(path, compression=compression, chunk_size=2000) as file:
        for tenth, size in enumerate((1, 5000, 1)):
            file.add("/numbers", tenth, cdr("7" * size))
    monkeypatch.setattr(mcap_chunks, "LARGEST_CHUNK", 4000)
    assert lost(path) == (1, {"damaged parts of a.mcap": 2})


def test_an_mcap_chunk_that_expands_beyond_what_it_states_is_damaged(tmp_path):
    path = write_mcap(tmp_path / "a.mcap", range(6), compression=CompressionType.ZSTD, chunk_size=10_000)
    data = path.read_bytes()
    size = struct.unpack_from("<Q", data, data.index(b"zstd") - 16)[0]
    # The chunk and the index of it, in the summary, both state a byte less.
    path.write_bytes(data.replace(struct.pack("<Q", size), struct.pack("<Q", size - 1)))
    with Recording(path) as recording, pytest.raises(RecordingError, match="is damaged: what was to be read there"):
        list(recording.messages())


def test_an_index_that_names_one_chunk_twice_is_not_followed(tmp_path):
    path = write_mcap(tmp_path / "a.mcap", range(4), chunk_size=60)
    data = path.read_bytes()
    at = struct.unpack_from("<Q", data, len(data) - 28)[0]  # of the summary
    entries = []
    while data[at] != 2:  # the footer
        end = at + 9 + struct.unpack_from("<Q", data, at + 1)[0]
        entries += [slice(at, end)] if data[at] == 8 else []  # a chunk's index
        at = end
    first, second = entries[:2]
    path.write_bytes(data[: second.start] + data[first] + data[second.stop :])
    assert numbers(path) == list(range(4))


@pytest.mark.parametrize("time", [2**64 - 2, 2**63, LATEST_TIME_NS + 1])
def test_a_message_of_an_impossible_time_is_left_out_and_counted(tmp_path, time):
    path = tmp_path / "a.mcap"
    with mcap(path) as file:
        for tenth in range(3):
            file.add("/numbers", tenth, cdr(tenth))
        file._writer.add_message(file._channels["/numbers"], time, cdr(9), time)
    assert numbers(path) == [0, 1, 2]
    assert lost(path) == (3, {"a damaged message: its receive time is not within 1970 to 2199": 1})
    with Recording(path) as recording:
        assert recording.start_ns == START_NS and recording.end_ns == LATEST_TIME_NS


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
        ("DROP TABLE messages; CREATE VIRTUAL TABLE messages USING fts5(topic_id, timestamp, data)", "lacks the tables"),
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


def write_ros1(path, count=20, compression=""):
    with Writer(path) as bag:
        if compression:
            bag.compression_format, bag.compressor = compression, PACK[compression]
        connection = bag.add_connection("/numbers", STRING, typestore=ROS1)
        for tenth in range(count):
            bag.write(connection, START_NS + tenth * TENTH, ros1("5" * 100))
    return path


@pytest.mark.parametrize("compression", ["lz4", "bz2"])
def test_a_chunk_of_a_ros1_bag_beyond_the_limit_is_not_read(tmp_path, monkeypatch, compression):
    path = write_ros1(tmp_path / "a.bag", compression=compression)
    assert len(numbers(path)) == 20
    monkeypatch.setattr(ros1_file, "LARGEST_CHUNK", 1000)
    with pytest.raises(RecordingError, match="expands to more than"):
        numbers(path)
    monkeypatch.setattr(ros1_unindexed, "LARGEST_CHUNK", 1000)
    data = path.read_bytes()
    at = data.index(b"index_pos=") + 10
    end = int.from_bytes(data[at : at + 8], "little")
    path.with_name("b.bag").write_bytes(data[:at] + bytes(8) + data[at + 8 : end])
    with pytest.raises(RecordingError, match="has no whole message"):
        numbers(path.with_name("b.bag"))


def test_an_index_of_a_ros1_bag_that_names_one_chunk_again_and_again_is_refused(tmp_path):
    path = write_ros1(tmp_path / "a.bag", 60)
    data = path.read_bytes()
    at = int.from_bytes(data[data.index(b"index_pos=") + 10 :][:8], "little")
    while b"op=\x06" not in data[at : (body := at + 4 + int.from_bytes(data[at : at + 4], "little"))]:
        at = body + 4 + int.from_bytes(data[body : body + 4], "little")
    count = data.index(b"chunk_count=") + 12
    path.write_bytes(data[:count] + (200).to_bytes(4, "little") + data[count + 4 :] + data[at:] * 199)
    with pytest.raises(RecordingError, match="its index names more messages than the file can hold"):
        numbers(path)


@pytest.mark.parametrize("suffix, pack", [(".zst", zstandard.compress), (".lz4", lz4.frame.compress), (".bz2", bz2.compress)])
def test_a_packed_recording_that_expands_beyond_all_measure_is_refused(tmp_path, monkeypatch, suffix, pack):
    path = tmp_path / f"a.mcap{suffix}"
    path.write_bytes(pack(bytes(3_000_000)))
    monkeypatch.setattr(unpacked, "LARGEST_MESSAGE", 1000)
    monkeypatch.setattr(unpacked, "LARGEST_EXPANSION", 2)
    with pytest.raises(RecordingError, match="expands to more than 2 times its size, as no recording does"):
        Recording(path)


def test_unpacking_leaves_some_of_the_disk_to_others(tmp_path, monkeypatch):
    path = tmp_path / "a.mcap.zst"
    path.write_bytes(zstandard.compress(os.urandom(100_000)))
    usage = unpacked.shutil.disk_usage(tmp_path)
    monkeypatch.setattr(unpacked.shutil, "disk_usage", lambda _: usage._replace(free=100_000))
    with pytest.raises(RecordingError, match="more than the 0 MB that are free there; unpack it with `zstd -d"):
        Recording(path)


HOSTILE = {
    "uint8[] data\n" * 21_000: "characters, more than",
    "".join(f"float64 x{i}\n" for i in range(6000)): "6000 fields, more than 5000",
    "string[4000000000] data\n": "an array of 4000000000 elements, more than 10000",
    "Other[100000000] data\n" + "=" * 80 + "\nMSG: std_msgs/Other\nuint8 x\n": "an array of 100000000 elements",
}


@pytest.mark.parametrize("text, words", HOSTILE.items(), ids=range(len(HOSTILE)))
def test_a_definition_beyond_the_limits_is_not_made_into_code(tmp_path, text, words):
    with pytest.raises(RecordingError, match=words):
        parsed(text, "std_msgs/msg/Some")
    path = tmp_path / "a.mcap"
    with mcap(path) as file:
        file.channel("/numbers", schema=("ros2msg", STRING, text.replace("Other", "Another").encode()))
        file.add("/numbers", 0, cdr(5))
    assert numbers(path) == [5]  # by the type that ROS has under this name


def test_a_shift_in_an_idl_definition_is_not_computed():
    text = "module a { module msg { const unsigned long N = 1 << 3; struct B { octet data; }; }; };"
    with pytest.raises(RecordingError, match="shifts numbers"):
        parsed(text, "a/msg/B", is_idl=True)
    assert parsed(text.replace("1 << 3", "8"), "a/msg/B", is_idl=True)


def test_a_type_that_contains_itself_is_named(tmp_path):
    path = tmp_path / "a.mcap"
    with mcap(path) as file:
        file.channel("/a", schema=("ros2msg", "a_msgs/msg/A", b"A inner\n"))
        file.add("/a", 0, cdr(5))
    with Recording(path) as recording, pytest.raises(RecordingError, match="definition in the recording cannot be"):
        recording.first("/a")


def test_a_known_type_without_its_fields_is_named(tmp_path):
    path = tmp_path / "a.mcap"
    header = "=" * 80 + "\nMSG: std_msgs/Header\nbuiltin_interfaces/Time stamp\nstring frame\n"
    time = "=" * 80 + "\nMSG: builtin_interfaces/Time\nint32 sec\nuint32 nanosec\n"
    with mcap(path) as file:
        text = "std_msgs/Header header\nstring format\nuint8[] data\n" + header + time
        file.channel("/a", schema=("ros2msg", "sensor_msgs/msg/CompressedImage", text.encode()))
        file.add("/a", 0, cdr(5))
    with Recording(path) as recording, pytest.raises(RecordingError, match="lacks the field frame_id of std_msgs"):
        recording.first("/a")


def metadata_of(folder, lines):
    (folder / "metadata.yaml").write_text("rosbag2_bagfile_information:\n" + lines)


def test_metadata_leads_to_no_file_outside_of_the_folder(tmp_path):
    outside = write_mcap(tmp_path / "outside.mcap", [9])
    folder = tmp_path / "bag"
    folder.mkdir()
    write_mcap(folder / "inside.mcap", range(3))
    for name in (str(outside), "../outside.mcap", "inside/../../outside.mcap"):
        metadata_of(folder, f"  relative_file_paths: ['{name}', inside.mcap]\n")
        assert numbers(folder) == [0, 1, 2]
        assert "metadata.yaml lists outside.mcap, missing in" in notes(folder)


@pytest.mark.parametrize(
    "text, words",
    [
        ("a: " + "[" * 300 + "]" * 300, "nested deeper than"),
        ("a: 2024-99-99\nb: &x [*x]\n", "refers to itself"),
        ("rosbag2_bagfile_information: 5\n", "has no rosbag2_bagfile_information"),
        ("\0\x01", "control character"),
    ],
)
def test_metadata_that_cannot_be_used_is_noted(tmp_path, text, words):
    write_mcap(tmp_path / "a.mcap", range(3))
    (tmp_path / "metadata.yaml").write_text(text)
    assert numbers(tmp_path) == [0, 1, 2] and words in notes(tmp_path)


@pytest.mark.parametrize("value", ["5", "-1", "x", "[[1]]", "{a: b}", "~", "1e400", "2024-01-01"])
@pytest.mark.parametrize("key", ["relative_file_paths", "topics_with_message_count", "message_count", "files"])
def test_metadata_of_wrong_kinds_is_left_out(tmp_path, key, value):
    write_mcap(tmp_path / "a.mcap", range(3))
    metadata_of(tmp_path, f"  {key}: {value}\n  topics_with_message_count: [{value}, {{topic_metadata: {value}}}]\n"
                if key != "topics_with_message_count" else f"  {key}: {value}\n")  # fmt: skip
    assert numbers(tmp_path) == [0, 1, 2]


def test_names_that_are_too_long_and_lists_without_end_are_refused_in_words(tmp_path, monkeypatch):
    write_mcap(tmp_path / "a.mcap", range(3))
    metadata_of(tmp_path, f"  relative_file_paths: [{'b' * 300}.mcap, a.mcap]\n")
    assert numbers(tmp_path) == [0, 1, 2]
    monkeypatch.setattr("monodepth_ros.data.bags.folder.MOST_FILES", 1)
    with pytest.raises(RecordingError, match="lists 2 files, more than 1"):
        Recording(tmp_path)
    with pytest.raises(RecordingError, match="does not exist"):
        Recording(tmp_path / ("c" * 300 + ".mcap"))


@pytest.mark.parametrize("name", ["a.mcap", "a.db3", "a.bag", "a.mcap.zst"])
def test_pipes_and_folders_in_place_of_a_recording_are_refused_at_once(tmp_path, name):
    os.mkfifo(tmp_path / name)
    with pytest.raises(RecordingError, match="is no ordinary file but a pipe, socket or device"):
        Recording(tmp_path / name)
    loop = tmp_path / f"loop{name}"
    loop.symlink_to(loop)
    with pytest.raises(RecordingError, match="does not exist"):
        Recording(loop)


@pytest.mark.parametrize("name", [b"caf\xe9.db3", b"caf\xe9.mcap", b"a\x1b[31m.db3", b"50%&.db3"])
def test_a_recording_with_a_name_in_another_encoding_is_read(tmp_path, name):
    path = tmp_path / os.fsdecode(name)
    (write_bag if name.endswith(b"db3") else write_mcap)(path, range(3))
    assert numbers(path) == [0, 1, 2]
    with Recording(path) as recording, pytest.raises(RecordingError) as caught:
        recording.topic("/none")
    assert str(caught.value).isprintable()
