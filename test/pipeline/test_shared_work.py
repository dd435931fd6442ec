# SPDX-License-Identifier: Apache-2.0
"""Depth and motion of a stream share their passes through the networks, and memory stays constant."""

import gc
import tracemalloc

import numpy as np
import pytest

from monodepth_ros.data.images.image_codec import Pixels
from monodepth_ros.geometry.camera import CameraModel
from monodepth_ros.geometry.motion import invert
from monodepth_ros.inference.config import EngineConfig
from monodepth_ros.inference.create_engine import create_engine
from monodepth_ros.inference.onnxruntime import OnnxRuntime
from monodepth_ros.inference.openvino import OpenvinoRuntime
from monodepth_ros.networks.checkpoints.checkpoint import Checkpoint
from monodepth_ros.networks.checkpoints.header import CheckpointHeader
from monodepth_ros.networks.formula_weights import fill_networks_with_formula
from monodepth_ros.networks.registry import build_depth, build_pose
from monodepth_ros.networks.resnet import ResNetEncoder
from monodepth_ros.networks.rt_monodepth import RTMonoDepthEncoder
from monodepth_ros.odometry.checks.image_check import ImageChange, ImageCheck
from monodepth_ros.pipeline.config import PipelineConfig
from monodepth_ros.pipeline.frame import Demand, Frame
from monodepth_ros.pipeline.frame_pipeline import FramePipeline
from monodepth_ros.settings.schema import replace

TENTH = 100_000_000
CAMERA = (0.58, 1.92, 0.5, 0.5)
PACKAGES = {"pytorch": (), "openvino": ("openvino",), "onnxruntime": ("onnxruntime", "onnx")}
NETWORKS = [("resnet18", "shared_resnet18"), ("rt_monodepth_s", "posecnn")]


@pytest.fixture(params=list(PACKAGES))
def create(request, monkeypatch, tmp_path):
    """create_engine in float32 of each engine that is installed, with an empty cache."""
    for package in PACKAGES[request.param]:
        pytest.importorskip(package, reason=f"no {package}")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return lambda checkpoint: create_engine(
        checkpoint, EngineConfig(device="cpu", precision="fp32", engine=request.param)
    )


def checkpoint_of(depth, pose):
    header = CheckpointHeader(depth, 32, 96, CAMERA, pose, scale_kind="metric", scale_factor=1.0)
    networks = build_depth(depth).eval(), build_pose(pose).eval()
    fill_networks_with_formula(*networks)
    return Checkpoint(header, *networks, path="memory", sha256="")


def images(count):
    """A texture that moves sideways."""
    texture = np.random.default_rng(3).integers(0, 256, (32, 96 + count, 3), np.uint8)
    return [texture[:, i : i + 96].copy() for i in range(count)]


def frame(index, image):
    return Frame((index + 1) * TENTH, Pixels(image, "rgb"), CameraModel.from_normalized(96, 32, CAMERA))


def pipeline_of(engine, **settings):
    config = replace(PipelineConfig(), {name.replace("__", "."): value for name, value in settings.items()})
    return FramePipeline(engine, engine.header, config)


def create_counted(create, checkpoint, monkeypatch):
    """An engine, and the counts of images loaded, passes of the depth encoder and passes of the pose network."""
    counts = dict.fromkeys(("loaded", "encoder", "pose"), 0)

    def counted(name, function):
        def call(*arguments):
            counts[name] += 1
            return function(*arguments)

        return call

    def load_counted(load):
        return lambda self, path: counted("pose" if "pose" in path.stem else "encoder", load(self, path))

    for runtime in (OpenvinoRuntime, OnnxRuntime):
        monkeypatch.setattr(runtime, "load", load_counted(runtime.load))
    encoder = next(m for m in checkpoint.depth.modules() if isinstance(m, (ResNetEncoder, RTMonoDepthEncoder)))
    encoder.register_forward_hook(counted("encoder", lambda *_: None))
    checkpoint.pose.register_forward_hook(counted("pose", lambda *_: None))
    engine = create(checkpoint)
    engine.load_image = counted("loaded", engine.load_image)
    for name in counts:  # conversion and parity check run the networks, too
        counts[name] = 0
    return engine, counts


@pytest.mark.parametrize(("depth", "pose"), NETWORKS)
def test_an_image_is_loaded_and_encoded_once_with_the_results_of_separate_passes(create, monkeypatch, depth, pose):
    # The image check would reject images with this much noise.
    monkeypatch.setattr(ImageCheck, "update", lambda self, gray: ImageChange())
    checkpoint = checkpoint_of(depth, pose)
    shown, demand = images(4), Demand(depth=True, odometry=True)
    engine, counts = create_counted(create, checkpoint, monkeypatch)
    pipeline = pipeline_of(engine, odometry__source="network", odometry__max_speed=1e3, odometry__max_turn_rate=50.0)
    results = [pipeline.process(frame(i, image), demand) for i, image in enumerate(shown)]
    assert counts == {"loaded": 4, "encoder": 4, "pose": 3}
    alone = create(checkpoint)
    T_start_camera = np.eye(4)
    for result, earlier, later in zip(results[1:], shown, shown[1:], strict=False):
        T_start_camera = T_start_camera @ invert(alone.motion(alone.load_image(earlier), alone.load_image(later)))
        assert np.linalg.norm(T_start_camera[:3, 3]) > 1e-4
        np.testing.assert_allclose(result.odometry.T_start_camera, T_start_camera, atol=1e-6)
    disparity = alone.disparity(alone.load_image(shown[-1]))
    header = checkpoint.header
    expected = 1 / (1 / header.max_depth + (1 / header.min_depth - 1 / header.max_depth) * disparity)
    finite = np.isfinite(results[-1].depth)
    assert finite.any()
    np.testing.assert_allclose(results[-1].depth[finite], expected[finite], rtol=1e-5)


@pytest.mark.parametrize("source", ["network", "features"])
def test_memory_stays_flat(source):
    """Memory of Python and numpy; one image kept from every frame would be 1.8 MB."""
    engine = create_engine(
        checkpoint_of("rt_monodepth_s", "posecnn"), EngineConfig(device="cpu", precision="fp32", engine="pytorch")
    )
    pipeline = pipeline_of(engine, odometry__source=source)
    demand = Demand(
        depth=True, color=True, cloud=True, rectified=True, statistics=True, odometry=True, correspondences=True
    )
    shown = images(20)

    def run(begin, end):
        for i in range(begin, end):
            pipeline.process(frame(i, shown[i % 20 if i // 20 % 2 == 0 else 19 - i % 20]), demand)
        gc.collect()

    run(0, 100)
    tracemalloc.start()
    try:
        run(100, 140)
        before = tracemalloc.get_traced_memory()[0]
        run(140, 340)
        growth = tracemalloc.get_traced_memory()[0] - before
    finally:
        tracemalloc.stop()
    assert growth < 200_000, f"{growth / 1e3:.0f} kB in 200 frames"
