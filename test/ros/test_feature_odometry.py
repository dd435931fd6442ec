# SPDX-License-Identifier: Apache-2.0
"""Odometry from features in the live node, over DDS, with good and bad images."""

import cv2
import numpy as np
import pytest
from geometry_msgs.msg import TwistWithCovarianceStamped
from nav_msgs.msg import Odometry
from sensor_msgs.msg import CameraInfo, Image
from std_srvs.srv import Trigger

from monodepth_ros.networks.checkpoints.bundled_checkpoint import bundled_checkpoint
from monodepth_ros.networks.checkpoints.checkpoint import load_checkpoint
from monodepth_ros.odometry.covariance import UNKNOWN_VARIANCE
from monodepth_ros.synthetic.drive import Drive

SECOND = 1_000_000_000
TENTH = SECOND // 10
LISTEN = ("odom", "/diagnostics")


@pytest.fixture(scope="module")
def images():
    """Images and poses of two seconds of a street that no network was trained on."""
    frames = list(Drive(1004, 2.0, 10.0))
    return [frame.image for frame in frames], [frame.T_world_camera for frame in frames]


@pytest.fixture
def node(harness, request):
    """A node with odometry from features, unless a test asks for another source."""
    source = getattr(request, "param", "features")
    node = harness(bundled_checkpoint(), listen=LISTEN, odometry__source=source, publish_tf=False)
    message = CameraInfo(width=640, height=192, distortion_model="plumb_bob", d=[0.0] * 5)
    message.k = [371.2, 0.0, 319.5, 0.0, 368.64, 95.5, 0.0, 0.0, 1.0]
    node.send_info(message)
    return node


def send(node, image, stamp_ns):
    return node.exchange(stamp_ns, image, topic="odom")


def is_lost(message: Odometry) -> bool:
    return message.pose.covariance[0] == UNKNOWN_VARIANCE


def position(message: Odometry):
    p = message.pose.pose.position
    return np.array((p.x, p.y, p.z))


BAD_STREAMS = {
    "black": lambda image, last: np.zeros_like(image),
    "frozen": lambda image, last: last,
    "blurred": lambda image, last: cv2.GaussianBlur(image, (0, 0), 20),
    "kidnapped": lambda image, last: np.ascontiguousarray(image[::-1, ::-1]),
}


@pytest.mark.parametrize("node", ["features", "network"], indirect=True)
@pytest.mark.parametrize("name", BAD_STREAMS)
def test_bad_images_lose_tracking_without_motion_and_it_recovers(node, images, name):
    pictures, _ = images
    before = [send(node, image, (i + 1) * TENTH) for i, image in enumerate(pictures[:6])]
    assert not any(is_lost(message) for message in before[1:])
    assert position(before[-1])[0] > 2.0, "no way made"
    bad = [
        send(node, BAD_STREAMS[name](pictures[i], pictures[5]), (i + 1) * TENTH)
        for i in range(6, 7 if name == "kidnapped" else 10)
    ]
    first = len(before) + len(bad)
    after = [send(node, pictures[i], (i + 1) * TENTH) for i in range(first, first + 5)]
    assert all(is_lost(message) for message in bad)
    np.testing.assert_array_equal([position(message) for message in bad], [position(before[-1])] * len(bad))
    for message in bad:
        assert message.twist.covariance[0] == UNKNOWN_VARIANCE
    recovered = [not is_lost(message) for message in after]
    assert recovered[1:] == [True] * 4, f"tracking after the bad frames: {recovered}"
    assert position(after[-1])[0] > position(after[0])[0] + 1.0


def test_twist_correspondences_and_reset(node, images):
    pictures, poses = images
    twists, views = [], []
    node.client.create_subscription(TwistWithCovarianceStamped, "twist", twists.append, 10)
    node.client.create_subscription(Image, "odom/correspondences", views.append, 10)
    node.wait(lambda: node.subscribers("odom/correspondences") == node.subscribers("twist") == 1)
    for i, image in enumerate(pictures[:8]):
        message = send(node, image, (i + 1) * TENTH)
    node.wait(lambda: len(twists) == 8 and len(views) == 8)
    last = twists[-1]
    assert last.header.frame_id == message.child_frame_id and last.header.stamp == message.header.stamp
    assert last.twist == message.twist
    speed = np.linalg.norm(poses[7][:3, 3] - poses[6][:3, 3]) / 0.1
    # The moving frame is the optical one: forward is z.
    assert last.twist.twist.linear.z == pytest.approx(speed, rel=0.08)
    header = load_checkpoint(bundled_checkpoint()).header
    assert (views[-1].width, views[-1].height, views[-1].encoding) == (header.width, header.height, "bgr8")
    node.wait(lambda: any("features" in str(m.status[0].values) for m in node.received["/diagnostics"]))
    assert node.call(Trigger, "reset_odometry", Trigger.Request()).success
    np.testing.assert_array_equal(position(send(node, pictures[8], 9 * TENTH)), np.zeros(3))
    assert position(send(node, pictures[9], 10 * TENTH))[0] > 0.3


def test_the_source_is_switched_while_the_node_runs(node, images):
    pictures, _ = images
    for i in range(3):
        send(node, pictures[i], (i + 1) * TENTH)
    assert node.set(odometry__source="network").successful
    messages = [send(node, pictures[i], (i + 1) * TENTH) for i in range(3, 6)]
    assert not is_lost(messages[-1])
    assert not node.set(odometry__source="stars").successful
