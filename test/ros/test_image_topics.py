# SPDX-License-Identifier: Apache-2.0
"""The topic that images are taken from: transport and search, over DDS."""

import subprocess
import sys

import cv2
import numpy as np
import pytest
from node_log import log_lines
from rclpy.qos import QoSProfile, ReliabilityPolicy
from sensor_msgs.msg import CameraInfo, CompressedImage, Image, PointCloud2

from monodepth_ros.ros.interop import encode_compressed, encode_image
from monodepth_ros.ros.live.inputs import camera_input, topic_choice

RELIABLE = QoSProfile(depth=20, reliability=ReliabilityPolicy.RELIABLE)
TEXTURE = np.random.default_rng(5).integers(0, 255, (96, 320, 3), np.uint8)
JPEG = cv2.imencode(".jpg", TEXTURE)[1].reshape(-1)


def start(node):
    """Configure and activate without waiting for publishers."""
    steps = node.on_executor(lambda: [node.node.trigger_configure().name, node.node.trigger_activate().name])
    assert steps == ["SUCCESS", "SUCCESS"]


class Camera:
    """A camera on the client with raw or compressed images and a camera_info."""

    def __init__(self, node, image="/image", info="/camera_info", compressed=False):
        self.node, self.compressed = node, compressed
        kind, topic = (CompressedImage, f"{image}/compressed") if compressed else (Image, image)
        self.images = node.client.create_publisher(kind, topic, RELIABLE)
        self.infos = node.client.create_publisher(CameraInfo, info, RELIABLE)

    def works(self, topic="depth/image"):
        """Send frames until one of them is processed."""
        self.node.wait(lambda: self.images.get_subscription_count() and self.infos.get_subscription_count())
        self.node.infos = self.infos
        self.node.send_info()
        stamp_ns = self.node.next_stamp()
        header = self.node.header(stamp_ns)
        self.images.publish(
            encode_compressed("jpeg", JPEG, header) if self.compressed else encode_image(TEXTURE, "rgb8", header)
        )
        return self.node.output(stamp_ns, topic)

    def close(self):
        self.node.client.destroy_publisher(self.images)
        self.node.client.destroy_publisher(self.infos)


@pytest.fixture
def lonely(harness, depth_checkpoint, monkeypatch):
    """A function that makes an active node, quick to look for topics, whose client publishes nothing."""
    monkeypatch.setattr(camera_input, "LOOK_PERIOD", 0.05)
    monkeypatch.setattr(topic_choice, "SEARCH_PERIOD", 0.05)
    monkeypatch.setattr(topic_choice, "PATIENCE_OF_SEARCH", 0.4)

    def make(*arguments, **parameters):
        node = harness(depth_checkpoint, arguments, start=False, **parameters)
        for publisher in (node.images, node.compressed, node.infos):
            node.client.destroy_publisher(publisher)
        start(node)
        node.wait(lambda: all(map(node.subscribers, ("depth/image", "depth/status"))))
        return node

    return make


def test_compressed_images_are_taken_where_nothing_raw_is_published(lonely, capfd):
    node = lonely()
    Camera(node, compressed=True).works()
    assert len(log_lines(capfd, "images from /image/compressed (compressed, nothing raw is published)")) == 1
    assert node.health().values["images"].startswith("/image/compressed (compressed")


def test_raw_images_are_taken_if_both_are_published(lonely):
    node = lonely()
    camera = Camera(node)
    Camera(node, compressed=True)
    camera.works()
    node.settle(0.5)
    assert node.stream.intake.image_topic == "/image"


def test_the_transport_is_chosen_again_when_its_publisher_has_gone(lonely):
    node = lonely()
    raw = Camera(node)
    raw.works()
    raw.close()
    compressed = Camera(node, compressed=True)
    compressed.works()
    compressed.close()
    Camera(node).works()


def test_raw_images_that_appear_just_after_the_compressed_ones_are_taken(lonely):
    node = lonely()
    compressed = Camera(node, compressed=True)
    compressed.works()
    Camera(node).works()
    assert node.stream.intake.image_topic == "/image"
    assert node.stream.intake.camera_info, "the calibration of the same topic is kept"


def test_a_camera_that_was_published_too_shortly_is_named(lonely, monkeypatch):
    node = lonely(no_image_timeout=0.1)
    monkeypatch.setattr(topic_choice, "PATIENCE_OF_SEARCH", 60.0)
    camera = Camera(node, "/front/image_raw", "/front/camera_info")
    node.wait(lambda: node.stream.intake._input._choice._seen)
    camera.close()
    node.diagnosis("/front/image_raw was published for less than", "remap with image:=/front/image_raw")


def test_a_driver_that_sends_no_more_is_not_blamed_on_the_size_of_its_images(lonely):
    node = lonely(no_image_timeout=0.1)
    camera = Camera(node)
    node.wait(lambda: node.stream.intake._input._count)
    camera.works()
    text = node.diagnosis("/client on /image sends no more, though still there")
    assert "large images" not in text


def test_images_that_are_compressed_on_the_topic_itself_are_taken(lonely):
    node = lonely("-r", "image:=/phone/photo/compressed")
    Camera(node, "/phone/photo", "/phone/camera_info", compressed=True).works()


def test_the_only_camera_is_found_and_said_once(lonely, capfd):
    node = lonely()
    Camera(node, "/front/image_raw", "/front/camera_info").works()
    lines = log_lines(capfd, "images from /front/image_raw (raw, the only camera", "/front/camera_info")
    assert len(lines) == 1 and "/image" in lines[0]


def test_several_cameras_are_listed_once_as_remappings(lonely, capfd):
    node = lonely(no_image_timeout=0.1)
    cameras = [Camera(node, f"/{side}/image_raw", f"/{side}/camera_info") for side in ("left", "right")]
    node.diagnosis("image:=/left/image_raw", "image:=/right/image_raw")
    node.settle(0.8)
    assert node.stream.intake.image_topic == "/image"
    assert len(log_lines(capfd, "no image on /image; several cameras", "image:=/right/image_raw")) == 1
    cameras[0].close()
    cameras[1].works()


@pytest.mark.parametrize("arguments, parameters", [((), {"image__find_topic": False}), (("-r", "image:=/mine"), {})])
def test_no_other_camera_is_taken_unless_it_is_searched_for(lonely, arguments, parameters):
    node = lonely(*arguments, **parameters)
    camera = Camera(node, "/front/image_raw", "/front/camera_info")
    node.settle(0.8)
    assert camera.images.get_subscription_count() == 0


@pytest.mark.parametrize(
    "transport, published, words",
    [
        ("auto", PointCloud2, ("carries sensor_msgs/msg/PointCloud2, expected sensor_msgs/msg/Image", "image:=")),
        ("raw", CompressedImage, ("carries sensor_msgs/msg/CompressedImage, expected sensor_msgs/msg/Image",)),
        ("raw", CompressedImage, ("set image_transport to compressed or auto",)),
    ],
)
def test_a_topic_of_another_type_is_named(lonely, transport, published, words):
    node = lonely("-r", "image:=/thing", image_transport=transport, no_image_timeout=0.1)
    node.client.create_publisher(published, "/thing", RELIABLE)
    text = node.diagnosis("/thing", *words)
    assert "large images" not in text and node.received["/diagnostics"][-1].status[0].level == b"\x01", text


@pytest.mark.parametrize("compressed", [True, False])
def test_the_other_transport_is_named_if_the_chosen_one_is_not_published(lonely, compressed):
    transport, other = ("raw", "compressed") if compressed else ("compressed", "raw")
    node = lonely("-r", "image:=/front/image_raw", image_transport=transport, no_image_timeout=0.1)
    Camera(node, "/front/image_raw", "/front/camera_info", compressed)
    topic = f"/front/image_raw{'/compressed' if compressed else ''}"
    text = node.diagnosis(f"{topic} is published: set image_transport to {other} or auto")
    assert "large images" not in text, text


@pytest.mark.parametrize("transport", ["auto", "compressed"])
def test_a_remapping_may_name_the_compressed_topic_itself(lonely, transport, capfd):
    node = lonely("-r", "image:=/front/image_raw/compressed", image_transport=transport)
    assert node.stream.intake.info_topic == "/front/camera_info"
    Camera(node, "/front/image_raw", "/front/camera_info", compressed=True).works()
    assert node.stream.intake.image_topic == "/front/image_raw/compressed"
    assert not log_lines(capfd, "ncompatible type")


LOSSY = """
import time
from array import array
import rclpy
from rclpy.qos import QoSProfile, ReliabilityPolicy
from sensor_msgs.msg import Image
rclpy.init()
camera = rclpy.create_node("camera")
images = camera.create_publisher(Image, "image", QoSProfile(depth=5, reliability=ReliabilityPolicy.RELIABLE))
message = Image(width=1920, height=1080, encoding="rgb8", step=5760, data=array("B", bytes(6220800)))
while not images.get_subscription_count():
    time.sleep(0.01)
for _ in range(40):
    images.publish(message)
    time.sleep(0.02)
time.sleep(0.5)
"""


def test_lost_images_are_counted_and_the_remedy_is_named(lonely, environment, capfd):
    node = lonely()
    # Fast DDS loses images of 6 MB of a sender without the profile.
    names = ("FASTRTPS_DEFAULT_PROFILES_FILE", "FASTDDS_DEFAULT_PROFILES_FILE")
    sender = {name: value for name, value in environment.items() if name not in names}
    subprocess.run([sys.executable, "-c", LOSSY], env=sender, check=True, timeout=60)
    node.wait(lambda: node.counts()["frames_lost"] > 0, message="no loss was reported")
    text = node.diagnosis("images of /image got lost")
    assert "fastdds_large_messages.xml" in text and "PROFILES_FILE=" in text and "sender" in text, text
    assert log_lines(capfd, "[WARN]", "got lost on the way")
    counts = node.settled_counts()
    assert counts["frames_received"] + counts["frames_lost"] <= 41, counts


def test_where_the_middleware_tells_of_no_losses_the_numbers_of_the_publications_do(harness, depth_checkpoint):
    node = harness(depth_checkpoint)
    camera_input = node.stream.intake._input
    camera_input._tells_losses = False
    for number in (5, 6, 9, 10, 9, 5000, 5001):
        camera_input._count_gap(number)
    assert node.counts()["frames_lost"] == 2
    assert "2 images of /image got lost" in node.health().messages[0]
