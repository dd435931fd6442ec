# SPDX-License-Identifier: Apache-2.0
"""The DepthStatus message, as generated."""

import json
import math
from pathlib import Path

import pytest

pytest.importorskip("rclpy", reason="no ROS 2 in this environment")
message = pytest.importorskip("monodepth_ros.msg", reason="the message is not built here: run scripts/test")


def test_constants_are_those_that_other_programs_rely_on():
    wanted = {
        "SCALE_RELATIVE": 0,
        "SCALE_CHECKPOINT": 1,
        "SCALE_FIXED": 2,
        "SCALE_CAMERA_HEIGHT": 3,
        "SCALE_ODOMETRY": 4,
        "SCALE_METRIC_MODEL": 5,
        "SCALE_STEREO": 6,
        "SCALE_STATE_STATED": 0,
        "SCALE_STATE_WAITING": 1,
        "SCALE_STATE_MEASURED": 2,
        "SCALE_STATE_HELD": 3,
        "SCALE_STATE_CHANGING": 4,
        "ODOMETRY_NO_DATA": 0,
        "ODOMETRY_TRACKING": 1,
        "ODOMETRY_LOST": 2,
        "ODOMETRY_DISABLED": 3,
    }
    found = {name: getattr(message.DepthStatus, name) for name in wanted}
    assert found == wanted


def test_message_survives_the_wire_format():
    from rclpy.serialization import deserialize_message, serialize_message

    sent = message.DepthStatus(checkpoint="a/b.safetensors", device="cpu", frames_received=2**40, scale=5.4)
    sent.header.frame_id = "camera"
    sent.latency_transport_ms = math.nan
    sent.scale_source = message.DepthStatus.SCALE_FIXED
    got = deserialize_message(serialize_message(sent), message.DepthStatus)
    assert math.isnan(got.latency_transport_ms)
    got.latency_transport_ms = sent.latency_transport_ms = 0.0
    assert got == sent


def test_transform_message_has_the_type_hash_of_the_real_tf2_msgs():
    """Nodes recognise each other's types by it; `ros2 topic info -v /tf` shows this one on an apt ROS 2."""
    from ament_index_python import get_package_share_directory

    description = Path(get_package_share_directory("tf2_msgs"), "msg", "TFMessage.json")
    if not description.is_file():
        pytest.skip("ROS 2 humble has no type hashes")
    (found,) = [
        entry["hash_string"]
        for entry in json.loads(description.read_text())["type_hashes"]
        if entry["type_name"] == "tf2_msgs/msg/TFMessage"
    ]
    assert found == "RIHS01_e369d0f05a23ae52508854b66f6aa0437f3449d652e8cbf22d5abe85d020f087"
