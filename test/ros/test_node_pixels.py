# SPDX-License-Identifier: Apache-2.0
"""What the bytes of a live camera's images mean: recognised and warned about once, or as a parameter states."""

import cv2
import numpy as np
import pytest
from node_log import log_lines

NEEDED = ["depth/image", "rgb/image_rect"]
LUMA = cv2.GaussianBlur(np.random.default_rng(3).integers(0, 255, (96, 320), np.uint8), (0, 0), 1.5)
LUMA = cv2.normalize(LUMA, None, 16, 235, cv2.NORM_MINMAX)
YUYV = np.dstack((LUMA, np.full_like(LUMA, 128)))


def rectified(node, array, encoding):
    """The rectified picture (H, W, 3) of a sent image."""
    message = node.exchange(node.next_stamp(), array, encoding, "rgb/image_rect")
    return np.frombuffer(message.data, np.uint8).reshape(message.height, message.width, 3).astype(int)


def test_yuyv_that_is_called_yuv422_is_read_rightly_and_warned_about_once(harness, depth_checkpoint, capfd):
    node = harness(depth_checkpoint, listen=NEEDED)
    node.send_info()
    expected = rectified(node, LUMA, "mono8")
    for _ in range(3):
        assert np.abs(rectified(node, YUYV, "yuv422") - expected).max() < 24  # YUV has 220 steps
    lines = log_lines(capfd, "[WARN]", "in the order of yuv422_yuy2")
    assert len(lines) == 1 and "/image: " in lines[0] and "image.encoding" in lines[0], lines


def test_a_stated_encoding_replaces_that_of_the_messages(harness, depth_checkpoint, capfd):
    node = harness(depth_checkpoint, listen=NEEDED, image__encoding="yuyv")
    node.send_info()
    picture = rectified(node, YUYV, "rgb8")
    assert np.abs(picture - picture[..., :1]).max() <= 2, "grey"
    assert log_lines(capfd, "[WARN]", "in the order of") == []


@pytest.mark.parametrize("settings", [{}, {"image__intensity_range": "0:1023"}])
def test_an_image_of_10_bits_is_as_bright_as_one_of_8(harness, depth_checkpoint, settings):
    node = harness(depth_checkpoint, listen=NEEDED, **settings)
    node.send_info()
    expected = rectified(node, LUMA, "mono8")
    assert np.abs(rectified(node, LUMA.astype(np.uint16) << 2, "mono16") - expected).max() <= 2
