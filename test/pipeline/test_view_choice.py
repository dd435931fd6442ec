# SPDX-License-Identifier: Apache-2.0
"""The part of the image that gets depth, for cameras of every shape."""

import math

import cv2
import numpy as np
import pytest

from monodepth_ros.data.images.image_codec import Pixels
from monodepth_ros.evaluation.depth_metrics import evaluate_depth
from monodepth_ros.geometry.camera import CameraModel
from monodepth_ros.inference.engine import EngineError
from monodepth_ros.inference.pytorch import PytorchEngine
from monodepth_ros.networks.checkpoints.checkpoint import load_checkpoint
from monodepth_ros.odometry.visual_odometry import TrackingState
from monodepth_ros.offline.depth_predictor import DepthPredictor
from monodepth_ros.pipeline.config import PipelineConfig
from monodepth_ros.pipeline.frame import Demand, Frame
from monodepth_ros.pipeline.frame_pipeline import FramePipeline
from monodepth_ros.pipeline.network_view import view_through
from monodepth_ros.pipeline.view_choice import choose_view
from monodepth_ros.settings.schema import replace
from monodepth_ros.synthetic.drive import Drive, mounted


@pytest.fixture(scope="module")
def checkpoint():
    return load_checkpoint("demonstration")


@pytest.fixture(scope="module")
def header(checkpoint):
    return checkpoint.header


def camera_of(width, height, degrees):
    focal = width / 2 / math.tan(math.radians(degrees / 2))
    return CameraModel.pinhole(width, height, focal, focal, width / 2 - 0.5, height / 2 - 0.5)


@pytest.mark.parametrize("degrees", [40, 60, 80, 100])
@pytest.mark.parametrize(
    ("size", "columns"), [((640, 480), 128), ((1280, 720), 160), ((480, 480), 96), ((360, 640), 64)]
)
def test_the_whole_image_gets_depth_at_the_networks_number_of_rows(header, size, columns, degrees):
    view = choose_view(camera_of(*size, degrees), header)
    assert (view.kind, view.size) == ("whole", (columns, header.height))
    assert view.image_coverage == pytest.approx(1.0) and view.resampler.valid is None
    rows_of_training = 1.92 * header.height
    assert view.depth_factor == pytest.approx(view.camera.fy / rows_of_training, rel=1e-6)
    assert view.summary.startswith("100 % of the image gets depth (the whole image at")


def test_a_panorama_is_squeezed_to_twice_the_networks_columns(header):
    view = choose_view(camera_of(4000, 400, 120), header)
    assert view.size == (2 * header.width, header.height) and view.image_coverage == pytest.approx(1.0)


@pytest.mark.parametrize(
    "camera",
    [
        CameraModel.pinhole(1242, 375, 721.5377, 721.5377, 609.5593, 172.854),
        CameraModel.pinhole(1226, 370, 707.0912, 707.0912, 601.8873, 183.1104),
        CameraModel.pinhole(640, 192, 400.0, 400.0, 319.5, 95.5),
        camera_of(640, 192, 40),
    ],
    ids=["kitti 09_26", "kitti 09_30", "a little longer lens", "long lens of the same aspect"],
)
def test_a_camera_whose_image_the_training_camera_covers_keeps_its_view(header, camera):
    view = choose_view(camera, header)
    before = view_through(camera, header.training_camera, header.width, header.height, header.filter)
    assert view.kind == before.kind != "whole" and view.size == (header.width, header.height)
    np.testing.assert_array_equal(view.camera.K, before.camera.K)
    assert view.depth_factor == before.depth_factor


def test_view_training_keeps_the_training_cameras_view_and_says_the_share(header):
    view = choose_view(camera_of(640, 480, 60), header, "training")
    assert view.kind == "crop" and view.size == (header.width, header.height)
    assert view.summary.startswith("40 % of the image gets depth (only ")


def test_an_uncalibrated_camera_gets_depth_on_its_whole_image_too(header):
    view = choose_view(CameraModel.uncalibrated(640, 480, 70.0), header)
    assert (view.kind, view.size, view.is_calibrated) == ("whole", (128, 96), False)
    assert "70 degrees wide by assumption: the whole image" in view.description


def test_a_whole_4_to_3_image_has_less_error_than_the_crop_had(checkpoint):
    camera = camera_of(640, 480, 60)
    drive = Drive(1000, 4.0, cameras={"camera": mounted(camera)})
    predictors = {part: DepthPredictor(PytorchEngine(checkpoint, "cpu"), checkpoint.header, part=part)
                  for part in ("whole", "training")}  # fmt: skip
    found = {"whole": [], "training": []}
    for seconds in (0.5, 2.0, 3.5):
        frame = drive.frame_at(seconds)
        truth = np.where(np.isfinite(frame.depth), frame.depth, 0.0)
        for part, predictor in predictors.items():
            depth = checkpoint.header.scale_factor * predictor(Pixels(frame.image, "rgb"), camera, (640, 480))
            found[part].append(evaluate_depth(truth, depth, crop="none", scaling="none"))
    error = {part: np.mean([metrics.abs_rel for metrics in items]) for part, items in found.items()}
    share = {part: np.mean([metrics.coverage for metrics in items]) for part, items in found.items()}
    assert share["whole"] > 0.95 and share["training"] < 0.6, share
    assert error["whole"] < error["training"], f"abs_rel {error}"


def test_an_engine_that_cannot_take_the_whole_image_gets_the_training_cameras_view(checkpoint):
    class OneSize(PytorchEngine):
        def prepare(self, size):
            if size != (self.header.width, self.header.height):
                raise EngineError(f"no room for {size}")

    pipeline = FramePipeline(OneSize(checkpoint, "cpu"), checkpoint.header, PipelineConfig())
    frame = Frame(0, Pixels(np.zeros((480, 640, 3), np.uint8), "rgb"), camera_of(640, 480, 60))
    result = pipeline.process(frame, Demand(depth=True))
    assert result.depth.shape == (96, 320) and result.view.kind == "crop"
    assert result.view.summary.endswith("not the whole image: no room for (128, 96))")


def test_depth_at_image_size_covers_the_whole_image(checkpoint):
    config = replace(PipelineConfig(), {"depth.resolution": "image", "depth.max_range": 10000.0})
    pipeline = FramePipeline(PytorchEngine(checkpoint, "cpu"), checkpoint.header, config)
    pixels = np.random.default_rng(0).integers(0, 256, (480, 640, 3), np.uint8)
    result = pipeline.process(Frame(0, Pixels(pixels, "rgb"), camera_of(640, 480, 70)), Demand(depth=True))
    assert result.depth.shape == (480, 640) and np.isfinite(result.depth).all()


def test_the_pose_network_keeps_the_training_cameras_view(checkpoint):
    engine, header = PytorchEngine(checkpoint, "cpu"), checkpoint.header
    config = {"odometry.source": "network", "odometry.max_speed": 1000.0, "odometry.max_turn_rate": 100.0}
    pipelines = {
        part: FramePipeline(engine, header, replace(PipelineConfig(), config | {"image.view": part}))
        for part in ("whole", "training")
    }
    noise = np.random.default_rng(0).normal(size=(480, 640)).astype(np.float32)
    gray = cv2.normalize(cv2.GaussianBlur(noise, (0, 0), 4), None, 0, 255, cv2.NORM_MINMAX).astype(np.uint8)
    for index in range(3):
        pixels = Pixels(np.dstack([np.roll(gray, 3 * index, axis=1)] * 3), "rgb")
        frame = Frame((index + 1) * 100_000_000, pixels, camera_of(640, 480, 60))
        found = {
            part: pipeline.process(frame, Demand(depth=True, odometry=True)) for part, pipeline in pipelines.items()
        }
    assert found["whole"].depth.shape == (96, 128) and found["training"].depth.shape == (96, 320)
    poses = {part: result.odometry for part, result in found.items()}
    assert {pose.state for pose in poses.values()} == {TrackingState.TRACKING}
    difference = np.abs(poses["whole"].T_start_camera - poses["training"].T_start_camera).max()
    assert difference < 1e-9, f"the poses differ by {difference}"
