# SPDX-License-Identifier: Apache-2.0
"""Publishers and subscribers that are missing, come, go or do not match, over DDS."""

import numpy as np
import rclpy
from node_log import log_lines, wait_for_lines
from rclpy.qos import DurabilityPolicy, QoSProfile, ReliabilityPolicy
from sensor_msgs.msg import CameraInfo, Image, PointCloud2

from monodepth_ros.ros.interop import encode_image

TENTH = 100_000_000
TEXTURE = np.random.default_rng(5).integers(0, 255, (96, 320, 3), np.uint8)


def start(node):
    """Configure and activate without waiting for the harness's own publishers."""
    steps = node.on_executor(lambda: [node.node.trigger_configure().name, node.node.trigger_activate().name])
    assert steps == ["SUCCESS", "SUCCESS"]


def works(node, array=TEXTURE, encoding="rgb8", topic="depth/image"):
    """Send a frame that must be processed; its output."""
    return node.exchange(node.next_stamp(), array, encoding, topic)


def test_a_missing_publisher_is_reported_with_topic_and_remedy_even_without_a_clock(harness, depth_checkpoint, capfd):
    node = harness(
        depth_checkpoint, ["-r", "image:=/nobody/camera"], start=False, no_image_timeout=0.1, use_sim_time=True
    )
    start(node)
    text = node.diagnosis("no image for", "no publisher on /nobody/camera")
    assert "image:=" in text and node.received["/diagnostics"][-1].status[0].level == b"\x01", text
    assert len(log_lines(capfd, "[WARN]", "no publisher on /nobody/camera", "image:=")) == 1


def test_a_silent_publisher_is_distinguished_from_a_missing_one(harness, depth_checkpoint):
    node = harness(depth_checkpoint, no_image_timeout=0.1)
    assert "image.reliability" in node.diagnosis("1 publisher(s) on /image")
    node.send_info()
    works(node)


def test_a_new_publisher_can_replace_a_dead_one(harness, depth_checkpoint):
    node = harness(depth_checkpoint, ["-r", "image:=/other/image"], start=False)
    start(node)
    node.infos = node.client.create_publisher(CameraInfo, "/other/camera_info", 1)
    node.send_info()
    for life in range(3):
        context = rclpy.Context()
        rclpy.init(context=context)
        camera = rclpy.create_node("camera", context=context)
        publisher = camera.create_publisher(Image, "/other/image", QoSProfile(depth=1))
        node.wait(lambda: publisher.get_subscription_count() == 1 and node.node.count_publishers("/other/image") == 1)
        for i in range(1, 4):  # each begins at the same stamps, like a bag that is played again
            publisher.publish(encode_image(TEXTURE, "rgb8", node.header(i * TENTH + life)))
            node.output(i * TENTH + life)
        camera.destroy_node()
        context.try_shutdown()
        node.wait(lambda: node.node.count_publishers("/other/image") == 0)
    assert node.settled_counts()["frames_processed"] == 9


def test_a_best_effort_publisher_for_a_reliable_subscription_is_logged_with_the_remedy(
    harness, depth_checkpoint, capfd
):
    node = harness(depth_checkpoint, ["-r", "image:=/shy/image"], start=False, image__reliability="reliable")
    shy = rclpy.create_node("shy", context=node.contexts[1])
    shy.create_publisher(Image, "/shy/image", QoSProfile(depth=1, reliability=ReliabilityPolicy.BEST_EFFORT))
    start(node)
    lines = wait_for_lines(capfd, "incompatible QoS")
    assert all(word in lines[0] for word in ("/shy/image", "reliability", "image.reliability to best_effort")), lines
    shy.destroy_node()


def test_a_transient_local_subscriber_is_logged_with_the_remedy_and_others_are_served(harness, depth_checkpoint, capfd):
    node = harness(depth_checkpoint, listen=("depth/status",))
    node.send_info()
    got = {name: [] for name in ("reliable", "best effort", "latched")}
    profiles = {
        "reliable": QoSProfile(depth=5, reliability=ReliabilityPolicy.RELIABLE),
        "best effort": QoSProfile(depth=5, reliability=ReliabilityPolicy.BEST_EFFORT),
        "latched": QoSProfile(depth=1, durability=DurabilityPolicy.TRANSIENT_LOCAL),
    }

    def subscribe():
        for name, qos in profiles.items():
            node.client.create_subscription(Image, "depth/image", got[name].append, qos)

    node.on_executor(subscribe, 1)
    lines = wait_for_lines(capfd, "incompatible QoS")
    assert all(word in lines[0] for word in ("/depth/image", "durability", "volatile")), lines
    node.wait(lambda: node.subscribers("depth/image") == 2)
    works(node, topic="depth/status")
    node.wait(lambda: got["reliable"] and got["best effort"])
    assert not got["latched"]


def test_subscribers_come_and_go_between_frames(harness, depth_checkpoint):
    node = harness(depth_checkpoint, listen=("depth/status",))
    node.send_info()
    for _ in range(4):
        clouds = []
        subscription = node.on_executor(
            lambda: node.client.create_subscription(PointCloud2, "depth/points", clouds.append, 5), 1
        )
        node.wait(lambda: node.subscribers("depth/points") == 1)
        for _ in range(3):
            works(node, topic="depth/status")
        node.wait(lambda: len(clouds) == 3)
        node.on_executor(lambda: node.client.destroy_subscription(subscription), 1)
        node.wait(lambda: node.subscribers("depth/points") == 0)
        works(node, topic="depth/status")
    counts = node.settled_counts()
    assert (counts["frames_failed"], counts["frames_processed"]) == (0, 16), counts
