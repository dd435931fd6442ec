# SPDX-License-Identifier: Apache-2.0
"""The golden motion through the whole node, over DDS."""

import numpy as np
import pytest
from nav_msgs.msg import Odometry
from sensor_msgs.msg import CameraInfo

from monodepth_ros.geometry.motion import R_BODY_OPTICAL, axis_angle_to_rotation, invert, make_transform
from monodepth_ros.inference.create_engine import create_engine
from monodepth_ros.networks.checkpoint import CheckpointHeader, save_checkpoint
from monodepth_ros.networks.formula_weights import fill_networks_with_formula, formula_image
from monodepth_ros.networks.registry import build_depth, build_pose
from monodepth_ros.odometry.image_check import ImageChange, ImageCheck
from monodepth_ros.ros.interop import rotation_from_quaternion

SECOND = 1_000_000_000
TENTH = SECOND // 10
# T_later_earlier of the two formula images, with formula weights.
GOLDEN_AXIS_ANGLE = (0.082392396635833, -0.3476267160316218, 0.11310209059155471)
GOLDEN_TRANSLATION = (0.19320270801496603, -0.1700958391765054, -0.29535399364019743)


def pose_of(message: Odometry):
    p, q = message.pose.pose.position, message.pose.pose.orientation
    return make_transform(rotation_from_quaternion((q.x, q.y, q.z, q.w)), (p.x, p.y, p.z))


def node_info(width, height):
    message = CameraInfo(width=width, height=height, distortion_model="plumb_bob", d=[0.0] * 5)
    message.k = [0.58 * width, 0.0, width / 2 - 0.5, 0.0, 1.92 * height, height / 2 - 0.5, 0.0, 0.0, 1.0]
    return message


@pytest.fixture(scope="module")
def golden_checkpoint(tmp_path_factory):
    """The golden networks of formula weights."""
    networks = build_depth("resnet18"), build_pose("separate_resnet18")
    fill_networks_with_formula(*networks)
    path = tmp_path_factory.mktemp("golden") / "golden.safetensors"
    header = CheckpointHeader("resnet18", 192, 640, (0.58, 1.92, 0.5, 0.5), pose_network="separate_resnet18")
    save_checkpoint(path, header, *networks)
    return path


def test_the_node_publishes_the_golden_motion(harness, golden_checkpoint, monkeypatch):
    """The published pose for formula weights and images, through DDS, decoding, networks and odometry."""
    # Images by a formula have no corners, and so would be doubted.
    monkeypatch.setattr(ImageCheck, "update", lambda self, gray: ImageChange())
    node = harness(
        golden_checkpoint, scale__source="fixed", scale__factor=1.0, odometry__max_turn_rate=20.0, publish_tf=False
    )
    info = node_info(640, 192)
    node.send_info(info)
    images = [np.rint(255 * formula_image(phase).transpose(1, 2, 0)).astype(np.uint8) for phase in (0.0, 0.7)]
    node.exchange(SECOND, images[0], topic="odom")
    message = node.exchange(SECOND + TENTH, images[1], topic="odom")
    # In the optical axes of the first camera; odom has body axes there.
    T_first_second = make_transform(R_BODY_OPTICAL.T, np.zeros(3)) @ pose_of(message)
    found = invert(T_first_second)
    golden = make_transform(axis_angle_to_rotation(GOLDEN_AXIS_ANGLE), GOLDEN_TRANSLATION)
    error = np.abs(found - golden).max()
    # 8-bit images instead of exact ones.
    assert error < 2e-3, f"published motion is off by {error}:\n{found}\nexpected\n{golden}"
    engine = create_engine(golden_checkpoint, "cpu", "fp32")
    direct = engine.motion(engine.load_image(images[0]), engine.load_image(images[1]))
    error = np.abs(found - direct).max()
    assert error < 1e-5, f"node and engine differ by {error}"
