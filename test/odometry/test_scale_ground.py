# SPDX-License-Identifier: Apache-2.0
"""Ground planes in constructed and in rendered depth: slopes, kerbs, cars, tilted cameras, no ground."""

import numpy as np
import pytest

from monodepth_ros.geometry.motion import axis_angle_to_rotation
from monodepth_ros.odometry.scale.ground_plane import UPRIGHT, find_ground
from monodepth_ros.synthetic.drive import Camera, Drive, default_camera, mounted

CAMERA = default_camera(320, 96)
U, V = np.meshgrid(np.arange(CAMERA.width), np.arange(CAMERA.height))
RAYS = np.stack(((U - CAMERA.cx) / CAMERA.fx, (V - CAMERA.cy) / CAMERA.fy, np.ones(U.shape)), -1)


def inverse_of_plane(height, up=UPRIGHT):
    """Inverse depth (H, W) of a plane below the camera; 0 above its horizon."""
    return np.maximum(RAYS @ -np.asarray(up) / height, 0.0)


def pitched(degrees, roll=0.0):
    """Up in the axes of a camera that is pitched down and rolled by these angles [deg]."""
    R = axis_angle_to_rotation((-np.radians(degrees), 0, 0)) @ axis_angle_to_rotation((0, 0, np.radians(roll)))
    return R.T @ UPRIGHT


@pytest.mark.parametrize("degrees,roll", [(0, 0), (2, 1), (15, 0), (25, -3), (-3, 0)])
@pytest.mark.parametrize("is_known", [True, False])
def test_the_height_above_a_plane_is_exact_for_tilted_cameras(degrees, roll, is_known):
    up = pitched(degrees, roll)
    ground = find_ground(inverse_of_plane(0.31, up), CAMERA, up if is_known else UPRIGHT, is_known)
    assert ground.height == pytest.approx(0.31, rel=0.003)
    np.testing.assert_allclose(ground.up, up, atol=0.003)


def test_cars_and_kerbs_do_not_change_the_height():
    inverse = inverse_of_plane(1.65)
    inverse[:, 220:] = np.maximum(inverse, inverse_of_plane(1.5))[:, 220:]  # a pavement on the right, 15 cm high
    box = slice(50, 90), slice(40, 130)
    inverse[box] = np.maximum(inverse[box], 1 / 7.0)  # the back of a van 7 m ahead
    roof = inverse_of_plane(0.5)[60:64]
    inverse[60:64, 140:200] = np.maximum(inverse[60:64, 140:200], roof[:, 140:200])
    assert find_ground(inverse, CAMERA, UPRIGHT, True).height == pytest.approx(1.65, rel=0.01)
    # With up unknown, the pavement tilts the plane a little.
    assert find_ground(inverse, CAMERA).height == pytest.approx(1.65, rel=0.05)


def test_the_floor_is_found_below_a_larger_table():
    inverse = inverse_of_plane(1.2)
    inverse[70:] = inverse_of_plane(0.45)[70:]
    assert find_ground(inverse, CAMERA, UPRIGHT, True).height == pytest.approx(1.2, rel=0.02)


def test_a_ramp_ahead_does_not_change_the_height():
    ramp = pitched(6)
    beginning = (0.0, 1.65, 8.0)  # from here on the road rises by 6 degrees
    inverse = np.maximum(inverse_of_plane(1.65), inverse_of_plane(-ramp @ beginning, ramp))
    assert find_ground(inverse, CAMERA, UPRIGHT, True).height == pytest.approx(1.65, rel=0.03)


def test_a_noisy_and_bumpy_depth_still_gives_the_height():
    random = np.random.default_rng(5)
    coarse = random.normal(0, 0.08, (6, 20)).repeat(16, 0).repeat(16, 1)
    heights = [find_ground(inverse_of_plane(0.3) * np.exp(coarse * s), CAMERA).height for s in (1, -1)]
    assert np.mean(heights) == pytest.approx(0.3, rel=0.03), heights


@pytest.mark.parametrize(
    "inverse",
    [
        np.full(U.shape, 1 / 5.0),  # a wall
        np.full(U.shape, np.nan),
        np.zeros(U.shape),  # sky
        np.random.default_rng(0).uniform(0.01, 1, U.shape),
    ],
    ids=["wall", "nan", "sky", "noise"],
)
@pytest.mark.parametrize("is_known", [True, False])
def test_no_ground_is_found_where_there_is_none(inverse, is_known):
    assert find_ground(inverse, CAMERA, UPRIGHT, is_known) is None


def test_unseen_pixels_are_ignored():
    inverse = inverse_of_plane(0.7)
    inverse[:, :100] = np.nan
    inverse[80:] = np.nan
    ground = find_ground(inverse, CAMERA, UPRIGHT, True)
    assert ground.height == pytest.approx(0.7, rel=0.003)
    assert not ground.is_ground[:, ground.columns < 100].any() and not ground.is_ground[ground.rows > 80].any()


def test_a_camera_that_looks_at_the_sky_sees_no_ground():
    assert find_ground(inverse_of_plane(1.0), CAMERA, pitched(-60), True) is None


@pytest.mark.parametrize("pitch", [0.0, 12.0])
def test_every_frame_of_a_street_gives_the_height_within_four_percent(pitch):
    """Exact depth; the vehicle heaves by 1 cm and pitches by a quarter of a degree on its springs."""
    camera = mounted(CAMERA)
    T = camera.T_base_camera.copy()
    T[:3, :3] = T[:3, :3] @ axis_angle_to_rotation((-np.radians(pitch), 0, 0))
    up = T[:3, :3].T @ (0, 0, 1.0)
    for seed in (9101, 9102):
        drive = Drive(seed, seconds=9, rate=1, cameras={"camera": Camera(CAMERA, T)})
        found = []
        for frame in drive:
            with np.errstate(divide="ignore"):
                ground = find_ground(1 / frame.depth, CAMERA, up, True)
            found.append(np.nan if ground is None else ground.height / T[2, 3])
        assert np.nanmedian(found) == pytest.approx(1, abs=0.015), found
        assert np.nanmax(np.abs(np.array(found) - 1)) < 0.04 and np.isnan(found).sum() <= 1, found
