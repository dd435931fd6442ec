# SPDX-License-Identifier: Apache-2.0
"""Several nodes on a camera's topics, and camera_info that is latched, rare or somebody else's, over DDS."""

import numpy as np
import pytest
import rclpy
from node_log import log_lines, wait_for_lines
from rclpy.qos import DurabilityPolicy, QoSProfile, ReliabilityPolicy
from sensor_msgs.msg import CameraInfo, Image

from monodepth_ros.ros.interop import encode_image
from monodepth_ros.ros.live.inputs import sender_choice

RELIABLE = QoSProfile(depth=20, reliability=ReliabilityPolicy.RELIABLE)
BEST_EFFORT = QoSProfile(depth=20, reliability=ReliabilityPolicy.BEST_EFFORT)
LATCHED = QoSProfile(depth=1, durability=DurabilityPolicy.TRANSIENT_LOCAL, reliability=ReliabilityPolicy.RELIABLE)
WARN = b"\x01"


def camera_info(frame="camera", width=64, height=48, focal=60.0):
    message = CameraInfo(width=width, height=height, distortion_model="plumb_bob", d=[0.0] * 5)
    message.header.frame_id = frame
    message.k = [focal, 0.0, width / 2 - 0.5, 0.0, focal, height / 2 - 0.5, 0.0, 0.0, 1.0]
    return message


class Driver:
    """A node of its own that publishes images, or camera_info, on the topics of another one."""

    def __init__(self, harness, name, frame="camera", size=(64, 48), image="image"):
        self.harness, self.frame, self.size = harness, frame, size
        self.node = rclpy.create_node(name, context=harness.contexts[1])
        self.images = self.node.create_publisher(Image, image, RELIABLE)
        harness.wait(self.images.get_subscription_count)

    def send(self, stamp_ns):
        """Publish one image, and wait until it has arrived."""
        width, height = self.size
        array = np.random.default_rng(3).integers(0, 255, (height, width, 3), np.uint8)
        before = self.harness.counts()["frames_received"]
        self.images.publish(encode_image(array, "rgb8", self.harness.header(stamp_ns, self.frame)))
        self.harness.wait(lambda: self.harness.counts()["frames_received"] > before, message="image lost")
        self.harness.settled_counts()

    def close(self):
        self.node.destroy_node()


@pytest.fixture
def driven(harness, depth_checkpoint):
    """A function that makes a node without publishers, and drivers for it; closes the drivers."""
    drivers = []

    def make(*cameras, **parameters):
        parameters = {"image__reliability": "reliable"} | parameters
        node = harness(depth_checkpoint, start=False, listen=("depth/image", "/diagnostics"), **parameters)
        for publisher in (node.images, node.compressed, node.infos):
            node.client.destroy_publisher(publisher)
        steps = node.on_executor(lambda: [node.node.trigger_configure().name, node.node.trigger_activate().name])
        assert steps == ["SUCCESS", "SUCCESS"]
        node.wait(lambda: node.subscribers("depth/image"))
        drivers.extend(Driver(node, *camera) for camera in cameras)
        node.wait(lambda: node.node.count_publishers("/image") == len(cameras))
        return node, drivers

    yield make
    for driver in drivers:
        driver.close()


def frames(node):
    return [message.header.frame_id for message in node.received["depth/image"]]


@pytest.mark.parametrize("other", [("right", (64, 48)), ("left", (32, 24)), ("left", (64, 48))])
def test_of_two_cameras_on_one_topic_the_first_is_used_and_both_nodes_are_named(driven, other, capfd):
    node, (left, right) = driven(("left_driver", "left"), ("right_driver", *other), camera_info_timeout=0.0)
    for _ in range(60):  # long in the business: the numbers of its publications are far from the other's
        left.send(node.next_stamp())
    first = node.settled_counts()
    for _ in range(6):
        left.send(node.next_stamp())
        right.send(node.next_stamp())
    counts = node.settled_counts()
    assert counts["frames_processed"] - first["frames_processed"] == 6, counts
    assert counts["frames_unwanted"] - first["frames_unwanted"] == 6, counts
    assert set(frames(node)) == {"left"}
    text = node.diagnosis("2 nodes publish /image: /left_driver and /right_driver", "were left out")
    assert "remap" in text and node.received["/diagnostics"][-1].status[0].level == WARN, text
    assert int(node.health().values["frames of other cameras"]) >= 6
    assert len(log_lines(capfd, "[WARN]", "2 nodes publish /image")) == 1


def test_the_camera_that_the_calibration_fits_is_used(driven, monkeypatch):
    monkeypatch.setattr(sender_choice, "LONGEST_SILENCE", 60.0)  # a first frame may take longer than that
    monkeypatch.setattr(sender_choice, "SILENCE", 60.0)
    node, (wrong, right) = driven(("small_driver", "camera", (32, 24)), ("large_driver", "camera", (64, 48)))
    infos = right.node.create_publisher(CameraInfo, "camera_info", RELIABLE)
    node.wait(infos.get_subscription_count)
    infos.publish(camera_info())
    node.wait(lambda: node.stream.intake.camera_info)
    for _ in range(6):
        wrong.send(node.next_stamp())
        right.send(node.next_stamp())
    counts = node.settled_counts()
    assert (counts["frames_processed"], counts["frames_invalid"]) == (6, 1), counts


def test_a_driver_that_has_gone_is_replaced_by_the_other_one(driven):
    node, (left, right) = driven(("left_driver", "left"), ("right_driver", "right", (32, 24)), camera_info_timeout=0.0)
    for _ in range(3):
        left.send(node.next_stamp())
        right.send(node.next_stamp())
    left.close()
    node.wait(lambda: node.node.count_publishers("/image") == 1)
    node.settle(1.2)
    for _ in range(3):
        right.send(node.next_stamp())
    node.wait(lambda: frames(node) == ["left"] * 3 + ["right"] * 3, message=f"frames {frames(node)}")


def test_a_second_publisher_that_is_idle_is_named_and_changes_nothing(driven):
    node, (left, _) = driven(("left_driver", "left"), ("idle_driver", "right"), camera_info_timeout=0.0)
    for _ in range(5):
        left.send(node.next_stamp())
    node.diagnosis("2 nodes publish /image: /idle_driver and /left_driver")
    assert node.settled_counts()["frames_processed"] == 5


@pytest.mark.parametrize("reliability", ["best_effort", "reliable"])
def test_a_latched_camera_info_that_was_published_before_the_node_started_is_used(
    harness, depth_checkpoint, reliability, capfd
):
    node = harness(depth_checkpoint, start=False, listen=("depth/image",), image__reliability=reliability)
    node.client.destroy_publisher(node.infos)
    infos = node.client.create_publisher(CameraInfo, "camera_info", LATCHED)
    infos.publish(camera_info(width=320, height=96))
    node.start(("depth/image",))
    node.wait(lambda: node.send(node.next_stamp()) or node.settle(0.05) or node.counts()["frames_processed"])
    assert node.stream.intake.camera_info.k[0] == 60.0
    assert not log_lines(capfd, "no camera_info")
    assert node.on_executor(node.node.trigger_deactivate).name == "SUCCESS"
    assert node.on_executor(node.node.trigger_activate).name == "SUCCESS"
    node.wait(lambda: node.stream.intake.camera_info, message="no camera_info after another activation")


def test_a_driver_that_is_not_latched_sees_no_subscription_that_does_not_match(driven, capfd):
    node, _ = driven(("driver", "camera"))
    infos = node.client.create_publisher(CameraInfo, "camera_info", BEST_EFFORT)
    node.wait(infos.get_subscription_count)
    node.settle(1.2)
    assert infos.get_subscription_count() == 1 and "incompatible" not in capfd.readouterr().err
    infos.publish(camera_info())
    node.wait(lambda: node.stream.intake.camera_info, message="best effort camera_info, with reliable images")


def test_a_camera_info_that_has_not_come_is_named_with_its_publisher_and_used_later(driven, capfd):
    node, (driver,) = driven(("driver", "camera"), camera_info_timeout=0.0)
    infos = driver.node.create_publisher(CameraInfo, "camera_info", RELIABLE)
    node.wait(infos.get_subscription_count)
    driver.send(node.next_stamp())
    wait_for_lines(capfd, "no camera_info on /camera_info so far, though published by /driver", "camera_info_timeout")
    infos.publish(camera_info())
    node.wait(lambda: node.stream.intake.camera_info)
    driver.send(node.next_stamp())
    assert node.stream.view_description and node.settled_counts()["frames_processed"] == 2


def test_each_image_gets_the_camera_info_of_its_camera(driven):
    node, (driver,) = driven(("driver", "right"))
    infos = [node.client.create_publisher(CameraInfo, "camera_info", RELIABLE) for _ in range(2)]
    node.wait(lambda: all(publisher.get_subscription_count() for publisher in infos))
    node.wait(lambda: node.node.count_publishers("/camera_info") == 2)
    contents = camera_info("right", focal=70.0), camera_info("left", focal=40.0)
    for publisher, message in zip(infos * 2, contents * 2):
        publisher.publish(message)
        node.wait(lambda message=message: node.stream.intake.camera_info == message)
    depth = node.client.create_subscription(CameraInfo, "depth/camera_info", node.received["info"].append, RELIABLE)
    node.wait(lambda: node.subscribers("depth/camera_info"))
    driver.send(node.next_stamp())
    node.wait(lambda: node.received["info"])
    k = node.received["info"][0].k
    assert k[0] / node.received["info"][0].width == pytest.approx(70.0 / 64, rel=0.02), k
    text = node.diagnosis("2 nodes publish /camera_info: /client (2 times)", "'left'", "'right'")
    assert node.received["/diagnostics"][-1].status[0].level == WARN, text
    node.client.destroy_subscription(depth)


def test_other_frames_in_image_and_camera_info_are_said_once(driven, capfd):
    node, (driver,) = driven(("driver", "optical"))
    infos = driver.node.create_publisher(CameraInfo, "camera_info", RELIABLE)
    node.wait(infos.get_subscription_count)
    infos.publish(camera_info("link"))
    node.wait(lambda: node.stream.intake.camera_info)
    for _ in range(3):
        driver.send(node.next_stamp())
    assert node.settled_counts()["frames_processed"] == 3
    assert len(log_lines(capfd, "images of frame 'optical' with the camera_info of frame 'link'")) == 1


def test_a_qos_that_does_not_match_is_a_warning_in_the_diagnostics(driven):
    node, _ = driven(no_image_timeout=0.2)
    shy = node.client.create_publisher(Image, "image", BEST_EFFORT)
    text = node.diagnosis("the QoS of /client on /image does not match", "set image.reliability to best_effort")
    assert "large images" not in text and node.received["/diagnostics"][-1].status[0].level == WARN, text
    node.client.destroy_publisher(shy)
