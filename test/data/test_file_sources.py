# SPDX-License-Identifier: Apache-2.0
"""Frames of image folders, videos and local cameras have times and calibration."""

import time

import cv2
import numpy as np
import pytest
from small_sources import CAMERA, TENTH, picture, read, write_video

from monodepth_ros.data.calibration import write_calibration
from monodepth_ros.data.sources import live_camera
from monodepth_ros.geometry.camera import CalibrationError


def test_images_of_a_folder_are_in_natural_order_with_the_times_of_times_txt(tmp_path):
    for i in (1, 2, 10):
        cv2.imwrite(str(tmp_path / f"frame_{i}.png"), picture(i))
    _, frames = read(tmp_path)
    assert [f.name for f in frames] == ["frame_1", "frame_2", "frame_10"]
    assert [f.stamp_ns for f in frames] == [1, TENTH, 2 * TENTH], "10 Hz; 0 would mean that there is no stamp"
    assert not frames[0].camera.is_calibrated
    _, frames = read(tmp_path, rate=5.0)
    assert frames[1].stamp_ns == 2 * TENTH
    (tmp_path / "times.txt").write_text("100.0\n100.5\n100.75\n")
    write_calibration(tmp_path / "calibration.yaml", CAMERA, "camera")
    _, frames = read(tmp_path, start=0.4)
    assert [f.stamp_ns for f in frames] == [100_500_000_000, 100_750_000_000]
    assert frames[0].camera.key == CAMERA.key


def test_broken_images_of_a_folder_are_left_out(tmp_path):
    cv2.imwrite(str(tmp_path / "a.png"), picture(1))
    (tmp_path / "b.png").write_bytes(b"no image")
    (tmp_path / "c.png").write_bytes(b"")
    source, frames = read(tmp_path)
    assert len(frames) == 1 and source.left_out.total() == 2


def test_grey_images_stay_grey_and_16_bits_become_8(tmp_path):
    cv2.imwrite(str(tmp_path / "a.png"), np.full((6, 8), 200, np.uint8))
    cv2.imwrite(str(tmp_path / "b.png"), np.full((6, 8), 51400, np.uint16))
    _, frames = read(tmp_path)
    assert [(f.pixels.layout, f.pixels.array.dtype, f.pixels.array[0, 0]) for f in frames] == [
        ("mono", np.uint8, 200)
    ] * 2


def test_frames_of_a_video_have_the_times_of_the_file(tmp_path):
    path = write_video(tmp_path / "film.avi", range(0, 200, 20), rate=5.0)
    source, frames = read(path)
    assert source.frame_count == len(frames) == 10
    assert [f.stamp_ns for f in frames[:3]] == [1, 200_000_000, 400_000_000]
    assert abs(int(frames[5].pixels.array[0, 0, 0]) - 100) < 4
    source, frames = read(path, start=0.5, duration=1.0)
    assert [f.name for f in frames] == ["000003", "000004", "000005", "000006", "000007"]


def test_a_camera_stamps_its_frames_on_arrival(tmp_path, monkeypatch):
    """OpenCV reads a film in place of a camera, which a test machine does not have."""
    path = write_video(tmp_path / "film.avi", range(0, 200, 50), rate=5.0)
    monkeypatch.setattr(live_camera, "open_camera", lambda number: cv2.VideoCapture(str(path)))
    before = time.time_ns()
    source, frames = read("0")
    assert source.frame_count is None and "no calibration" in source.notes[0]
    stamps = [before, *(frame.stamp_ns for frame in frames), time.time_ns()]
    assert len(frames) == 4 and stamps == sorted(stamps), stamps
    assert [frame.name for frame in frames] == ["000000", "000001", "000002", "000003"]
    write_calibration(tmp_path / "other.yaml", CAMERA, "camera")
    with pytest.raises(CalibrationError, match="image of 64x48 but the calibration file is for 8x6"):
        read("0", calibration_file=str(tmp_path / "other.yaml"))
