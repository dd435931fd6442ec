# SPDX-License-Identifier: Apache-2.0
"""ROS 1 bags whose recorder was killed: every whole message is read, by a walk through the file."""

import re

import pytest
from rosbags.rosbag1 import Writer
from small_storage import ROS1, START_NS, STRING, TENTH, notes, numbers, ros1

from monodepth_ros.data.bags.recording import Recording, RecordingError


def write_ros1(path, tenths=range(30), compression=None, topics=("/numbers",)):
    """A whole bag with chunks of a few messages."""
    writer = Writer(path)
    writer.set_compression(compression or Writer.CompressionFormat.NONE) if compression else None
    writer.chunk_threshold = 300
    with writer:
        connections = [writer.add_connection(topic, STRING, typestore=ROS1, latching=1) for topic in topics]
        for tenth in tenths:
            for connection in connections:
                writer.write(connection, START_NS + tenth * TENTH, ros1(tenth))
    return path


def kill(path, name, share=1.0):
    """The bag as a killed recorder leaves it: no index, the bag header does not know of one."""
    content = path.read_bytes()
    at = content.index(b"index_pos=") + len(b"index_pos=")
    end = int.from_bytes(content[at : at + 8], "little")
    killed = path.with_name(name)
    killed.write_bytes((content[:at] + bytes(8) + content[at + 8 : end])[: int(end * share)])
    return killed


@pytest.mark.parametrize("compression", [None, "BZ2", "LZ4"])
@pytest.mark.parametrize("name", ["a.bag", "a.bag.active"])
def test_a_bag_without_index_is_read_to_its_end(tmp_path, compression, name):
    kind = compression and Writer.CompressionFormat[compression]
    killed = kill(write_ros1(tmp_path / "whole.bag", compression=kind), name)
    assert numbers(killed) == list(range(30))
    assert f"{name} was not closed by its recorder or is cut off: 30 messages are read" in notes(killed)
    with Recording(killed) as recording:
        assert recording.topics["/numbers"].latched and recording.topics["/numbers"].count == 30
        (found,) = recording.messages(None, START_NS + 7 * TENTH, START_NS + 7 * TENTH + 1)
        assert recording.deserialize(found).data == "7"


def test_messages_of_an_unindexed_bag_come_in_the_order_of_time(tmp_path):
    killed = kill(write_ros1(tmp_path / "whole.bag", [5, 1, 9, 3, 7, 0, 2, 4, 6, 8] * 3, topics=("/a", "/b")), "a.bag")
    assert numbers(killed, "/a") == sorted(list(range(10)) * 3)


def test_an_unindexed_bag_that_is_cut_off_is_read_as_far_as_it_goes(tmp_path):
    killed = kill(write_ros1(tmp_path / "whole.bag"), "a.bag", 0.9)
    found = numbers(killed)
    assert found == list(range(len(found))) and 0 < len(found) < 30
    assert re.search(r"the last \d+ bytes are lost", notes(killed))


def test_a_whole_bag_that_is_cut_off_later_is_read_as_far_as_it_goes(tmp_path):
    content = write_ros1(tmp_path / "whole.bag").read_bytes()
    (tmp_path / "a.bag").write_bytes(content[: 4096 + (len(content) - 4096) // 2])
    found = numbers(tmp_path / "a.bag")
    assert found == list(range(len(found))) and 0 < len(found) < 30


def test_the_chunk_that_was_being_written_is_read(tmp_path):
    """Its header does not state its length yet, and its records follow."""
    content = write_ros1(tmp_path / "whole.bag").read_bytes()
    killed = kill(tmp_path / "whole.bag", "a.bag")
    lines = bytearray(killed.read_bytes())
    at = lines.rindex(b"size=") + len(b"size=")
    assert content[at : at + 4] == lines[at : at + 4] == lines[at + 4 : at + 8]  # the sizes of an uncompressed chunk
    lines[at : at + 8] = bytes(8)
    killed.write_bytes(lines)
    assert numbers(killed) == list(range(30))


def test_a_bag_without_a_whole_message_names_the_remedy(tmp_path):
    killed = kill(write_ros1(tmp_path / "whole.bag"), "a.bag", 0.05)
    with pytest.raises(RecordingError, match=r"has no whole message \(`rosbag reindex a\.bag`\)") as caught:
        Recording(killed)
    assert "\n" not in str(caught.value)
