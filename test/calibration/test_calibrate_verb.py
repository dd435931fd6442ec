# SPDX-License-Identifier: Apache-2.0
"""`monodepth calibrate`: from images to a calibration file, and to a refusal."""

import cv2
import numpy as np
import pytest
from corridor import CAMERA, CURVE, render, steps_to_poses

from monodepth_ros.cli.main import main as monodepth
from monodepth_ros.data.calibration import read_calibration, write_calibration
from monodepth_ros.geometry.camera import CameraModel

STRAIGHT = [(0.0, 0.0, 0.5, 0.0, 0.0, 0.0)] * 16


def write_images(folder, twists):
    folder.mkdir()
    for number, pose in enumerate(steps_to_poses(*twists)):
        cv2.imwrite(str(folder / f"{number:03d}.png"), render(pose, seed=number)[0])
    return folder


@pytest.fixture(scope="module")
def curve(tmp_path_factory):
    return write_images(tmp_path_factory.mktemp("curve") / "images", CURVE)


@pytest.fixture(scope="module")
def calibrated(curve):
    """The file of a calibration with the curve's images."""
    path = curve.parent / "camera.yaml"
    assert monodepth(["calibrate", str(curve), "--out", str(path), "--radial-terms", "0", "--name", "corridor"]) == 0
    return path


def test_images_of_a_curve_give_the_focal_length(calibrated):
    camera = read_calibration(calibrated)
    assert (camera.width, camera.height) == (CAMERA.width, CAMERA.height)
    assert camera.fx == camera.fy and not camera.is_distorted
    assert abs(camera.fx / CAMERA.fx - 1) < 0.03, f"{camera.fx:.1f} for {CAMERA.fx:.1f}"


def test_the_file_says_how_certain_it_is_and_other_verbs_take_it(calibrated, curve, tmp_path, capsys):
    text = calibrated.read_text()
    assert "camera_name: corridor" in text
    assert "# focal length: " in text and " +- " in text.splitlines()[1], text
    words = ["extract", str(curve), "--out", str(tmp_path / "out"), "--calibration", str(calibrated), "--mono"]
    assert monodepth(words) == 0, capsys.readouterr().err


def test_an_existing_file_is_kept(calibrated, curve, capsys):
    before = calibrated.read_bytes()
    assert monodepth(["calibrate", str(curve), "--out", str(calibrated)]) == 2
    assert "exists" in capsys.readouterr().err
    assert calibrated.read_bytes() == before


def test_a_straight_drive_writes_nothing_unless_forced(tmp_path, capsys):
    images = write_images(tmp_path / "straight", STRAIGHT)
    words = ["calibrate", str(images), "--results", str(tmp_path / "results")]
    assert monodepth(words) == 1
    printed = capsys.readouterr().out
    assert "undetermined" in printed and "record some turns" in printed, printed
    assert not (tmp_path / "results").exists()


def test_the_next_commands_and_the_recordings_own_calibration_are_printed(curve, tmp_path, capsys):
    own = tmp_path / "own.yaml"
    write_calibration(own, CameraModel.pinhole(CAMERA.width, CAMERA.height, 300.0, 300.0, 239.5, 79.5), "own")
    words = [str(curve), "--calibration", str(own), "--frames", "14", "--radial-terms", "0", "--force"]
    assert monodepth(["calibrate", *words, "--results", str(tmp_path / "results")]) == 0
    printed = capsys.readouterr().out
    (file,) = (tmp_path / "results" / "latest").glob("*.yaml")
    assert "300.0 pixels in the recording's own calibration" in printed, printed
    assert f"monodepth run {curve} --calibration " in printed.splitlines()[-2], printed
    assert f"monodepth train {curve} --calibration " in printed.splitlines()[-1] and file.name in printed, printed


def test_images_without_corners_fail_in_one_line(tmp_path, capsys):
    folder = tmp_path / "empty"
    folder.mkdir()
    for number in range(4):
        cv2.imwrite(str(folder / f"{number}.png"), np.full((64, 96), 128, np.uint8))
    assert monodepth(["calibrate", str(folder), "--results", str(tmp_path / "results")]) == 2
    error = capsys.readouterr().err.strip().splitlines()
    assert "too few corners" in error[-1], error


def test_a_clip_of_kitti_gives_its_focal_length(monodepth_data, tmp_path):
    path = tmp_path / "kitti.yaml"
    clip = str(monodepth_data / "kitti_odom_00_f000-150_gray_mono")
    assert monodepth(["calibrate", clip, "--start", "8.9", "--duration", "3", "--out", str(path)]) == 0
    camera = read_calibration(path)
    assert abs(camera.fx / 718.856 - 1) < 0.03, f"{camera.fx:.1f} for 718.9"
