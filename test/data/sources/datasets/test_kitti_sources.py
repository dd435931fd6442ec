# SPDX-License-Identifier: Apache-2.0
"""KITTI's odometry sequences and raw drives are read with their cameras, times, poses and depth."""

import numpy as np
import pytest
from small_sources import CAMERA, TENTH, read, write_kitti_drive, write_kitti_sequence

from monodepth_ros.data.sources.open_source import open_source
from monodepth_ros.data.sources.source import SourceError, SourceOptions


def test_a_kitti_sequence_has_cameras_times_and_poses(tmp_path):
    folder = write_kitti_sequence(tmp_path / "06")
    _, frames = read(folder)
    assert frames[0].pixels.array[0, 0, 0] == 20, "left prefers the colour camera"
    _, frames = read(folder, camera="right")
    assert [int(f.pixels.array[0, 0, 0]) for f in frames] == [10, 11, 12]
    # P[0, 3] = -fx * baseline: this camera is 1 m to the right.
    np.testing.assert_allclose(frames[2].T_world_camera[:3, 3], (1, 0, 2))
    assert np.array_equal(frames[2].camera.K, CAMERA.K) and frames[2].camera.baseline == 1.0
    assert frames[2].camera.is_rectified and frames[1].stamp_ns == TENTH
    with pytest.raises(SourceError, match="no camera 'image_3': give --camera left, right, or one of image_0"):
        open_source(str(folder), SourceOptions(camera="image_3"))
    (folder / "times.txt").write_text("0.0\n")
    with pytest.raises(SourceError, match="1 times for 3 images"):
        open_source(str(folder))


def test_a_kitti_drive_has_stamps_depth_and_the_calibration_above_it(tmp_path):
    source, frames = read(write_kitti_drive(tmp_path))
    assert [f.stamp_ns for f in frames] == [1, 103_000_123] and frames[0].camera.key == CAMERA.key
    assert frames[0].reference_depth is None and source.reference_crop == "garg"
    assert frames[1].reference_depth[2, 3] == 10.0 and np.isnan(frames[1].reference_depth[0, 0])
