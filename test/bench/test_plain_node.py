# SPDX-License-Identifier: Apache-2.0
"""The plain node of the benchmark does the same work as the depth node."""

import os
import sys
from pathlib import Path

import numpy as np
import pytest

rclpy = pytest.importorskip("rclpy", reason="no rclpy: run scripts/test, or source a ROS 2 set-up")

from sensor_msgs.msg import Image  # noqa: E402
from std_msgs.msg import Header  # noqa: E402

from monodepth_ros.data.images.image_codec import Pixels  # noqa: E402
from monodepth_ros.geometry.camera import CameraModel  # noqa: E402
from monodepth_ros.inference.pytorch import PytorchEngine  # noqa: E402
from monodepth_ros.networks.checkpoints.checkpoint import load_checkpoint, save_checkpoint  # noqa: E402
from monodepth_ros.networks.checkpoints.header import CheckpointHeader  # noqa: E402
from monodepth_ros.networks.formula_weights import fill_networks_with_formula  # noqa: E402
from monodepth_ros.networks.registry import build_depth, build_pose  # noqa: E402
from monodepth_ros.odometry.checks.image_check import ImageChange, ImageCheck  # noqa: E402
from monodepth_ros.pipeline.config import PipelineConfig  # noqa: E402
from monodepth_ros.pipeline.frame import Demand, Frame  # noqa: E402
from monodepth_ros.pipeline.frame_pipeline import FramePipeline  # noqa: E402
from monodepth_ros.ros.live.outputs import camera_info  # noqa: E402
from monodepth_ros.settings.schema import replace  # noqa: E402

ROOT = Path(__file__).resolve().parents[2]
sys.path.append(str(ROOT))  # for bench/ alone
from bench.plain_node import PlainNode  # noqa: E402

sys.path.remove(str(ROOT))


@pytest.fixture(scope="module", autouse=True)
def ros():
    os.environ["ROS_AUTOMATIC_DISCOVERY_RANGE"] = "LOCALHOST"
    rclpy.init()
    yield
    rclpy.try_shutdown()


@pytest.mark.parametrize(("depth", "pose"), [("rt_monodepth_s", "posecnn"), ("resnet18", "shared_resnet18")])
def test_the_messages_agree_with_the_pipeline(tmp_path, monkeypatch, depth, pose):
    # A plain node does not check its images.
    monkeypatch.setattr(ImageCheck, "update", lambda self, gray: ImageChange())
    header = CheckpointHeader(depth, 64, 96, (0.58, 1.92, 0.5, 0.5), pose, scale_kind="metric", scale_factor=2.5)
    networks = build_depth(depth), build_pose(pose)
    fill_networks_with_formula(*networks)
    path = tmp_path / "networks.safetensors"
    save_checkpoint(path, header, *networks)
    camera = CameraModel.from_normalized(192, 128, header.training_camera)
    config = replace(PipelineConfig(), {"odometry.source": "network", "depth.min_range": 0.0, "depth.max_range": 1e4})
    config = replace(config, {"cloud.min_range": 0.0, "cloud.max_range": 1e4})
    pipeline = FramePipeline(PytorchEngine(load_checkpoint(path), "cpu"), header, config)
    node = PlainNode(str(path), compressed=False, outputs=["depth", "cloud", "odometry"])
    sent = {}
    for name in ("depth", "cloud", "odometry"):
        getattr(node, f"{name}_publisher").publish = lambda message, name=name: sent.__setitem__(name, message)
    try:
        for i in range(2):
            rgb = np.random.default_rng(i).integers(0, 256, (128, 192, 3), np.uint8)
            stamp = Header(frame_id="camera")
            stamp.stamp.sec = i + 1
            node.take_info(camera_info(camera, True, stamp))
            message = Image(header=stamp, width=192, height=128, step=576, encoding="rgb8", data=rgb.tobytes())
            node.take_image(message)
            frame = Frame((i + 1) * 1_000_000_000, Pixels(rgb, "rgb"), camera)
            expected = pipeline.process(frame, Demand(depth=True, cloud=True, odometry=True))
    finally:
        node.destroy_node()
    assert np.frombuffer(sent["depth"].data, np.float32).reshape(64, 96) == pytest.approx(expected.depth, rel=1e-4)
    points = np.frombuffer(sent["cloud"].data, expected.cloud.dtype).reshape(64, 96)
    assert points["z"] == pytest.approx(expected.cloud["z"], rel=1e-4)
    # Like most such nodes it scales the principal point with the size, which is off by a fraction of a pixel.
    for name, focal in (("x", expected.camera.fx), ("y", expected.camera.fy)):
        assert np.all(np.abs(points[name] - expected.cloud[name]) < 0.5 / focal * points["z"]), name
    assert np.array_equal(points["rgb"].view(np.uint32), expected.cloud["rgb"].view(np.uint32))
    position = sent["odometry"].pose.pose.position
    assert np.linalg.norm(expected.odometry.T_start_camera[:3, 3]) > 1e-3
    assert (position.x, position.y, position.z) == pytest.approx(
        tuple(expected.odometry.T_start_camera[:3, 3]), rel=1e-3, abs=1e-5
    )
