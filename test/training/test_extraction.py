# SPDX-License-Identifier: Apache-2.0
"""Parts of an extraction: pairs of a stereo recording, and depth of the rectified camera."""

from types import SimpleNamespace

import numpy as np
import pytest

from monodepth_ros.geometry.camera import CameraModel
from monodepth_ros.geometry.motion import axis_angle_to_rotation
from monodepth_ros.training.extraction.extract import paired
from monodepth_ros.training.extraction.rectified_depth import RectifiedDepth
from monodepth_ros.training.samples.targets import pair_by_time


@pytest.mark.parametrize("seed", range(6))
def test_an_extraction_pairs_images_as_a_training_does(seed):
    rng = np.random.default_rng(seed)
    left, right = (np.unique(np.cumsum(rng.integers(1, 30, 60))) * 1_000_000 for _ in range(2))
    frames = [[SimpleNamespace(stamp_ns=int(stamp)) for stamp in stamps] for stamps in (left, right)]
    found = [-1 if r is None else r.stamp_ns for _, r in paired(frames[0], iter(frames[1]), 0.01)]
    expected = pair_by_time(left, right, 0.01)
    assert found == [-1 if number < 0 else right[number] for number in expected]
    assert 0 < np.count_nonzero(expected >= 0) < len(left)


def test_frames_without_right_images_have_no_pair():
    lefts = [SimpleNamespace(stamp_ns=i) for i in range(3)]
    assert [right for _, right in paired(lefts, iter(()), 0.01)] == [None] * 3


def test_depth_of_a_plane_is_resampled_to_the_rectified_camera():
    """A plane n . p = d, seen through a distorted lens and rotated against the rectified frame."""
    R = axis_angle_to_rotation((0.03, -0.05, 0.02))
    K = np.array([[200.0, 0, 159.5], [0, 200, 119.5], [0, 0, 1]])
    camera = CameraModel(320, 240, K=K, D=np.array([-0.2, 0.05, 0.001, 0, 0]), R=R)
    target = camera.rectified()
    normal, distance = np.array([0.05, 0.3, 1.0]), 12.0  # in the camera's frame
    pixels = np.stack(np.meshgrid(np.arange(320.0), np.arange(240.0)), -1)
    published = distance / (camera.backproject(pixels, np.ones((240, 320))) @ normal)
    expected = distance / (target.ray_grid() @ R @ normal)
    found = RectifiedDepth(camera, target)(published.astype(np.float32))
    known = np.isfinite(found)
    error = np.abs(found[known] / expected[known] - 1)
    assert known.mean() > 0.9 and error.max() < 3e-3, f"{100 * error.max():.2f} % off, {known.mean():.2f} known"


def test_depth_of_a_rectified_camera_is_unchanged():
    camera = CameraModel.pinhole(32, 24, 20.0, 20.0, 15.5, 11.5)
    depth = np.random.default_rng(0).random((24, 32), np.float32)
    assert RectifiedDepth(camera, camera.rectified())(depth) is depth
