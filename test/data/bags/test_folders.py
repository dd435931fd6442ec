# SPDX-License-Identifier: Apache-2.0
"""rosbag2 folders: the storage files count, whatever metadata.yaml says of them."""

import shutil

import pytest
import yaml
from small_storage import START_NS, STRING, TENTH, notes, numbers, state, write_bag, write_mcap

from monodepth_ros.data.bags.recording import Recording, RecordingError

STORAGES = ("mcap", "sqlite3")


def split_bag(folder, parts, storage="mcap", **changes):
    """A folder of split files with the given tenths, whose metadata.yaml is that of the last file."""
    folder.mkdir()
    suffix = {"mcap": ".mcap", "sqlite3": ".db3"}[storage]
    for number, tenths in enumerate(parts):
        whole = write_bag(folder.with_name(f"{folder.name}_part_{number}"), tenths, storage=storage)
        shutil.move(whole / f"{whole.name}{suffix}", folder / f"{folder.name}_{number}{suffix}")
    content = yaml.safe_load((whole / "metadata.yaml").read_text())
    information = content["rosbag2_bagfile_information"]
    information["relative_file_paths"] = [f"{folder.name}_{n}{suffix}" for n in range(len(parts))]
    information.update(changes)
    (folder / "metadata.yaml").write_text(yaml.safe_dump(content))
    return folder


@pytest.mark.parametrize("storage", STORAGES)
def test_times_and_counts_are_those_of_the_files(tmp_path, storage):
    folder = split_bag(tmp_path / "bag", [range(4), range(4, 8), range(8, 11)], storage)
    assert numbers(folder) == numbers(folder / "metadata.yaml") == list(range(11))
    with Recording(folder) as recording:
        assert (recording.start_ns, recording.end_ns) == (START_NS, START_NS + 10 * TENTH)
        assert recording.message_count == 11


@pytest.mark.parametrize("storage", STORAGES)
def test_split_files_that_overlap_or_are_listed_out_of_order_are_merged_by_time(tmp_path, storage):
    folder = split_bag(tmp_path / "bag", [(4, 6, 8, 9), (0, 2), (1, 3, 5, 7)], storage)
    assert numbers(folder) == list(range(10))
    with Recording(folder) as recording:
        found = list(recording.messages(None, START_NS + 3 * TENTH, START_NS + 7 * TENTH))
        assert [recording.deserialize(message).data for message in found] == ["3", "4", "5", "6"]


@pytest.mark.parametrize(
    "changes",
    [
        {"version": 12, "storage_identifier": "mcap_of_the_future"},
        {"version": 1, "message_count": "many", "duration": None},
        {"topics_with_message_count": [{"message_count": 3}, None, {"topic_metadata": {"name": 7}}]},
        {"topics_with_message_count": None, "starting_time": {}, "compression_mode": "NEW", "compression_format": "x"},
    ],
)
def test_metadata_of_unknown_versions_and_edited_by_hand_does_not_stop_the_reading(tmp_path, changes):
    assert numbers(split_bag(tmp_path / "bag", [range(3), range(3, 6)], **changes)) == list(range(6))


@pytest.mark.parametrize("profiles", ["- durability: 1\n", [{"durability": "transient_local", "new": 1}], "[[[", 5])
def test_qos_in_metadata_of_any_form_serves_where_the_storage_has_none(tmp_path, profiles):
    topics = [{"topic_metadata": {"name": "/numbers", "type": STRING, "offered_qos_profiles": profiles}}]
    folder = tmp_path / "bag"
    folder.mkdir()
    write_mcap(folder / "bag_0.mcap")
    information = {"relative_file_paths": ["bag_0.mcap"], "topics_with_message_count": topics}
    (folder / "metadata.yaml").write_text(yaml.safe_dump({"rosbag2_bagfile_information": information}))
    with Recording(folder) as recording:
        assert recording.topics["/numbers"].latched is (profiles not in ("[[[", 5))


@pytest.mark.parametrize("content", ["", "{", "a: [1", "rosbag2_bagfile_information: 3", "- 1", "\0\1"])
def test_a_damaged_metadata_yaml_is_noted_and_the_files_are_read(tmp_path, content):
    folder = split_bag(tmp_path / "bag", [range(3), range(3, 6)])
    (folder / "metadata.yaml").write_text(content)
    assert numbers(folder) == list(range(6))
    assert "metadata.yaml cannot be read" in notes(folder)


def test_missing_files_are_named_and_the_rest_is_read(tmp_path):
    folder = split_bag(tmp_path / "bag", [range(3), range(3, 6), range(6, 9)])
    (folder / "bag_1.mcap").unlink()
    assert numbers(folder) == [0, 1, 2, 6, 7, 8]
    assert "metadata.yaml lists bag_1.mcap, missing in" in notes(folder)
    for name in ("bag_0.mcap", "bag_2.mcap"):
        (folder / name).unlink()
    with pytest.raises(RecordingError, match=r"lists bag_0\.mcap, bag_1\.mcap, bag_2\.mcap; copy it there") as caught:
        Recording(folder)
    assert "\n" not in str(caught.value)


def test_files_that_metadata_does_not_list_are_read_with_a_note(tmp_path):
    """A recorder that was started again in the same folder."""
    folder = split_bag(tmp_path / "bag", [range(3)])
    write_mcap(folder / "bag_1.mcap", range(3, 6))
    assert numbers(folder) == list(range(6))
    assert notes(folder) == "metadata.yaml does not list bag_1.mcap: read as well"


def test_one_unreadable_file_of_several_is_left_out_with_its_reason(tmp_path):
    folder = split_bag(tmp_path / "bag", [range(3), range(3, 6)])
    (folder / "bag_1.mcap").write_bytes(b"")
    assert numbers(folder) == [0, 1, 2]
    assert "bag_1.mcap is empty (0 bytes)" in notes(folder)


def test_a_copy_in_the_same_folder_does_not_double_the_messages(tmp_path):
    folder = split_bag(tmp_path / "bag", [range(6)])
    shutil.copy(folder / "bag_0.mcap", folder / "recovered.mcap")
    assert numbers(folder) == list(range(6))
    assert "recovered.mcap, a copy of bag_0.mcap" in notes(folder)


def test_files_of_another_storage_are_left_out_with_a_note(tmp_path):
    folder = split_bag(tmp_path / "bag", [range(6)], "sqlite3")
    write_mcap(folder / "converted.mcap", range(6))
    assert numbers(folder) == list(range(6))
    assert "left out: converted.mcap" in notes(folder)


def test_fewer_messages_than_metadata_states_are_noted(tmp_path):
    folder = split_bag(tmp_path / "bag", [range(6)], message_count=9)
    assert "metadata.yaml states 9 messages, the storage holds 6" in notes(folder)
    assert notes(split_bag(tmp_path / "sound", [range(6)])) == ""


def test_reading_leaves_the_folder_as_it_is(tmp_path):
    for storage in STORAGES:
        folder = split_bag(tmp_path / storage, [range(3), range(3, 6)], storage)
        before = state(folder)
        numbers(folder)
        assert state(folder) == before


def test_a_folder_above_one_recording_opens_it_and_above_several_names_them(tmp_path):
    above = tmp_path / "drives"
    above.mkdir()
    write_bag(above / "monday", range(3))
    (above / "monday" / "metadata.yaml").unlink()
    assert numbers(above) == [0, 1, 2] and notes(above) == f"monday is read, the only recording in {above}"
    write_bag(above / "tuesday", range(3))
    with pytest.raises(RecordingError, match="give one of monday, tuesday$"):
        Recording(above)


def test_a_file_renamed_within_its_folder_is_read_and_said(tmp_path):
    folder = write_bag(tmp_path / "bag", range(3))
    (folder / "bag.mcap").rename(folder / "drive.mcap")
    assert numbers(folder) == [0, 1, 2]
    assert "lists bag.mcap, missing" in notes(folder) and "drive.mcap is read instead" in notes(folder)


def test_files_of_several_recordings_in_one_folder_are_read_together_and_named(tmp_path):
    for name, tenths in (("run_0", (0, 1)), ("run_1", (2, 3))):
        write_mcap(tmp_path / f"{name}.mcap", tenths)
    assert numbers(tmp_path) == [0, 1, 2, 3] and notes(tmp_path) == ""
    write_mcap(tmp_path / "other.mcap", (4,))
    assert numbers(tmp_path) == [0, 1, 2, 3, 4]
    assert "other.mcap, run_0.mcap, run_1.mcap are read as one recording" in notes(tmp_path)


def test_links_to_files_that_are_gone_are_named(tmp_path):
    (tmp_path / "bag_0.mcap").symlink_to(tmp_path / "gone.mcap")
    with pytest.raises(RecordingError, match="links to files that do not exist, bag_0.mcap"):
        Recording(tmp_path)
