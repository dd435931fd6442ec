# SPDX-License-Identifier: Apache-2.0
"""The Python API: depth, cloud and odometry without ROS, equal to what `monodepth run` computes."""

import re
from pathlib import Path

import cv2
import numpy as np
import pytest

import monodepth_ros
from monodepth_ros import DepthModel
from monodepth_ros.cli.main import main
from monodepth_ros.data.calibration import write_calibration
from monodepth_ros.data.sources.open_source import open_source
from monodepth_ros.errors import MonodepthError

PAGE = Path(__file__).resolve().parents[2] / "docs" / "python.md"


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    """A synthetic drive of 2 s, its first image, and its calibration."""
    folder = tmp_path_factory.mktemp("python")
    assert main(["synth", "--out", str(folder / "drive.mcap"), "--seconds", "2", "--no-traffic"]) == 0
    with open_source(str(folder / "drive.mcap")) as source:
        frame = next(iter(source.frames()))
    cv2.imwrite(str(folder / "street.png"), cv2.cvtColor(frame.pixels.array, cv2.COLOR_RGB2BGR))
    write_calibration(folder / "camera.yaml", frame.camera, "camera")
    return folder


@pytest.fixture(scope="module")
def model() -> DepthModel:
    return DepthModel.load("demonstration")


@pytest.fixture(scope="module")
def frames(folder) -> list:
    with open_source(str(folder / "drive.mcap")) as source:
        return list(source.frames())


def test_every_example_of_the_page_runs(folder, monkeypatch, capsys):
    monkeypatch.chdir(folder)
    examples = re.findall(r"```python\n(.*?)```", PAGE.read_text(), re.DOTALL)
    assert len(examples) >= 5, f"{PAGE.name} lost its examples"
    names: dict = {}
    for example in examples:
        exec(compile(example, str(PAGE), "exec"), names)
    assert (folder / "depth.png").stat().st_size > 1000
    assert "1280x720" in capsys.readouterr().out, "the error names the size of the calibration"


def test_depth_of_an_image_is_near_the_truth_in_metres(model, frames):
    frame = frames[0]
    result = model.infer(frame.pixels.array, frame.camera)
    assert result.is_metric
    truth = cv2.resize(frame.reference_depth, result.depth.shape[::-1], interpolation=cv2.INTER_NEAREST)
    is_known = np.isfinite(truth) & np.isfinite(result.depth) & (truth < 60)
    error = np.mean(np.abs(result.depth - truth)[is_known] / truth[is_known])
    assert error < 0.2, f"abs_rel {error:.3f}"


def test_points_project_onto_the_pixels_of_their_colours(model, frames):
    result = model.infer(frames[0].pixels.array, frames[0].camera)
    points, colors = result.cloud(max_range=1e3, min_range=0.0)
    pixels = np.rint(result.camera.project(points.astype(np.float64))).astype(int)
    assert len(points) > 0.5 * result.depth.size, len(points)
    assert np.array_equal(colors, result.image[pixels[:, 1], pixels[:, 0]])


def test_a_sequence_gives_the_length_of_the_way(model, frames):
    results = list(model.track(((f.stamp_ns * 1e-9, f.pixels) for f in frames), frames[0].camera))
    assert np.allclose(results[0].T_odom_camera[:3, 3], 0), "the first frame is the origin"
    assert results[-1].is_tracking
    found = results[-1].T_odom_camera[:3, 3]
    reference = np.linalg.inv(frames[0].T_world_camera) @ frames[-1].T_world_camera
    length = np.linalg.norm(reference[:3, 3])
    assert abs(np.linalg.norm(found) / length - 1) < 0.1, (found, length)
    assert found[0] > 0.9 * length, f"x points forward: {found}"


def test_two_sequences_do_not_meet(model, frames):
    sequence = [(f.stamp_ns * 1e-9, f.pixels) for f in frames[:6]]
    first, second = ([r.T_odom_camera for r in model.track(sequence, frames[0].camera)] for _ in range(2))
    assert np.array_equal(first, second)


def test_grey_images_and_images_with_alpha_are_taken(model, frames):
    rgb, camera = frames[0].pixels.array, frames[0].camera
    alpha = np.dstack([rgb, np.full(rgb.shape[:2], 255, np.uint8)])
    assert np.array_equal(model.infer(alpha, camera).depth, model.infer(rgb, camera).depth)
    grey = cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY)
    assert np.array_equal(model.infer(grey, camera).depth, model.infer(grey[..., None], camera).depth)


@pytest.mark.parametrize(
    ("image", "message"),
    [
        (np.zeros((192, 640, 3), np.float32), r"type float32: expected uint8"),
        (np.zeros((192, 640, 2), np.uint8), r"shape \(192, 640, 2\)"),
        (np.zeros((0, 640, 3), np.uint8), r"shape \(0, 640, 3\)"),
        (np.zeros((100, 640, 3), np.uint8), "640x100.*640x192"),
    ],
)
def test_an_image_that_does_not_fit_is_refused_in_one_line(model, frames, image, message):
    with pytest.raises(MonodepthError, match=message) as refused:
        model.infer(image, frames[0].camera)
    assert "\n" not in str(refused.value)


def test_without_calibration_there_is_depth_and_no_cloud(model, frames):
    result = model.infer(frames[0].pixels.array)
    assert np.isfinite(result.depth).any() and "not calibrated, 60 degrees wide" in result.view
    assert not result.is_metric and "not metres" in result.scale
    assert model.infer(frames[0].pixels.array, frames[0].camera).is_metric, "the guess must not outlive its image"
    with pytest.raises(MonodepthError, match="CameraModel"):
        result.cloud()


def test_a_pose_needs_a_sequence(model, frames):
    result = model.infer(frames[0].pixels.array, frames[0].camera)
    assert not result.is_tracking
    with pytest.raises(MonodepthError, match=r"track\(\)"):
        _ = result.T_odom_camera
    still = DepthModel.load(settings={"odometry.enabled": False})
    with pytest.raises(MonodepthError, match=r"odometry\.enabled"):
        next(still.track([(0.0, frames[0].pixels)], frames[0].camera))


def test_an_unknown_setting_and_an_unknown_checkpoint_are_refused():
    with pytest.raises(MonodepthError, match=r"depth\.colour"):
        DepthModel.load(settings={"depth.colour": True})
    with pytest.raises(MonodepthError, match="nowhere"):
        DepthModel.load("nowhere.safetensors")


def test_the_package_names_its_api_and_nothing_else():
    assert set(monodepth_ros.__all__) == {"CameraModel", "DepthModel", "DepthResult", "__version__"}
    assert monodepth_ros.__version__[0].isdigit()
    with pytest.raises(AttributeError, match="DepthMdel"):
        _ = monodepth_ros.DepthMdel
