# SPDX-License-Identifier: Apache-2.0
"""The share of the image that gets depth: in the node's log, status and diagnostics."""

import numpy as np
import pytest
from sensor_msgs.msg import CameraInfo

SECOND = 1_000_000_000
LISTEN = ("depth/image", "depth/status")


def picture(width=320, height=240):
    return np.random.default_rng(3).integers(0, 255, (height, width, 3), np.uint8)


def send_4_to_3(node):
    info = CameraInfo(width=320, height=240, distortion_model="plumb_bob")
    info.k, info.d, info.r = [277.0, 0.0, 159.5, 0.0, 277.0, 119.5, 0.0, 0.0, 1.0], [0.0] * 5, np.eye(3).reshape(-1)
    node.send_info(info)
    depth = node.exchange(SECOND, picture())
    return depth, node.output(SECOND, "depth/status")


@pytest.mark.parametrize("engine", ["pytorch", "openvino"])
def test_a_4_to_3_camera_gets_depth_on_its_whole_image(harness, depth_checkpoint, engine, capfd, tmp_path, monkeypatch):
    if engine == "openvino":
        pytest.importorskip("openvino")
        monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    node = harness(depth_checkpoint, listen=LISTEN, engine=engine)
    depth, status = send_4_to_3(node)
    assert (depth.width, depth.height) == (128, 96) and status.image_coverage == pytest.approx(1.0)
    line = "100 % of the image gets depth (the whole image at 128x96"
    assert node.health().values["view"].startswith(line)
    text = "preparing the engine for images of 128x96"
    logged = [entry for entry in capfd.readouterr().err.splitlines() if line in entry or text in entry]
    assert len(logged) == 2 and all("INFO" in entry for entry in logged), logged
    assert text in logged[0] and "320x240 from camera_optical" in logged[1], logged


def test_a_small_share_of_the_image_is_a_warning_in_the_log_alone(harness, depth_checkpoint, capfd):
    node = harness(depth_checkpoint, listen=LISTEN, image__view="training")
    depth, status = send_4_to_3(node)
    assert (depth.width, depth.height) == (320, 96) and status.image_coverage == pytest.approx(0.4, abs=0.02)
    health = node.health()
    assert not [text for text in health.messages if "gets depth" in text], health.messages
    assert health.values["view"].startswith("40 % of the image gets depth (only"), health.values
    logged = [text for text in capfd.readouterr().err.splitlines() if "40 % of the image gets depth" in text]
    assert len(logged) == 1 and "WARN" in logged[0] and "set image.view to whole" in logged[0], logged
