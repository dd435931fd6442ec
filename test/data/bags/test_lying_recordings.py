# SPDX-License-Identifier: Apache-2.0
"""Recordings that claim more than they hold, or lead to themselves, are read within bounds."""

import bz2
import os
import struct

import lz4.frame
import pytest
import zstandard
from mcap.writer import CompressionType
from rosbags.rosbag1 import Writer
from small_storage import ROS1, START_NS, STRING, TENTH, cdr, mcap, numbers, ros1, write_mcap

from monodepth_ros.data.bags.recording import Recording, RecordingError
from monodepth_ros.data.bags.storage import mcap_chunks, ros1_file, ros1_unindexed, unpacked
from monodepth_ros.data.bags.storage.bounded import PackedError, TooLargeError, uncompress
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


@pytest.mark.parametrize(
    "suffix, pack", [(".zst", zstandard.compress), (".lz4", lz4.frame.compress), (".bz2", bz2.compress)]
)
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
