# SPDX-License-Identifier: Apache-2.0
"""Folders in the layout of EuRoC and TUM VI give exact times, calibration, the stereo pair and the camera's poses."""

import numpy as np
import pytest
from small_data_sets import sensor_yaml, stamps, write_euroc, write_euroc_truth
from small_sources import read

from monodepth_ros.data.frame_index import index_frames
from monodepth_ros.data.sources.open_source import open_source
from monodepth_ros.data.sources.source import SourceError, SourceOptions
from monodepth_ros.data.sources.stereo_partner import stereo_partner


@pytest.mark.parametrize("given", ["", "mav0", "mav0/cam0", "mav0/cam0/data"])
def test_euroc_folders_of_every_level_give_exact_times_calibration_and_poses(tmp_path, given):
    write_euroc(tmp_path)
    source, frames = read(tmp_path / given)
    assert [f.stamp_ns for f in frames] == stamps(4), "to the nanosecond"
    camera = frames[0].camera
    assert (camera.width, camera.height, camera.fx, camera.cx) == (8, 6, 5.0, 3.5) and not camera.is_distorted
    np.testing.assert_allclose([f.T_world_camera[0, 3] for f in frames], [0, 0.05, 0.1, 0.15], atol=1e-9)
    assert source.is_calibrated and source.notes == []


def test_distortion_is_read_by_its_names(tmp_path):
    write_euroc(tmp_path)
    sensor = tmp_path / "mav0" / "cam0" / "sensor.yaml"
    sensor.write_text(sensor_yaml(D="[-0.28, 0.07, 0.0002, 1.8e-05]"))
    camera = read(tmp_path)[1][0].camera
    assert camera.distortion_model == "plumb_bob" and camera.D.tolist() == [-0.28, 0.07, 0.0002, 1.8e-05, 0.0]
    sensor.write_text("%YAML:1.0\n" + sensor_yaml(model="equidistant", D="[0.003, 0.0007, -0.002, 0.0002]"))
    camera = read(tmp_path)[1][0].camera
    assert camera.distortion_model == "equidistant" and camera.D.tolist() == [0.003, 0.0007, -0.002, 0.0002]
    sensor.write_text(sensor_yaml(model="something", D="[0.1, 0.2]"))
    source, frames = read(tmp_path)
    assert not frames[0].camera.is_calibrated
    assert any("something" in note for note in source.notes)


def test_two_cameras_form_a_rectified_pair(tmp_path):
    write_euroc(tmp_path, cameras=2)
    source, left = read(tmp_path)
    partner = stereo_partner(str(tmp_path), SourceOptions(), source)
    assert partner is not None and partner.camera == "right"
    _, right = read(tmp_path, camera="right")
    assert [int(f.pixels.array[0, 0]) for f in right] == [10, 11, 12, 13]
    assert right[0].camera.baseline == pytest.approx(0.5) and left[0].camera.baseline == 0
    np.testing.assert_allclose(right[1].T_world_camera[:3, 3], (0.55, 0, 0), atol=1e-9)
    assert stereo_partner(str(tmp_path), SourceOptions(camera="cam0"), source).camera == "cam1"
    alone, _ = read(write_euroc(tmp_path / "mono"))
    assert stereo_partner(str(tmp_path / "mono"), SourceOptions(), alone) is None
    with pytest.raises(SourceError, match="has no camera 'cam7': give --camera cam0, cam1"):
        open_source(str(tmp_path), SourceOptions(camera="cam7"))


def test_tum_vi_has_kalibrs_calibration_and_poses_of_motion_capture(tmp_path):
    write_euroc(tmp_path, sensor=False, truth=False)
    write_euroc_truth(tmp_path / "mav0" / "mocap0", 4)
    source, frames = read(tmp_path)
    assert not frames[0].camera.is_calibrated and frames[0].T_world_camera is None
    assert any("mocap0 holds poses of the body and is not used" in note for note in source.notes)
    (tmp_path / "dso").mkdir()
    (tmp_path / "dso" / "camchain.yaml").write_text(
        "cam0:\n  T_cam_imu:\n  - [1.0, 0.0, 0.0, -0.25]\n  - [0.0, 1.0, 0.0, 0.0]\n  - [0.0, 0.0, 1.0, 0.0]\n"
        "  - [0.0, 0.0, 0.0, 1.0]\n  camera_model: pinhole\n  distortion_coeffs: [0.0034, 0.0007, -0.002, 0.0002]\n"
        "  distortion_model: equidistant\n  intrinsics: [5.0, 5.0, 3.5, 2.5]\n  resolution: [8, 6]\n"
    )
    _, frames = read(tmp_path)
    assert frames[0].camera.distortion_model == "equidistant"
    np.testing.assert_allclose(frames[2].T_world_camera[:3, 3], (0.35, 0, 0), atol=1e-9)


def test_an_index_of_a_sub_folder_follows_changes_of_the_data_set(tmp_path):
    write_euroc(tmp_path / "a", truth=False)
    place = str(tmp_path / "a" / "mav0" / "cam0" / "data")
    assert not np.isfinite(index_frames(place, SourceOptions()).poses).any()
    write_euroc_truth(tmp_path / "a" / "mav0" / "state_groundtruth_estimate0", 4)
    assert np.isfinite(index_frames(place, SourceOptions()).poses).all()


def test_a_stated_rate_replaces_the_times_and_keeps_the_poses(tmp_path):
    write_euroc(tmp_path)
    _, frames = read(tmp_path, rate=5.0)
    assert [f.stamp_ns for f in frames] == [1, 200_000_000, 400_000_000, 600_000_000]
    np.testing.assert_allclose([f.T_world_camera[0, 3] for f in frames], [0, 0.05, 0.1, 0.15], atol=1e-9)
