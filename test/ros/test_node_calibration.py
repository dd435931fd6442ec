# SPDX-License-Identifier: Apache-2.0
"""Changing and invalid calibrations of a running node, over DDS."""

import numpy as np
import pytest
from node_log import log_lines
from sensor_msgs.msg import CameraInfo

TEXTURE = np.random.default_rng(5).integers(0, 255, (96, 320, 3), np.uint8)


def info(width=320, height=96, fx=0.58, fy=1.92, **changes):
    """CameraInfo of a camera with normalised focal lengths, by default those of the training camera."""
    message = CameraInfo(width=width, height=height, distortion_model="plumb_bob", d=[0.0] * 5)
    message.k = [fx * width, 0.0, width / 2 - 0.5, 0.0, fy * height, height / 2 - 0.5, 0.0, 0.0, 1.0]
    for name, value in changes.items():
        setattr(message, name, value)
    return message


def texture(width, height):
    return np.random.default_rng(width + height).integers(0, 255, (height, width, 3), np.uint8)


def works(node, array=TEXTURE, encoding="rgb8", topic="depth/image"):
    """Send a frame that must be processed; its output."""
    return node.exchange(node.next_stamp(), array, encoding, topic)


def test_the_resolution_changes_before_and_after_its_camera_info(harness, depth_checkpoint, capfd):
    node = harness(depth_checkpoint)
    node.send_info()
    works(node)
    for width, height in ((640, 192), (160, 48), (322, 95)):
        for _ in range(3):  # the image first
            node.expect_dropped(lambda: node.send(node.next_stamp(), texture(width, height)))
        node.send_info(info(width, height))
        message = works(node, texture(width, height))
        assert (message.width, message.height) == (320, 96)
        k = node.output(node.stamp_ns, "depth/camera_info").k
        assert k[0] == pytest.approx(0.58 * 320) and k[4] == pytest.approx(1.92 * 96), k
    text = node.diagnosis("322x95", "160x48", "/camera_info")
    assert node.received["/diagnostics"][-1].status[0].level == b"\x02", text
    node.send_info()  # the camera_info first
    node.expect_dropped(lambda: node.send(node.next_stamp(), texture(322, 95)))
    works(node)
    assert len(log_lines(capfd, "[ERROR]", "320x96", "640x192")) == 1


def test_a_new_calibration_shows_in_the_next_frame(harness, depth_checkpoint):
    node = harness(depth_checkpoint)

    def seen(calibration):
        node.send_info(calibration)
        works(node)
        rectified = node.output(node.stamp_ns, "rgb/image_rect")
        return node.output(node.stamp_ns, "depth/camera_info").k, np.frombuffer(rectified.data, np.uint8)

    k, plain = seen(info())
    np.testing.assert_array_equal(plain, TEXTURE.reshape(-1))
    k_longer, same = seen(info(fx=0.59, fy=1.95))  # within tolerance: the picture stays, the rays change
    assert k_longer[0] == pytest.approx(k[0] * 0.59 / 0.58) and k_longer[4] == pytest.approx(k[4] * 1.95 / 1.92)
    np.testing.assert_array_equal(same, plain)
    _, rectified = seen(info(d=[-0.3, 0.1, 0.0, 0.0, 0.0]))
    assert np.abs(rectified.astype(int) - plain).mean() > 10
    k_again, again = seen(info())
    np.testing.assert_array_equal(again, plain)
    assert list(k_again) == list(k)
    node.output(node.stamp_ns, "depth/points")  # the last of its kind
    clouds = len(node.received["depth/points"])
    k_none, _ = seen(info(k=[0.0] * 9))  # not calibrated any more: depth goes on, the cloud does not
    assert list(k_none) == [0.0] * 9
    node.diagnosis("no cloud", "not calibrated")
    assert len(node.received["depth/points"]) == clouds
    seen(info())
    node.output(node.stamp_ns, "depth/points")
    for i in range(20):  # a zoom
        k_zoom, _ = seen(info(fx=0.56 + 0.002 * i))
        assert k_zoom[0] == pytest.approx((0.56 + 0.002 * i) * 320)


def test_an_invalid_calibration_drops_frames_until_a_valid_one_comes(harness, depth_checkpoint):
    node = harness(depth_checkpoint)
    k = list(info().k)
    useless = [
        (info(k=[float("nan"), *k[1:]]), "camera_info"),
        (info(k=[*k[:4], float("inf"), *k[5:]]), "camera_info"),
        (info(d=[float("nan")] * 5), "camera_info"),
        (info(distortion_model="fisheye_of_my_own", d=[0.1] * 4), "fisheye_of_my_own"),
        (info(d=[0.1, 0.2, 0.3]), "plumb_bob"),
        (info(640, 480), "640x480"),
        (info(k=[-1.0, *k[1:]]), "fx and fy above 0"),
    ]
    for calibration, named in useless:
        for _ in range(30):  # NaN differs from itself, so the harness's comparison would wait for ever
            node.infos.publish(calibration)
            node.settle(0.02)
            if repr(node.stream.intake.camera_info) == repr(calibration):
                break
        for _ in range(2):
            node.expect_dropped(lambda: node.send(node.next_stamp(), TEXTURE))
        message = node.stream.problems.current()[0].message
        assert named in message and "\n" not in message, f"{message!r} does not name {named}"
        node.send_info()
        works(node)
    node.diagnosis("camera_info")
    assert node.counts()["frames_failed"] == 0
