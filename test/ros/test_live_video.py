# SPDX-License-Identifier: Apache-2.0
"""Live video: H.264 in CompressedImage over DDS, and the decoder of a camera that is slower than its packets."""

import signal
import subprocess
import sys
import threading
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from builtin_interfaces.msg import Time
from rclpy.qos import ReliabilityPolicy
from sensor_msgs.msg import CompressedImage, Image
from std_msgs.msg import Header

from monodepth_ros.data.video_stream.colors import to_pixels
from monodepth_ros.ros.interop import encode_compressed
from monodepth_ros.ros.live.inputs import video_input
from monodepth_ros.ros.live.inputs.topic_advice import advice_without_images
from monodepth_ros.ros.live.inputs.video_input import VideoInput
from monodepth_ros.ros.live.inputs.video_topics import message_class, video_topics

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "data" / "video_stream"))
from coded_streams import encode, number_in, write_stream

SECOND = 1_000_000_000
LOW_DELAY = ("libx264", {"preset": "ultrafast", "tune": "zerolatency"}, 0)


@pytest.fixture(scope="module")
def packets():
    """Twenty pictures of a texture that moves, with a key frame in ten."""
    noise = np.random.default_rng(0).integers(0, 255, (12, 40, 3), np.uint8).repeat(8, 0).repeat(8, 1)
    return encode(LOW_DELAY, group=10, pictures=[np.roll(noise, 3 * i, axis=1) for i in range(20)])


def stamp_of(number):
    return 100 * SECOND + number * SECOND // 10


def send(node, coded, form="h264"):
    header = node.header(stamp_of(coded.number))
    node.compressed.publish(encode_compressed(form, np.frombuffer(coded.data, np.uint8), header))


def started(node, packets):
    """Send the first key frame, again and again, until the subscription has its queue."""
    node.send_info()
    node.wait(node.compressed.get_subscription_count)
    send(node, packets[0])
    node.output(stamp_of(0))
    image_input = node.stream.intake._input
    node.wait(lambda: image_input._has_queue and node.compressed.get_subscription_count() == 1)


def test_video_in_compressed_images_gives_depth_of_every_picture(harness, depth_checkpoint, packets):
    node = harness(depth_checkpoint, listen=("depth/image",), image_transport="compressed")
    started(node, packets)
    for coded in packets[1:]:
        send(node, coded)
        node.output(stamp_of(coded.number))
    counts = node.settled_counts()
    assert counts["frames_invalid"] == 0, counts
    assert len(node.received["depth/image"]) == 20


def test_video_that_begins_between_key_frames_is_a_warning(harness, depth_checkpoint, packets):
    node = harness(depth_checkpoint, listen=("depth/image", "/diagnostics"), image_transport="compressed")
    node.wait(node.compressed.get_subscription_count)
    node.expect_dropped(lambda: send(node, packets[1]))
    node.diagnosis("H.264 video before its first key frame: depth begins with one")
    assert node.received["/diagnostics"][-1].status[0].level == b"\x01"


def test_after_a_lost_packet_there_is_no_depth_up_to_the_next_key_frame(harness, depth_checkpoint, packets):
    node = harness(depth_checkpoint, listen=("depth/image", "/diagnostics"), image_transport="compressed")
    started(node, packets)
    for coded in [*packets[1:4], *packets[5:]]:
        send(node, coded)
        if coded.number in (1, 2, 3) or coded.number >= 10:
            node.output(stamp_of(coded.number))
    counts = node.settled_counts()
    assert counts["frames_invalid"] == 5, str(counts)
    node.diagnosis("/image/compressed: H.264 video after a lost packet")
    stamps = {
        message.header.stamp.sec * SECOND + message.header.stamp.nanosec for message in node.received["depth/image"]
    }
    assert stamps == {stamp_of(i) for i in (*range(4), *range(10, 20))}


def test_a_slow_node_takes_the_newest_picture_and_decodes_all(harness, depth_checkpoint, packets):
    node = harness(depth_checkpoint, listen=("depth/image",), image_transport="compressed")
    started(node, packets)
    gate, infer = threading.Event(), node.engine.disparity

    def disparity(image):
        assert gate.wait(20.0)
        return infer(image)

    node.engine.disparity = disparity
    for coded in packets[1:9]:
        send(node, coded)
        node.wait(lambda: node.counts()["frames_received"] == coded.number + 1)
    gate.set()
    node.output(stamp_of(8))
    counts = node.settled_counts()
    assert (counts["frames_invalid"], counts["frames_lost"]) == (0, 0), counts
    assert counts["frames_replaced"] >= 6, counts


def test_the_queue_of_a_reliable_publisher_is_reliable(harness, depth_checkpoint, packets):
    node = harness(depth_checkpoint, listen=("depth/image",), image_transport="compressed")
    started(node, packets)
    (found,) = node.client.get_subscriptions_info_by_topic("/image/compressed")
    assert found.qos_profile.reliability == ReliabilityPolicy.RELIABLE


def test_video_in_a_raw_image_message_is_decoded(harness, depth_checkpoint, packets):
    node = harness(depth_checkpoint, listen=("depth/image",))
    node.send_info()
    for coded in packets[:1]:
        message = Image(header=node.header(stamp_of(0)), height=96, width=320, encoding="h264", data=coded.data)
        node.images.publish(message)
        node.output(stamp_of(0))


def test_without_pyav_one_line_says_what_to_install(harness, depth_checkpoint, packets, monkeypatch):
    node = harness(depth_checkpoint, listen=("depth/image", "/diagnostics"), image_transport="compressed")
    node.send_info()
    monkeypatch.setitem(sys.modules, "av", None)
    node.expect_dropped(lambda: send(node, packets[0]))
    node.diagnosis("/image/compressed", "H.264", "pip install av")


def test_a_recording_of_video_that_is_played_gives_depth(harness, depth_checkpoint, packets, tmp_path):
    path = write_stream(tmp_path / "drive.mcap", packets, "compressed")
    node = harness(depth_checkpoint, listen=("depth/image",), image_transport="compressed")
    node.send_info()
    words = ["--topics", "/camera/image_raw/compressed", "--remap", "/camera/image_raw/compressed:=/image/compressed"]
    player = subprocess.Popen([sys.executable, "-m", "monodepth_ros.ros.play", str(path), "--loop", *words])
    try:
        node.wait(lambda: len(node.received["depth/image"]) > 10)
    finally:
        player.send_signal(signal.SIGINT)
        player.wait(20)


class Sink:
    """What comes out of a VideoInput."""

    def __init__(self):
        self.numbers, self.left_out, self.gate = [], [], threading.Event()
        self.entered = threading.Semaphore(0)
        self.gate.set()
        self.video = VideoInput(self.take, lambda number, reason: self.left_out.append((number, reason)))

    def take(self, picture):
        self.entered.release()
        assert self.gate.wait(20.0)
        self.numbers.append(number_in(to_pixels(picture.picture).array))
        self.header = picture.header

    def wait_for(self, number):
        deadline = threading.Event()
        for _ in range(2000):
            if number in self.numbers:
                return
            deadline.wait(0.01)
        pytest.fail(f"picture {number} did not come out: {self.numbers}, {self.left_out}")


@pytest.fixture
def sink():
    made = Sink()
    yield made
    made.gate.set()
    made.video.close()


def compressed_video(coded):
    stamp = Time(sec=100 + coded.number // 10, nanosec=coded.number % 10 * 100_000_000)
    return SimpleNamespace(timestamp=stamp, frame_id="camera", data=coded.data, format="h264")


def test_a_decoder_that_is_behind_skips_to_the_newest_key_frame(sink):
    packets = encode("h264", 40, 10)
    sink.gate.clear()
    sink.video.take(compressed_video(packets[0]))
    assert sink.entered.acquire(timeout=20.0)
    for coded in packets[1:]:
        sink.video.take(compressed_video(coded))
    sink.gate.set()
    sink.wait_for(39)
    assert sink.numbers == [0, *range(30, 40)]
    assert sink.left_out == [(29, "")]


def test_a_decoder_that_is_a_little_behind_decodes_every_packet(sink):
    packets = encode("h264", video_input.BEHIND, 100)
    sink.gate.clear()
    for coded in packets:
        sink.video.take(compressed_video(coded))
    sink.gate.set()
    sink.wait_for(video_input.BEHIND - 1)
    assert sink.numbers == list(range(video_input.BEHIND)) and not sink.left_out


def test_messages_that_never_hold_a_picture_are_counted_and_named(sink):
    for number in range(8):
        sink.video.take(compressed_video(SimpleNamespace(number=number, data=b"\0\0\0\1\6\5\1\0")))
    sink.video.take(compressed_video(SimpleNamespace(number=8, data=b"")))
    sink.video.take(compressed_video(encode("h264", 1)[0]))
    sink.wait_for(0)
    reasons = [reason for _, reason in sink.left_out]
    assert len(reasons) == 8 - video_input.PICTURELESS + 1 + 1
    assert "H.264 video: 5 messages in a row without a picture" in reasons[0] and "an empty message" in reasons[-1]


def test_a_message_without_a_header_gives_one(sink):
    sink.video.take(compressed_video(encode("h264", 1)[0]))
    sink.wait_for(0)
    assert isinstance(sink.header, Header)
    assert (sink.header.frame_id, sink.header.stamp.sec) == ("camera", 100)


def test_jpeg_after_video_needs_no_decoder(harness, depth_checkpoint, packets):
    import cv2

    node = harness(depth_checkpoint, listen=("depth/image",), image_transport="compressed")
    started(node, packets)
    jpeg = cv2.imencode(".jpg", np.full((96, 320, 3), 90, np.uint8))[1].reshape(-1)
    node.compressed.publish(encode_compressed("jpeg", jpeg, node.header(stamp_of(1))))
    node.output(stamp_of(1))


def test_message_types_that_are_not_installed_are_not_subscribed_to():
    assert message_class("sensor_msgs/msg/CompressedImage") is CompressedImage
    assert message_class("no_such_msgs/msg/Packet") is None
    assert {kind for _, kind in video_topics("/image")} == {
        kind
        for kind in ("ffmpeg_image_transport_msgs/msg/FFMPEGPacket", "foxglove_msgs/msg/CompressedVideo")
        if message_class(kind) is not None
    }


def test_the_package_of_a_missing_message_type_is_named():
    topics = {"/camera/image_raw/ffmpeg": ["ffmpeg_image_transport_msgs/msg/FFMPEGPacket"]}
    advice = advice_without_images(topics, "/camera/image_raw", "/camera/image_raw", "auto", "image")
    assert "only /camera/image_raw/ffmpeg" in advice
    assert "apt install ros-$ROS_DISTRO-ffmpeg-image-transport-msgs" in advice
