# SPDX-License-Identifier: Apache-2.0
"""A recording whose disk becomes full keeps the messages before, can be read, and leaves nothing else."""

import resource
from contextlib import contextmanager

import numpy as np
import pytest

from monodepth_ros.data.bags import messages
from monodepth_ros.data.bags.recording import Recording
from monodepth_ros.data.bags.recording_error import RecordingError
from monodepth_ros.data.bags.writer import BagWriter

COUNT, LIMIT = 60, 3_500_000
IMAGES = np.random.default_rng(0).integers(0, 255, (COUNT, 200, 500), np.uint8)  # 0.1 MB each that nothing shrinks


@contextmanager
def largest_file(size):
    """No file can become larger than `size` [bytes] in the block, as on a disk that is full then."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def write(path, limit, count=COUNT, **more):
    with largest_file(limit), BagWriter(path, **more) as bag:
        bag.add_topic("/image", "sensor_msgs/msg/Image")
        for number in range(count):
            image = messages.image(messages.header(number * 10**9, "a"), IMAGES[number], "mono8")
            bag.write("/image", number * 10**9, image)


@pytest.mark.parametrize(
    ("name", "storage"), [("a.mcap", ""), ("a.db3", ""), ("a", "mcap"), ("a", "sqlite3"), ("z", "zstd")]
)
def test_the_messages_before_a_full_disk_can_be_read(tmp_path, name, storage):
    more = {"compress": True} if storage == "zstd" else {"storage": storage}
    with pytest.raises(RecordingError, match=r"cannot be written: .*; it holds the first \d+ messages") as caught:
        write(tmp_path / name, LIMIT, **more)
    assert str(tmp_path / name) in str(caught.value)
    assert [entry.name for entry in tmp_path.iterdir()] == [name]
    with Recording(tmp_path / name) as recording:
        found = [message.stamp_ns for message in recording.messages()]
        assert f"first {len(found)} messages" in str(caught.value)
        assert 10 <= len(found) < COUNT and found == [number * 10**9 for number in range(len(found))]
        assert recording.topics["/image"].count == len(found) and not recording.notes, recording.notes


@pytest.mark.parametrize("name", ["a.mcap", "a.db3", "a"])
@pytest.mark.parametrize("limit", [0, 60_000, 500_000])
def test_nothing_is_left_if_nothing_was_complete(tmp_path, name, limit):
    with pytest.raises(RecordingError, match=r"/a.* cannot be written: "):
        write(tmp_path / name, limit)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ["a.mcap", "a.db3", "a"])
def test_a_recording_whose_end_does_not_fit_keeps_what_does(tmp_path, name):
    write(tmp_path / f"whole{name}", 10**9, count=20)
    whole = tmp_path / f"whole{name}"
    size = max(file.stat().st_size for file in (whole.iterdir() if whole.is_dir() else [whole]))
    with pytest.raises(RecordingError, match="it holds the first"):
        write(tmp_path / name, size - 100, count=20)
    with Recording(tmp_path / name) as recording:
        assert 5 <= len(list(recording.messages())) <= 20


@pytest.mark.parametrize("name", ["a.mcap", "a.db3", "a"])
def test_replacing_keeps_the_old_recording_until_the_new_one_is_complete(tmp_path, name):
    write(tmp_path / name, 10**9, count=3)
    with pytest.raises(RecordingError, match="exists already"):
        BagWriter(tmp_path / name)
    with pytest.raises(ZeroDivisionError), BagWriter(tmp_path / name, replace=True):
        raise ZeroDivisionError
    with Recording(tmp_path / name) as recording:
        assert recording.message_count == 3
    write(tmp_path / name, 10**9, count=5, replace=True)
    with Recording(tmp_path / name) as recording:
        assert recording.message_count == 5
    assert [entry.name for entry in tmp_path.iterdir()] == [name]


def test_a_folder_that_holds_anything_else_is_not_replaced(tmp_path):
    write(tmp_path / "a", 10**9, count=1)
    (tmp_path / "a" / "notes.txt").write_text("mine")
    with pytest.raises(RecordingError, match="is no recording: it is not replaced"):
        BagWriter(tmp_path / "a", replace=True)
    (tmp_path / "b.mcap").mkdir()
    with pytest.raises(RecordingError, match="is no file: it is not replaced"):
        BagWriter(tmp_path / "b.mcap", replace=True)
