# SPDX-License-Identifier: Apache-2.0
"""Frames of several cameras through the depth network at once."""

import numpy as np
import pytest

from monodepth_ros.data.images.image_codec import Pixels
from monodepth_ros.geometry.camera import CalibrationError, CameraModel
from monodepth_ros.inference.config import EngineConfig
from monodepth_ros.inference.create_engine import create_engine
from monodepth_ros.networks.checkpoints.checkpoint import save_checkpoint
from monodepth_ros.networks.checkpoints.header import CheckpointHeader
from monodepth_ros.networks.formula_weights import fill_networks_with_formula
from monodepth_ros.networks.registry import build_depth, build_pose
from monodepth_ros.pipeline.config import PipelineConfig
from monodepth_ros.pipeline.depth_batch import infer_depth
from monodepth_ros.pipeline.frame import Demand, Frame
from monodepth_ros.pipeline.frame_pipeline import FramePipeline
from monodepth_ros.settings.schema import replace

TENTH = 100_000_000
TRAINING_CAMERA = (0.58, 1.92, 0.5, 0.5)
EVERYTHING = Demand(depth=True, color=True, cloud=True, rectified=True, statistics=True, odometry=True)
# Size and the first distortion coefficients of very different cameras.
CAMERAS = {"front": (320, 96, ()), "left": (200, 150, (-0.2, 0.05)), "right": (641, 193, (0.1,))}


@pytest.fixture(params=["pytorch", "openvino"])
def engine_and_header(request, tmp_path):
    if request.param == "openvino":
        pytest.importorskip("openvino")
    networks = build_depth("rt_monodepth_s"), build_pose("posecnn")
    fill_networks_with_formula(*networks)
    facts = dict(scale_kind="metric", scale_factor=2.0, scale_origin="test", training_camera=TRAINING_CAMERA)
    header = CheckpointHeader("rt_monodepth_s", 96, 320, pose_network="posecnn", **facts)
    path = tmp_path / "weights.safetensors"
    save_checkpoint(path, header, *networks)
    return create_engine(path, EngineConfig(device="cpu", precision="fp32", engine=request.param)), header


def pipelines(engine, header):
    config = replace(PipelineConfig(), {"depth.resolution": "image", "odometry.source": "network"})
    return {name: FramePipeline(engine, header, config) for name in CAMERAS}


def frame(name, index):
    width, height, distortion = CAMERAS[name]
    seed = 100 * sorted(CAMERAS).index(name) + index
    pixels = np.random.default_rng(seed).integers(0, 255, (height, width, 3), np.uint8)
    fx, fy, cx, cy = 0.58 * width, 1.92 * height, width / 2 - 0.5, height / 2 - 0.5
    K = np.array([[fx, 0, cx], [0, fy, cy], [0, 0, 1]])
    D = np.array([*distortion, 0, 0, 0, 0, 0][:5], dtype=float)
    camera = CameraModel(width, height, K=K, D=D, distortion_model="plumb_bob")
    return Frame(index * TENTH, Pixels(pixels, "rgb"), camera)


def test_a_batch_of_different_cameras_gives_the_depth_and_motion_of_each_alone(engine_and_header):
    alone, together = pipelines(*engine_and_header), pipelines(*engine_and_header)
    for index in range(1, 4):
        prepared = {name: together[name].prepare(frame(name, index), EVERYTHING) for name in CAMERAS}
        assert infer_depth(engine_and_header[0], list(prepared.values())) is None
        for name in CAMERAS:
            found = together[name].finish(prepared[name])
            together[name].track(prepared[name])
            expected = alone[name].process(frame(name, index), EVERYTHING)
            assert found.depth.shape == CAMERAS[name][1::-1], name
            finite = np.isfinite(expected.depth)
            np.testing.assert_array_equal(np.isfinite(found.depth), finite)
            error = np.abs(found.depth[finite] / expected.depth[finite] - 1).max()
            assert finite.mean() > 0.5 and error < 1e-5, f"{name}: depth differs by {error}"
            error = np.abs(found.odometry.T_start_camera - expected.odometry.T_start_camera).max()
            assert error < 1e-5, f"{name}: pose differs by {error}"
            np.testing.assert_array_equal(found.rectified, expected.rectified)


def test_cameras_of_different_shapes_share_an_engine(engine_and_header):
    engine, header = engine_and_header
    sizes = {"wide": (320, 96), "a": (320, 240), "b": (640, 480), "square": (200, 200)}

    def frames(index):
        found = {}
        for number, (name, (width, height)) in enumerate(sizes.items()):
            pixels = np.random.default_rng(10 * index + number).integers(0, 255, (height, width, 3), np.uint8)
            camera = CameraModel.pinhole(width, height, width, width, width / 2 - 0.5, height / 2 - 0.5)
            found[name] = Frame(index * TENTH, Pixels(pixels, "rgb"), camera)
        return found

    config = replace(PipelineConfig(), {"odometry.source": "network"})
    together, alone = ({name: FramePipeline(engine, header, config) for name in sizes} for _ in range(2))
    for index in (1, 2):
        prepared = {name: together[name].prepare(frame, EVERYTHING) for name, frame in frames(index).items()}
        assert infer_depth(engine, list(prepared.values())) is None
        for name, frame in frames(index).items():
            found, expected = together[name].finish(prepared[name]), alone[name].process(frame, EVERYTHING)
            together[name].track(prepared[name])
            np.testing.assert_allclose(found.depth, expected.depth, rtol=1e-5, err_msg=name)
            assert found.view.image_coverage > 0.8, f"{name}: {found.view.summary}"
            error = np.abs(found.odometry.T_start_camera - expected.odometry.T_start_camera).max()
            assert error < 1e-5, f"{name}: pose differs by {error}"
    shapes = {name: item.disparity.shape for name, item in prepared.items()}
    assert shapes == {"wide": (96, 320), "a": (96, 128), "b": (96, 128), "square": (96, 96)}


def test_an_image_of_another_size_than_its_calibration_is_refused(engine_and_header):
    wrong = Frame(TENTH, frame("left", 1).pixels, frame("front", 1).camera)
    with pytest.raises(CalibrationError, match="image of 200x150 but its calibration is for 320x96"):
        pipelines(*engine_and_header)["front"].process(wrong, EVERYTHING)


def test_only_frames_that_want_depth_are_in_the_batch(engine_and_header):
    engine, _ = engine_and_header
    made = pipelines(*engine_and_header)
    wants = {"front": Demand(depth=True), "left": Demand(rectified=True), "right": Demand(odometry=True)}
    prepared = {name: made[name].prepare(frame(name, 1), demand) for name, demand in wants.items()}
    infer_depth(engine, list(prepared.values()))
    assert [name for name, item in prepared.items() if item.disparity is not None] == ["front"]
    results = {name: made[name].finish(item) for name, item in prepared.items()}
    for name, item in prepared.items():
        made[name].track(item)
    assert results["front"].depth is not None and results["left"].depth is None
    assert results["left"].rectified.shape == (150, 200, 3) and results["right"].odometry is not None


def test_a_failed_batch_runs_frame_by_frame_and_loses_only_frames_that_fail_alone(engine_and_header, monkeypatch):
    engine, _ = engine_and_header
    made = pipelines(*engine_and_header)
    prepared = {name: made[name].prepare(frame(name, 1), EVERYTHING) for name in CAMERAS}
    infer, infer_batch = engine.disparity, engine.disparities

    def too_many(images):
        if len(images) > 1:
            raise RuntimeError("out of memory")
        return infer_batch(images)

    def disparity(image):
        if image is prepared["left"].image:
            raise RuntimeError("this one is bad")
        return infer(image)

    monkeypatch.setattr(engine, "disparities", too_many)
    monkeypatch.setattr(engine, "disparity", disparity)
    assert "out of memory" in str(infer_depth(engine, list(prepared.values())))
    with pytest.raises(RuntimeError, match="this one is bad"):
        made["left"].finish(prepared["left"])
    for name in ("front", "right"):
        assert np.isfinite(made[name].finish(prepared[name]).depth).mean() > 0.5, name
