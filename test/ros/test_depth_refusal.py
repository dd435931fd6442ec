# SPDX-License-Identifier: Apache-2.0
"""Depth on the topic of a camera, remapped by mistake."""

import cv2
import numpy as np
import pytest
from sensor_msgs.msg import CompressedImage, Image

from monodepth_ros.data.images.image_codec import ImageError
from monodepth_ros.ros.interop import encode_compressed, encode_image
from monodepth_ros.ros.live.inputs.depth_refusal import DepthRefusal

HEADER = Image().header
MILLIMETRES = np.full((24, 32), 1500, np.uint16)
MILLIMETRES[:6] = 0
INFRARED = np.random.default_rng(0).integers(0, 4096, (24, 32), np.uint16)


def refusal(topic, message, is_stated=False, cameras=("/color/image_raw",)):
    """The text of the refusal, '' for an image that passes."""
    check = DepthRefusal(is_stated, "image", lambda: list(cameras)).check
    try:
        check(topic, message)
        check(topic, message)
    except ImageError as error:
        return str(error)
    return ""


def png(values, form="16UC1; png compressed"):
    return encode_compressed(form, cv2.imencode(".png", values)[1].reshape(-1), HEADER)


@pytest.mark.parametrize(
    "topic, message",
    [
        ("/camera/depth/image_raw", encode_image(MILLIMETRES, "16UC1", HEADER)),
        ("/camera/depth/image_rect_raw", encode_image(INFRARED, "mono16", HEADER)),
        ("/camera/aligned_depth_to_color/image_raw", encode_image(MILLIMETRES, "16UC1", HEADER)),
        ("/camera/image_raw", encode_image(MILLIMETRES, "16UC1", HEADER)),
        ("/camera/image_raw", encode_image(np.ones((4, 6), np.float32), "32FC1", HEADER)),
        ("/camera/depth/image_raw/compressed", png(MILLIMETRES)),
        ("/camera/image_raw/compressedDepth", png(MILLIMETRES, "16UC1; compressedDepth png")),
    ],
)
def test_depth_is_refused_with_the_camera_to_take_instead(topic, message):
    text = refusal(topic, message)
    assert f"{topic} holds depth" in text and "remap with image:=/color/image_raw" in text
    assert ("set image.encoding to mono16" in text) == ("32F" not in text)
    assert "image:=/your/topic" in refusal(topic, message, cameras=())
    assert refusal(topic, message, is_stated=True) == ""


@pytest.mark.parametrize(
    "topic, message",
    [
        ("/camera/image_raw", encode_image(INFRARED, "mono16", HEADER)),
        ("/camera/infra1/image_raw", encode_image(MILLIMETRES, "16UC1", HEADER)),
        ("/depth_camera/color/image_raw", encode_image(np.zeros((4, 6, 3), np.uint8), "rgb8", HEADER)),
        ("/camera/image_raw/compressed", png(np.zeros((4, 6, 3), np.uint8), "rgb8; png compressed bgr8")),
        ("/camera/image_raw/compressed", CompressedImage(format="jpeg")),
        ("/camera/depth/image_raw", Image(width=4, height=4, encoding="16UC1", step=8)),
    ],
)
def test_pictures_and_damaged_images_pass(topic, message):
    assert refusal(topic, message) == ""


def test_a_black_first_image_decides_nothing():
    check = DepthRefusal(False, "image", list).check
    check("/camera/image_raw", encode_image(np.zeros((24, 32), np.uint16), "16UC1", HEADER))
    with pytest.raises(ImageError, match="holds depth"):
        check("/camera/image_raw", encode_image(MILLIMETRES, "16UC1", HEADER))


def test_the_node_refuses_depth_in_log_and_diagnostics(harness, depth_checkpoint):
    node = harness(depth_checkpoint, listen=("depth/image", "/diagnostics"))
    node.send_info()
    node.expect_dropped(lambda: node.send(node.next_stamp(), MILLIMETRES, "16UC1"))
    node.diagnosis("/image holds depth (16UC1), not a camera's pictures", "remap with image:=")
