# SPDX-License-Identifier: Apache-2.0
"""Definitions, metadata.yaml and names of recordings are data: bounded, inside the folder, and fit to print."""

import os

import pytest
from small_storage import STRING, cdr, mcap, notes, numbers, write_bag, write_mcap

from monodepth_ros.data.bags import metadata
from monodepth_ros.data.bags.definitions import parsed
from monodepth_ros.data.bags.recording import Recording, RecordingError
from monodepth_ros.structured_text import parse_yaml

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


@pytest.mark.parametrize("name", [b"ann\xe9e.db3", b"ann\xe9e.mcap", b"a\x1b[31m.db3", b"50%&.db3"])
def test_a_recording_with_a_name_in_another_encoding_is_read(tmp_path, name):
    path = tmp_path / os.fsdecode(name)
    (write_bag if name.endswith(b"db3") else write_mcap)(path, range(3))
    assert numbers(path) == [0, 1, 2]
    with Recording(path) as recording, pytest.raises(RecordingError) as caught:
        recording.topic("/none")
    assert str(caught.value).isprintable()


def test_metadata_is_parsed_once_for_each_state_of_its_file(tmp_path, monkeypatch):
    file, calls = tmp_path / "metadata.yaml", []
    monkeypatch.setattr(metadata, "parse_yaml", lambda *words: calls.append(words) or parse_yaml(*words))
    for count in (5, 70):
        file.write_text(f"rosbag2_bagfile_information: {{message_count: {count}}}\n")
        assert [metadata.read_metadata(tmp_path).count for _ in range(2)] == [count, count]
    assert len(calls) == 2
