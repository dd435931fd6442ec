# SPDX-License-Identifier: Apache-2.0
"""Depth, poses and motion of the synthetic world agree with its pictures."""

import cv2
import numpy as np
import pytest

from monodepth_ros.cli.synth import make_cameras
from monodepth_ros.geometry.motion import invert, log_se3
from monodepth_ros.synthetic.drive import MOUNT, Drive, default_camera, mounted

WIDTH, HEIGHT = 640, 192
LENSES = ("none", "plumb_bob", "rational_polynomial", "equidistant")


def make_drive(seed, seconds=3.0):
    """One street seen through every lens, by a stereo partner, by a cropped image and by a camera to the rear."""
    cameras = {lens: make_cameras(WIDTH, HEIGHT, lens)["camera"] for lens in LENSES}
    x, y, z = MOUNT
    cameras["right"] = mounted(default_camera(WIDTH, HEIGHT), (x, y - 0.5, z))
    cameras["crop"] = mounted(default_camera(WIDTH, HEIGHT).cropped(100, 40, 320, 96))
    cameras["backwards"] = mounted(default_camera(320, 96), yaw=np.pi)
    return Drive(seed, seconds, 10.0, cameras, changing_light=False)


@pytest.fixture(scope="module")
def drive():
    return make_drive(seed=3)


def warp_error(target, source, camera, T_source_target):
    """Mean absolute colour difference (0..255) of target and warped source, and the pixels that can be compared.

    Not compared are sky, moving cars, pixels outside the source, and those that are hidden there by its depth.
    """
    height, width = target.depth.shape
    pixels = np.stack(np.meshgrid(np.arange(width), np.arange(height)), -1).astype(np.float64)
    valid = np.isfinite(target.depth) & ~target.moving
    points = camera.backproject(pixels, np.where(valid, target.depth, 1).astype(np.float64))
    points = points @ T_source_target[:3, :3].T + T_source_target[:3, 3]
    at = camera.project(points)
    valid &= (at >= 0).all(-1) & (at[..., 0] <= width - 1) & (at[..., 1] <= height - 1)
    maps = np.nan_to_num(at, nan=-9).astype(np.float32)

    def sample(image):
        return cv2.remap(image.astype(np.float32), maps[..., 0], maps[..., 1], cv2.INTER_LINEAR)

    inverse_depth = sample(np.where(np.isfinite(source.depth), 1 / source.depth, 0))
    valid &= np.abs(points[..., 2] * inverse_depth - 1) < 0.02
    valid &= sample(source.moving) == 0
    return np.abs(sample(source.image) - target.image).mean(-1), valid


def with_longer_motion(T, factor):
    """The motion with its translation times a factor."""
    longer = T.copy()
    longer[:3, 3] *= factor
    return longer


@pytest.mark.parametrize("lens", LENSES)
def test_depth_and_motion_explain_the_next_picture(drive, lens):
    """Median error below 1.5 grey levels, mean below 3, which bilinear resampling causes at edges.

    A motion that is 20 % too short or too long has twice the error or more, and the exact length has the least.
    """
    camera = drive.cameras[lens].model
    for index in (2, 17):
        now, following = drive.frame(index, lens), drive.frame(index + 1, lens)
        T = invert(following.T_world_camera) @ now.T_world_camera
        error, valid = warp_error(now, following, camera, T)
        mean, median = error[valid].mean(), np.median(error[valid])
        share = valid.sum() / np.isfinite(now.depth).sum()
        assert mean < 3 and median < 1.5 and share > 0.5, f"mean {mean:.2f}, median {median:.2f} on {share:.0%}"
        errors = {}
        for factor in (0.8, 0.97, 1.0, 1.03, 1.2):
            wrong, seen = warp_error(now, following, camera, with_longer_motion(T, factor))
            errors[factor] = wrong[valid & seen].mean() / error[valid & seen].mean()
        assert min(errors[0.8], errors[1.2]) > 2, errors
        assert min(errors[0.97], errors[1.03]) > 1, errors
        still = np.abs(following.image.astype(float) - now.image).mean(-1)[valid].mean()
        assert still > 4 * mean, f"no motion: {still:.2f}, exact motion: {mean:.2f}"


def test_depth_and_baseline_explain_the_picture_of_the_stereo_partner(drive):
    left, right = drive.frame(5, "none"), drive.frame(5, "right")
    T_right_left = invert(drive.cameras["right"].T_base_camera) @ drive.cameras["none"].T_base_camera
    assert T_right_left[:3, 3] == pytest.approx([-0.5, 0, 0], abs=1e-12)
    error, valid = warp_error(left, right, drive.cameras["none"].model, T_right_left)
    assert error[valid].mean() < 3 and np.median(error[valid]) < 1.5, f"mean {error[valid].mean():.2f}"
    wrong, seen = warp_error(left, right, drive.cameras["none"].model, np.eye(4))
    assert wrong[valid & seen].mean() > 4 * error[valid & seen].mean()


@pytest.mark.parametrize("lens", ["none", "equidistant"])
def test_the_lane_ahead_has_the_depth_of_the_ground_plane(drive, lens):
    frame, camera = drive.frame(4, lens), drive.cameras[lens].model
    pixels = np.stack(np.meshgrid(np.arange(WIDTH), np.arange(HEIGHT)), -1).astype(np.float64)
    rays = camera.backproject(pixels, np.ones((HEIGHT, WIDTH))) @ frame.T_world_camera[:3, :3].T
    height = frame.T_world_camera[2, 3]
    with np.errstate(divide="ignore"):
        plane = -height / rays[..., 2]
    x, y = (frame.T_world_camera[i, 3] + plane * rays[..., i] for i in (0, 1))
    s, n = drive.street.scene.road.to_road(x.astype(np.float32).ravel(), y.astype(np.float32).ravel())
    s, n = s.reshape(x.shape) - drive.trajectory.distance(frame.time), n.reshape(x.shape)
    lane = -drive.street.section.lane / 2
    ahead = (plane > 0) & (s > 4) & (s < 25) & (np.abs(n - lane) < 1.2) & ~frame.moving
    worst = np.abs(frame.depth[ahead] / plane[ahead] - 1).max()
    assert ahead.sum() > 3000 and worst < 1e-5, f"{ahead.sum()} pixels, relative error up to {worst:.1e}"


def test_a_cropped_camera_has_the_same_depth(drive):
    """Depth is that of the ray through the centre of the pixel."""
    whole, crop = drive.frame(9, "none"), drive.frame(9, "crop")
    expected = whole.depth[40:136, 100:420]
    same = np.isclose(crop.depth, expected, rtol=1e-4) | (np.isinf(crop.depth) & np.isinf(expected))
    assert same.mean() > 0.9995, f"{(~same).sum()} of {same.size} pixels differ"
    error = np.abs(crop.image.astype(int) - whole.image[40:136, 100:420])[2:-2, 2:-2]
    assert error.mean() < 0.2, f"pictures differ by {error.mean():.2f}"


def test_every_pixel_has_depth_and_only_the_sky_is_infinitely_far(drive):
    for name in ("none", "backwards"):
        frame = drive.frame(0, name)
        assert not np.isnan(frame.depth).any()
        assert frame.depth.min() > 0.5
        assert np.isfinite(frame.depth[-1]).all(), "the last row sees no sky"
        assert frame.image.std() > 20, f"contrast {frame.image.std():.1f}"


def test_the_poses_change_by_the_twist_and_within_the_limits(drive):
    speeds = []
    for time in np.arange(0, 3, 0.1):
        T0, T1 = drive.trajectory.T_world_base(time), drive.trajectory.T_world_base(time + 0.01)
        assert log_se3(invert(T0) @ T1) / 0.01 == pytest.approx(drive.trajectory.twist(time + 0.005), abs=0.03)
        twist = drive.trajectory.twist(time)
        speeds.append(twist[0])
        assert np.abs(twist[1:3]).max() < 0.3, f"sideways or upwards: {twist[:3]}"
        assert np.abs(T0[2, 3]) < 0.02 and T0[2, 2] > 0.9999
    assert min(speeds) >= 5 and max(speeds) <= 12, speeds


def test_a_longer_drive_of_a_seed_begins_with_the_shorter_one_and_other_seeds_differ(drive):
    first, longer = drive.frame(2, "none"), make_drive(seed=3, seconds=20).frame(2, "none")
    assert (longer.depth == first.depth).all() and (longer.T_world_camera == first.T_world_camera).all()
    difference = np.abs(longer.image.astype(int) - first.image)
    assert difference.max() < 8 and difference.mean() < 0.05, "more than the rounding of texture coordinates"
    other = make_drive(seed=4).frame(2, "none")
    difference = np.abs(other.image.astype(int) - first.image).mean()
    assert difference > 20, f"two seeds differ by {difference:.1f} grey levels"
