# SPDX-License-Identifier: Apache-2.0
"""The node reads odd calibrations as those of a recording are read, and tells about them."""

import numpy as np
import pytest
from node_log import log_lines, wait_for_lines
from rclpy.qos import QoSProfile
from sensor_msgs.msg import CameraInfo, Image

TEXTURE = np.random.default_rng(5).integers(0, 255, (96, 320, 3), np.uint8)
K = [185.6, 0.0, 159.5, 0.0, 184.32, 47.5, 0.0, 0.0, 1.0]
FAR = [185.6, 0.0, 37.9, 0.0, 184.32, 11.0, 0.0, 0.0, 1.0]
D = [-0.3, 0.1, 0.0, 0.0, 0.0]


def info(k, d=(0.0,) * 5):
    """CameraInfo of 320x96 pixels, with the training camera's P."""
    message = CameraInfo(width=320, height=96, distortion_model="plumb_bob", k=k, d=list(d))
    message.p = [*K[:3], 0.0, *K[3:6], 0.0, *K[6:], 0.0]
    return message


def rectified(node):
    """The rectified colour image that the node makes of the next image."""
    node.exchange(node.next_stamp(), TEXTURE)
    return np.frombuffer(node.output(node.stamp_ns, "rgb/image_rect").data, np.uint8).reshape(TEXTURE.shape)


def test_a_lens_that_can_hardly_be_right_is_a_warning(harness, depth_checkpoint, capfd):
    node = harness(depth_checkpoint)
    message = info(FAR)
    message.p = [0.0] * 12
    node.send_info(message)
    node.exchange(node.next_stamp(), TEXTURE)
    node.diagnosis("/camera_info can hardly be right: the principal point (37.9, 11.0) lies at 12 % of the width")
    assert wait_for_lines(capfd, "[WARN]", "can hardly be right")
    assert node.counts()["frames_invalid"] == 0, "no refusal"


def test_p_that_fits_where_k_does_not_is_used_and_said(harness, depth_checkpoint, capfd):
    node = harness(depth_checkpoint)
    node.send_info(info(FAR, D))
    np.testing.assert_array_equal(rectified(node), TEXTURE)
    assert wait_for_lines(capfd, "[INFO]", "taken as rectified (P fits the images and K does not)", "image.unrectified")


@pytest.mark.parametrize("is_overruled", [False, True])
def test_a_topic_named_rectified_is_not_rectified_again(harness, depth_checkpoint, capfd, is_overruled):
    node = harness(depth_checkpoint, ("-r", "image:=image_rect"), start=False, image__unrectified=is_overruled)
    node.images = node.client.create_publisher(Image, "image_rect", QoSProfile(depth=10))
    node.start()
    node.send_info(info(K, D))
    assert np.array_equal(rectified(node), TEXTURE) != is_overruled
    lines = log_lines(capfd, "images on /image_rect are taken as rectified (by the topic's name)")
    assert len(lines) == (0 if is_overruled else 1)
