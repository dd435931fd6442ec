# SPDX-License-Identifier: Apache-2.0
"""The recordings of a depth camera, a stereo camera and a drone, played to a node that nobody has configured."""

import sys
import time
from pathlib import Path

import pytest
import rclpy
from rclpy.executors import SingleThreadedExecutor

from monodepth_ros.ros.demonstration.output_listener import OutputListener
from monodepth_ros.ros.demonstration.processes import child, ros_arguments

sys.path.insert(0, str(Path(__file__).parents[1] / "first_minute"))

from recordings import RECORDINGS

TOPICS = ("depth/status", "depth/image", "depth/points", "odom", "/tf")


@pytest.fixture
def client():
    context = rclpy.Context()
    rclpy.init(context=context)
    node = rclpy.create_node("client", context=context)
    executor = SingleThreadedExecutor(context=context)
    executor.add_node(node)
    yield node, executor
    executor.shutdown()
    node.destroy_node()
    context.try_shutdown()


@pytest.mark.parametrize(
    "device, seconds, remappings, moving_frame",
    [
        ("depth camera", 8.0, {}, "camera_link"),  # TF waits two seconds for a robot's tree
        ("stereo camera", 4.0, {"image": "/zed/zed_node/left/color/rect/image"}, "base_link"),
        ("drone", 4.0, {}, "base_link"),
    ],
)
def test_depth_odometry_and_tf_come_without_settings(device, seconds, remappings, moving_frame, tmp_path, client):
    node, executor = client
    recording = RECORDINGS[device](tmp_path, seconds)
    listener = OutputListener(node, topics=TOPICS)
    play = [str(recording), "--wait-subscribers", "1", "--wait-timeout", "60"]
    with (
        child("monodepth_ros.ros.depth_node", ros_arguments({}, remappings)),
        child("monodepth_ros.ros.play", play),
    ):
        deadline = time.monotonic() + 90
        while not all(listener.counts[topic] for topic in TOPICS) and time.monotonic() < deadline:
            executor.spin_once(timeout_sec=0.1)
    assert all(listener.counts[topic] for topic in TOPICS), dict(listener.counts)
    status = listener.last["depth/status"]
    assert status.checkpoint == "demonstration" and status.image_coverage > 0.8, status
    assert status.scale_source == status.SCALE_CHECKPOINT and 0.5 < status.median_depth < 60, status
    (transform,) = listener.last["/tf"].transforms
    assert (transform.header.frame_id, transform.child_frame_id) == ("odom", moving_frame)
    assert listener.last["odom"].child_frame_id == moving_frame
