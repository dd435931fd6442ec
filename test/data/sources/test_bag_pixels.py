# SPDX-License-Identifier: Apache-2.0
"""Every reader of a recording decodes its images alike, and says at once what their bytes are taken for."""

import numpy as np
import pytest
from rosbags.rosbag1 import Writer
from rosbags.typesys import Stores, get_typestore
from small_sources import START_NS, TENTH, read

from monodepth_ros.data.bags import messages
from monodepth_ros.data.bags.recording import Recording
from monodepth_ros.data.bags.writer import BagWriter
from monodepth_ros.data.images.image_codec import to_rgb
from monodepth_ros.data.sources.open_source import open_source
from monodepth_ros.data.sources.source import SourceOptions

GRADIENT = np.add.outer(np.arange(48), np.arange(64)).astype(np.uint16)  # 0 to 110


def write(path, images, encoding):
    """Images (H, W[, C]) at 10 Hz."""
    with BagWriter(path) as bag:
        bag.add_topic("/camera/image_raw", "sensor_msgs/msg/Image")
        for i, image in enumerate(images):
            header = messages.header(START_NS + i * TENTH, "camera")
            bag.write("/camera/image_raw", START_NS + i * TENTH, messages.image(header, image, encoding))
    return path


@pytest.fixture
def dusk(tmp_path):
    """A recording of 12 bits that begins in the dark: the largest value of image i is 110 * (i + 1)."""
    return write(tmp_path / "dusk.mcap", [GRADIENT * (i + 1) for i in range(20)], "mono16")


TOPIC = {"topic": "/camera/image_raw"}  # images of 16 bits need not be a camera's


def test_dark_and_bright_images_of_a_recording_are_stretched_alike(dusk):
    source, frames = read(dusk, **TOPIC)
    notes = [note for note in source.notes if "16-bit" in note]
    assert notes == ["/camera/image_raw: the 16-bit images use 12 bits: stretched by 16"]
    for i, frame in enumerate(frames):
        np.testing.assert_allclose(frame.pixels.array, GRADIENT * (i + 1) * (255 / 4095), atol=0.51)


def test_any_part_and_any_order_of_reading_gives_the_same_pixels(dusk):
    _, frames = read(dusk, **TOPIC)
    _, early = read(dusk, duration=0.3, **TOPIC)
    _, every = read(dusk, every=7, **TOPIC)
    assert [len(early), len(every)] == [3, 3]
    for frame in early + every:
        np.testing.assert_array_equal(frame.pixels.array, frames[int(frame.name)].pixels.array)
    with open_source(str(dusk), SourceOptions(**TOPIC)) as again:
        for frame in (frames[13], frames[2]):
            np.testing.assert_array_equal(again.read(frame.stamp_ns, frame.received_ns).array, frame.pixels.array)


def test_a_stated_range_holds_for_all_images(dusk):
    source, frames = read(dusk, intensity_range="0:110", **TOPIC)
    assert frames[0].pixels.array.max() == 255 and not [note for note in source.notes if "16-bit" in note]


def yuyv(shift):
    """A textured picture in grey, as YUYV."""
    luma = np.random.default_rng(shift).integers(16, 235, (48, 64), np.uint8)
    return np.stack((luma, np.full_like(luma, 128)), -1)


def test_yuyv_that_is_called_yuv422_is_read_rightly_from_the_first_image_on(tmp_path):
    path = write(tmp_path / "bag.mcap", [np.full((48, 64, 2), 128, np.uint8), yuyv(1), yuyv(2)], "yuv422")
    source, frames = read(path)
    assert any("in the order of yuv422_yuy2" in note for note in source.notes)
    for frame in frames:
        colors = to_rgb(frame.pixels.array, frame.pixels.layout).astype(int)
        assert np.abs(colors - colors[..., :1]).max() <= 1, "grey"
    source, frames = read(path, encoding="yuv422")
    assert not any("in the order of" in note for note in source.notes)
    colors = to_rgb(frames[1].pixels.array, frames[1].pixels.layout).astype(int)
    assert np.abs(colors - colors[..., :1]).max() > 50, "as stated, and wrong here"
    _, frames = read(path, encoding="YUY2")
    colors = to_rgb(frames[1].pixels.array, frames[1].pixels.layout).astype(int)
    assert np.abs(colors - colors[..., :1]).max() <= 1


@pytest.mark.parametrize("tail", [0, 4])
def test_bytes_that_the_realsense_sdk_appends_to_its_images_are_ignored(tmp_path, tail):
    types = get_typestore(Stores.ROS1_NOETIC)
    kind, header = types.types["sensor_msgs/msg/Image"], types.types["std_msgs/msg/Header"]
    with Writer(tmp_path / "sdk.bag") as bag:
        connection = bag.add_connection("/device_0/sensor_1/Color_0/image/data", kind.__msgtype__, typestore=types)
        for i in range(3):
            stamp = types.types["builtin_interfaces/msg/Time"](100 + i, 0)
            image = kind(header(0, stamp, "1"), 48, 64, "mono8", 0, 64, yuyv(i)[..., 0].reshape(-1))
            data = bytes(types.serialize_ros1(image, kind.__msgtype__)) + b"\0" * tail
            data = data[:90] if i == 0 else data  # a damaged message decides nothing
            bag.write(connection, stamp.sec * 10**9, data)
    with Recording(tmp_path / "sdk.bag") as recording:
        topics = ["/device_0/sensor_1/Color_0/image/data"]
        assert list(recording.messages(topics, 0, 101 * 10**9)) == []
        assert "cannot be translated" in next(iter(recording.lost(topics[0])))
        messages_of = recording.messages(topics, 101 * 10**9)
        found = [recording.deserialize(message).data for message in messages_of]
    np.testing.assert_array_equal(np.array(found), [yuyv(i)[..., 0].reshape(-1) for i in (1, 2)])


def test_what_the_first_image_shows_is_noted_before_any_is_read(tmp_path):
    path = write(tmp_path / "bag.mcap", [yuyv(1)[..., 0]] * 2, "mono8")
    with BagWriter(tmp_path / "gray.mcap") as bag:
        bag.add_topic("/image", "sensor_msgs/msg/Image")
        image = messages.image(messages.header(START_NS, "camera"), yuyv(1)[..., 0], "rgb8")
        bag.write("/image", START_NS, image)
    with open_source(str(tmp_path / "gray.mcap")) as source:
        assert any("rgb8 images with one byte for each pixel are read as mono8" in note for note in source.notes)
    with open_source(str(path)) as source:
        assert not any("one byte" in note for note in source.notes)
