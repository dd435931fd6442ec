# SPDX-License-Identifier: Apache-2.0
"""What is odd about a recording's calibration is noted once, before the first frame."""

import numpy as np
import pytest
from camera_topics import CAMERA, colour, info, region, write_topics
from small_sources import read, write_kitti_drive

from monodepth_ros.data.calibration import write_calibration
from monodepth_ros.errors import MonodepthError
from monodepth_ros.geometry.camera import CameraModel


def bag(path, **changes):
    return write_topics(path, {"/c/image": colour(), "/c/camera_info": info(**changes)})


def quadrupled(K):
    return np.array([[4, 0, 1.5], [0, 4, 1.5], [0, 0, 1]]) @ K


def test_binning_in_k_already_is_noted_and_k_is_used_as_it_is(tmp_path):
    source, frames = read(bag(tmp_path / "a.mcap", width=128, height=96, binning_x=4, binning_y=4))
    np.testing.assert_allclose(frames[0].camera.K, CAMERA.K)
    (note,) = source.notes
    assert note.startswith("/c/camera_info: binning is in K already")
    full = {"k": quadrupled(CAMERA.K), "p": np.hstack([quadrupled(CAMERA.K), np.zeros((3, 1))])}
    source, frames = read(bag(tmp_path / "b.mcap", width=128, height=96, binning_x=4, binning_y=4, **full))
    np.testing.assert_allclose(frames[0].camera.K, CAMERA.K, atol=1e-9)
    assert not source.notes


def test_a_roi_in_k_already_is_noted(tmp_path):
    source, frames = read(bag(tmp_path / "bag.mcap", width=128, height=96, roi=region(48, 36, 32, 24)))
    np.testing.assert_allclose(frames[0].camera.K, CAMERA.K)
    assert source.notes[0].startswith("/c/camera_info: roi is in K already")


def test_k_divided_by_the_size_is_noted_and_multiplied(tmp_path):
    divided = np.diag([1 / 32, 1 / 24, 1]) @ CAMERA.K
    source, frames = read(bag(tmp_path / "bag.mcap", k=divided, p=np.zeros(12)))
    np.testing.assert_allclose(frames[0].camera.K, CAMERA.K)
    assert source.notes == [
        "/c/camera_info: K is divided by the image's width and height (fx 0.625, cx 0.484 for 32x24 pixels): it is"
        " multiplied by it again, fx 20"
    ]


def test_a_calibration_that_can_hardly_be_right_is_one_warning(tmp_path):
    far = CameraModel.pinhole(32, 24, 20.0, 20.0, 3.5, 2.5)
    source, frames = read(bag(tmp_path / "a.mcap", camera=far))
    assert frames[0].camera.key == far.key, "a warning, no refusal"
    (note,) = source.notes
    assert note.startswith("warning: /c/camera_info can hardly be right: the principal point (3.5, 2.5) lies at 12 %")
    file = str(tmp_path / "far.yaml")
    write_calibration(file, far, "camera")
    source, _ = read(bag(tmp_path / "b.mcap"), calibration_file=file)
    (note,) = source.notes
    assert note.startswith(f"warning: {file} can hardly be right: the principal point")


def test_a_calibration_file_of_a_folder_is_judged_as_well(tmp_path):
    drive = write_kitti_drive(tmp_path)
    file = str(tmp_path / "far.yaml")
    write_calibration(file, CameraModel.pinhole(8, 6, 5.0, 5.0, 7.5, 5.5), "camera")
    source, _ = read(drive, calibration_file=file)
    assert f"warning: {file} can hardly be right: the principal point (7.5, 5.5) lies at 100 %" in " ".join(
        source.notes
    )


def test_a_calibration_that_no_lens_has_is_refused(tmp_path):
    with pytest.raises(MonodepthError, match="field of view of 179.9 degrees.*expected K in pixels"):
        file = str(tmp_path / "k.yaml")
        write_calibration(file, CameraModel.pinhole(32, 24, 0.01, 0.01, 15.5, 11.5), "camera")
        read(bag(tmp_path / "a.mcap"), calibration_file=file)
    source, frames = read(bag(tmp_path / "b.mcap", camera=CameraModel.pinhole(32, 24, 0.01, 0.01, 15.5, 11.5)))
    (reason,) = source.left_out
    assert not frames and reason.startswith("/c/camera_info: fx 0.01 is a field of view of 179.9 degrees")


def test_a_camera_info_without_size_has_that_of_the_images(tmp_path):
    source, frames = read(bag(tmp_path / "bag.mcap", width=0, height=0))
    np.testing.assert_allclose(frames[0].camera.K, CAMERA.K)
    assert source.notes == ["/c/camera_info: it states no size (0x0): that of the images is taken, 32x24"]


def test_binning_in_the_size_already_is_noted_and_the_images_are_used(tmp_path):
    source, frames = read(bag(tmp_path / "bag.mcap", binning_x=2, binning_y=2))
    np.testing.assert_allclose(frames[0].camera.K, CAMERA.K)
    assert source.notes[0].startswith("/c/camera_info: binning is in its size and in K already: the images are 32x24")


def test_a_p_of_another_size_is_scaled_to_the_images(tmp_path):
    P = np.hstack([quadrupled(CAMERA.K), [[-8.0], [0], [0]]])
    source, frames = read(bag(tmp_path / "bag.mcap", p=P))
    camera = frames[0].camera
    np.testing.assert_allclose(camera.P[:, :3], CAMERA.K)
    assert camera.baseline == pytest.approx(0.1)
    assert source.notes[0].startswith("/c/camera_info: P is that of images of 128x96")


def test_a_fisheye_without_coefficients_is_noted_for_recordings_and_files(tmp_path):
    source, _ = read(bag(tmp_path / "a.mcap", distortion_model="equidistant", d=np.zeros(4)))
    assert source.notes[0].startswith("/c/camera_info: all coefficients of the 'equidistant' distortion are zero")
    file = tmp_path / "ost.yaml"
    write_calibration(file, CAMERA, "camera")
    file.write_text(file.read_text().replace("plumb_bob", "fisheye"))
    source, _ = read(bag(tmp_path / "b.mcap"), calibration_file=str(file))
    assert source.notes == [
        f"{file}: all coefficients of the 'fisheye' distortion are zero: the images are taken as those of a pinhole "
        "without distortion, as ROS's image_geometry takes them; if the lens is a fisheye, calibrate it"
    ]
