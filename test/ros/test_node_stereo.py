# SPDX-License-Identifier: Apache-2.0
"""The scale from a second camera in the running node, over DDS."""

import math

import numpy as np
import pytest
from geometry_msgs.msg import TransformStamped
from rclpy.qos import QoSProfile, ReliabilityPolicy
from sensor_msgs.msg import CameraInfo, Image
from std_msgs.msg import Header
from tf2_msgs.msg import TFMessage

from monodepth_ros.msg import DepthStatus
from monodepth_ros.networks.disparity import scale_disparity
from monodepth_ros.ros.interop import encode_image
from monodepth_ros.ros.transforms import TF_STATIC_QOS
from monodepth_ros.synthetic.drive import Drive, default_camera, stereo_pair

RELIABLE = QoSProfile(depth=20, reliability=ReliabilityPolicy.RELIABLE)
FACTOR = 4.3  # metres per network unit, unknown to the node
BASELINE = 0.5


@pytest.fixture(scope="module")
def frames():
    """One moment seen by a left and a right camera."""
    drive = Drive(9401, seconds=0.1, cameras=stereo_pair(default_camera(320, 96), BASELINE))
    return {name: drive.frame(0, name) for name in ("left", "right")}


def info_of(name, header, states_baseline):
    """The camera_info of a camera of the pair."""
    camera = stereo_pair(default_camera(320, 96), BASELINE)[name].model
    P = camera.P if states_baseline else np.hstack([camera.K, np.zeros((3, 1))])
    message = CameraInfo(header=header, width=320, height=96, distortion_model="plumb_bob", d=[0.0] * 5)
    message.k, message.r, message.p = camera.K.reshape(-1), np.eye(3).reshape(-1), P.reshape(-1)
    return message


class Pair:
    """A node with two cameras, and the cameras on its client. The network sees the exact depth in its own units."""

    def __init__(self, harness, checkpoint, frames, states_baseline, **parameters):
        self.node = harness(
            checkpoint, start=False, cameras=["left", "right"], scale__stereo_camera="right", **parameters
        )
        assert self.node.node.trigger_configure().name == "SUCCESS"
        far, near = scale_disparity(np.array([0.0, 1.0]), 0.1, 100.0)
        inverse = FACTOR / frames["left"].depth
        disparity = np.clip((inverse - far) / (near - far), 0, 1).astype(np.float32)
        self.node.engine.disparity = lambda image: disparity.copy()
        self.frames, self.status = frames, []
        client = self.node.client
        client.create_subscription(DepthStatus, "left/depth/status", self.status.append, RELIABLE)
        self.images = {name: client.create_publisher(Image, f"{name}/image", RELIABLE) for name in frames}
        infos = {name: client.create_publisher(CameraInfo, f"{name}/camera_info", RELIABLE) for name in frames}
        assert self.node.on_executor(self.node.node.trigger_activate).name == "SUCCESS"
        publishers = [*self.images.values(), *infos.values()]
        self.node.wait(lambda: all(item.get_subscription_count() for item in publishers))
        self.node.wait(lambda: self.node.subscribers("left/depth/status"))
        for name, publisher in infos.items():
            publisher.publish(info_of(name, Header(frame_id=name), states_baseline))
        self.node.wait(lambda: all(stream.intake.camera_info for stream in self.node.node.streams))

    def send(self, count):
        """Images of both cameras at 10 Hz; the last status."""
        for _ in range(count):
            stamp_ns, before = self.node.next_stamp(), len(self.status)
            for name in ("right", "left"):
                header = self.node.header(stamp_ns, name)
                self.images[name].publish(encode_image(self.frames[name].image, "rgb8", header))
            self.node.wait(lambda before=before: len(self.status) > before)
        return self.status[-1]


def test_the_baseline_of_the_calibrations_gives_metres_although_nobody_listens_to_the_second_camera(
    harness, relative_checkpoint, frames
):
    pair = Pair(harness, relative_checkpoint, frames, True, scale__source="stereo", odometry__enabled=False)
    found = pair.send(20)
    assert (found.scale_source, found.scale_state) == (found.SCALE_STEREO, found.SCALE_STATE_MEASURED)
    assert found.scale == pytest.approx(FACTOR, rel=0.03), f"{found.scale} metres per unit"
    left, right = pair.node.node.streams
    assert right.counters.counts()["frames_processed"] == 0 and right.scale.factor == left.scale.factor
    assert "stereo" in pair.node.health().values["scale"]


def test_tf_gives_the_second_cameras_place_if_the_calibrations_do_not(harness, relative_checkpoint, frames):
    pair = Pair(harness, relative_checkpoint, frames, False, scale__source="stereo", odometry__enabled=False)
    waiting = pair.send(5)
    assert math.isnan(waiting.scale) and waiting.scale_state == waiting.SCALE_STATE_WAITING
    assert any("states no baseline" in text for text in pair.node.health().messages), pair.node.health().messages
    broadcaster = pair.node.client.create_publisher(TFMessage, "/tf_static", TF_STATIC_QOS)
    item = TransformStamped(child_frame_id="right")
    item.header.frame_id, item.transform.translation.x = "left", BASELINE
    broadcaster.publish(TFMessage(transforms=[item]))
    pair.node.wait(lambda: pair.send(1).scale_state == waiting.SCALE_STATE_MEASURED, message="TF did not help")
    assert pair.send(10).scale == pytest.approx(FACTOR, rel=0.03)


def test_auto_takes_the_pair_instead_of_the_checkpoints_metres(harness, depth_checkpoint, frames):
    pair = Pair(harness, depth_checkpoint, frames, True, odometry__enabled=False, scale__time_constant=0.2)
    found = pair.send(40)
    assert found.scale_source == found.SCALE_STEREO and found.scale == pytest.approx(FACTOR, rel=0.03), found.scale
