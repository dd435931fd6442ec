# SPDX-License-Identifier: Apache-2.0
"""What MCAP files hold: the channel's encoding decides, and foreign topics never stop the reading."""

import numpy as np
import pytest
import zstandard
from rosbags.typesys import Stores, get_typestore
from small_storage import ROS2, START_NS, STRING, cdr, mcap, notes, numbers, ros1, write_mcap

from monodepth_ros.data.bags.recording import Recording, RecordingError

FOREIGN = {
    "json": ("json", ("jsonschema", "Note", b'{"type": "object"}'), b'{"note": "start"}'),
    "protobuf": ("protobuf", ("protobuf", "Note", b"\x0a\x05\xff\xfe"), b"\x0a\x05start"),
    "flatbuffer": ("flatbuffer", ("flatbuffer", "Note", b"\0\1\2"), b"\0\1\2"),
    "no schema": ("application/x-own", None, b"\0\1\2"),
    "cdr of no type": ("cdr", None, cdr(1)),
}


@pytest.mark.parametrize("kind", FOREIGN)
def test_foreign_topics_are_left_out_with_a_note_and_do_not_stop_the_reading(tmp_path, kind):
    encoding, schema, data = FOREIGN[kind]
    with mcap(tmp_path / "a.mcap") as file:
        file.channel("/events", encoding, schema)
        for tenth in range(3):
            file.add("/events", tenth, data)
            file.add("/numbers", tenth, cdr(tenth))
    assert numbers(tmp_path / "a.mcap") == [0, 1, 2]
    assert "/events" in notes(tmp_path / "a.mcap")
    assert encoding in notes(tmp_path / "a.mcap")
    with Recording(tmp_path / "a.mcap") as recording:
        assert list(recording.topics) == ["/numbers"]


def test_a_recording_of_foreign_topics_alone_is_refused_with_their_names(tmp_path):
    with mcap(tmp_path / "a.mcap", profile="") as file:
        file.channel("/events", *FOREIGN["flatbuffer"][:2])
        file.add("/events", 0, b"\0")
    with pytest.raises(RecordingError, match=r"no messages of a known type: its topics are /events \(flatbuffer Note"):
        Recording(tmp_path / "a.mcap")


@pytest.mark.parametrize("profile", ["", "ros2", "ros1", "x-own"])
def test_the_profile_does_not_matter(tmp_path, profile):
    assert numbers(write_mcap(tmp_path / "a.mcap", profile=profile)) == list(range(10))


def test_ros_1_messages_read_as_those_of_ros_2_with_and_without_the_profile(tmp_path):
    store = get_typestore(Stores.ROS1_NOETIC)
    definition = store.generate_msgdef("sensor_msgs/msg/CompressedImage", ros_version=1)[0].encode()
    time = store.types["builtin_interfaces/msg/Time"](5, 6)
    head = store.types["std_msgs/msg/Header"](seq=7, stamp=time, frame_id="lens")
    picture = store.types["sensor_msgs/msg/CompressedImage"](head, "jpeg", np.array([1, 2, 3], np.uint8))
    for profile in ("ros1", ""):
        path = tmp_path / f"{profile or 'none'}.mcap"
        with mcap(path, profile=profile) as file:
            file.channel("/text", "ros1", ("ros1msg", "std_msgs/String", b"string data\n"), {"latching": "1"})
            file.channel("/image", "ros1", ("ros1msg", "sensor_msgs/CompressedImage", definition))
            file.add("/text", 0, ros1(4))
            file.add("/image", 1, bytes(store.serialize_ros1(picture, picture.__msgtype__)))
            file.add("/numbers", 2, cdr(5))
        with Recording(path) as recording:
            assert recording.topics["/image"].type == "sensor_msgs/msg/CompressedImage"
            assert recording.topics["/text"].latched and not recording.topics["/image"].latched
            first = recording.first("/image")
            assert (first.header.frame_id, first.header.stamp.sec, first.data.tolist()) == ("lens", 5, [1, 2, 3])
            assert [recording.first(topic).data for topic in ("/text", "/numbers")] == ["4", "5"]


@pytest.mark.parametrize("schema", [("unknown", STRING, b""), ("", STRING, b""), ("ros2idl", STRING, b"#include <x>")])
def test_common_types_need_no_definition_that_can_be_read(tmp_path, schema):
    with mcap(tmp_path / "a.mcap") as file:
        file.channel("/numbers", "cdr", schema)
        file.add("/numbers", 0, cdr(8))
    assert numbers(tmp_path / "a.mcap") == [8]


def test_a_channel_without_schema_has_the_type_that_metadata_yaml_names(tmp_path):
    with mcap(tmp_path / "a.mcap") as file:
        file.channel("/numbers", "cdr", None)
        file.add("/numbers", 0, cdr(8))
    (tmp_path / "metadata.yaml").write_text(
        "rosbag2_bagfile_information:\n  relative_file_paths: [a.mcap]\n  topics_with_message_count:\n"
        f"  - topic_metadata: {{name: /numbers, type: {STRING}}}\n"
    )
    assert numbers(tmp_path) == numbers(tmp_path / "a.mcap") == [8]


@pytest.mark.parametrize(
    ("profiles", "expected"),
    [
        ("- history: 1\n  durability: 1\n", True),
        ("- history: 1\n  durability: 2\n", False),
        ("- durability: transient_local", True),
        ("- durability: volatile", False),
        ("- durability: 17", False),
        ("- {durability: 1, new_policy: {unheard: of}}", True),
        ("no: [yaml", False),
    ],
)
def test_qos_of_any_version_or_none_tells_latched_topics(tmp_path, profiles, expected):
    with mcap(tmp_path / "a.mcap") as file:
        file.channel("/numbers", metadata={"offered_qos_profiles": profiles})
        file.add("/numbers", 0, cdr(1))
    with Recording(tmp_path / "a.mcap") as recording:
        assert recording.topics["/numbers"].latched is expected


def test_messages_compressed_one_by_one_are_uncompressed_without_being_told(tmp_path):
    with mcap(tmp_path / "a.mcap") as file:
        file.add("/numbers", 0, zstandard.compress(cdr(3)))
        file.add("/numbers", 1, cdr(4))
    assert numbers(tmp_path / "a.mcap") == [3, 4]
    with Recording(tmp_path / "a.mcap") as recording:
        assert next(recording.messages()).data == cdr(3) and recording.start_ns == START_NS
        assert ROS2.deserialize_cdr(next(recording.messages()).data, STRING).data == "3"
