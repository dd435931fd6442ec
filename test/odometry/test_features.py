# SPDX-License-Identifier: Apache-2.0
"""Odometry by features on images of a textured world with exact geometry."""

import cv2
import numpy as np
import pytest
from corridor import CAMERA, CURVE, TEXTURES, render, steps_to_poses

from monodepth_ros.geometry.motion import (
    axis_angle_to_rotation,
    exp_se3,
    invert,
    make_transform,
    rotation_to_axis_angle,
)
from monodepth_ros.odometry.corners import find_corners
from monodepth_ros.odometry.features.bundle import adjust
from monodepth_ros.odometry.features.depth_prior import GROUND_SIGMA, depth_prior
from monodepth_ros.odometry.features.feature_odometry import FeatureOdometry
from monodepth_ros.odometry.features.patches import align_patches, warped_patches
from monodepth_ros.odometry.features.robust_pose import (
    motion_by_epipolar_geometry,
    pose_by_ransac,
    refine_pose,
)
from monodepth_ros.odometry.features.sightings import DepthPoints, Observations


def drive(poses, depth_factor=1.0, change=lambda i, image: image):
    """The odometry's motions for images at these poses, without the first."""
    odometry = FeatureOdometry(CAMERA, 250)
    motions = []
    for i, pose in enumerate(poses):
        image, inverse_depth = render(pose, seed=i)
        motions.append(odometry.update(change(i, image), inverse_depth / np.float32(depth_factor)))
    return motions[1:]


def end_error(motions, poses):
    """Error of the final pose: metres and radians."""
    end = np.eye(4)
    for motion in motions:
        assert motion.T_previous_current is not None, motion.reason
        end = end @ motion.T_previous_current
    error = invert(poses[-1]) @ end
    return np.linalg.norm(error[:3, 3]), np.linalg.norm(rotation_to_axis_angle(error[:3, :3]))


def test_a_known_drive_is_recovered():
    poses = steps_to_poses(*CURVE)
    metres, radians = end_error(drive(poses), poses)
    assert metres < 0.12 and np.degrees(radians) < 0.1, (
        f"end of 12 m off by {metres:.3f} m, {np.degrees(radians):.3f} deg"
    )


def test_objects_at_half_their_depth_do_not_lose_a_fast_camera():
    """A network in an unknown world: the depth of objects is wrong, that of the ground right."""
    poses = steps_to_poses(*[(0.0, 0.0, 2.0, 0.0, 0.01, 0.0)] * 12)
    above_ground = np.arange(CAMERA.height)[:, None] < 70
    for step in drive(poses, depth_factor=np.where(above_ground, 0.5, 1.0)):
        assert step.T_previous_current is not None, step.reason
        way = step.T_previous_current[:3, 3]
        off = np.degrees(np.arccos(way[2] / np.linalg.norm(way)))
        assert off < 1.0, f"the direction of a step is off by {off:.1f} degrees"


def test_the_translation_is_in_the_units_of_the_depth():
    poses = steps_to_poses(*CURVE[:10])
    steps = drive(poses, depth_factor=0.2)
    length = sum(np.linalg.norm(step.T_previous_current[:3, 3]) for step in steps)
    assert length == pytest.approx(0.2 * 5.0, rel=0.02)


def test_the_uncertainty_of_the_length_follows_the_scatter_of_the_depth():
    def uncertainty(depth_factor):
        motion = drive(steps_to_poses(*CURVE[:12]), depth_factor)[-1]
        way = motion.T_previous_current[:3, 3]
        length = np.linalg.norm(way)
        return np.sqrt(way @ motion.covariance[:3, :3] @ way) / length**2

    waves = np.exp(0.5 * np.sin(np.arange(CAMERA.width) / 30.0)) * np.ones((CAMERA.height, 1))
    exact, scattered = uncertainty(1.0), uncertainty(waves)
    assert exact < 0.02 < 0.05 < scattered < 0.2, (
        f"{exact:.3f} with exact depth, {scattered:.3f} with depth off by up to 65 %"
    )


def test_pure_rotation_does_not_translate():
    poses = steps_to_poses(*[(0.0, 0.0, 0.0, 0.0, 0.02, 0.0)] * 15)
    motions = drive(poses)
    metres, radians = end_error(motions, poses)
    assert metres < 0.03, f"17 degrees on the spot moved the camera by {metres:.3f} m"
    assert np.degrees(radians) < 0.15


def test_standstill_is_exactly_no_motion_and_a_creeping_camera_is_measured():
    still = drive([np.eye(4)] * 8)
    for motion in still:
        assert motion.is_still
        np.testing.assert_array_equal(motion.T_previous_current, np.eye(4))
        assert np.linalg.eigvalsh(motion.covariance).min() > 0
    creeping = steps_to_poses(*[(0.0, 0.0, 0.01, 0.0, 0.0, 0.0)] * 40)
    motions = drive(creeping)
    metres, _ = end_error(motions, creeping)
    assert sum(motion.is_still for motion in motions) > 3
    assert metres < 0.05, f"0.4 m at 1 cm per frame: off by {metres:.3f} m"


def test_a_moving_object_does_not_move_the_camera():
    """A third of the image slides sideways."""

    def slide(i, image):
        image = image.copy()
        image[60:140, 150:330] = TEXTURES[3][300:380, 100 + 6 * i : 280 + 6 * i].astype(np.uint8)
        return image

    poses = steps_to_poses(*CURVE[:16])
    metres, radians = end_error(drive(poses, change=slide), poses)
    assert metres < 0.3 and np.degrees(radians) < 0.4, (
        f"end of 8 m off by {metres:.3f} m, {np.degrees(radians):.2f} deg"
    )


def test_a_black_stream_is_lost_until_the_next_good_pair_of_images():
    poses = steps_to_poses(*CURVE[:16])
    motions = drive(poses, change=lambda i, image: np.zeros_like(image) if 6 <= i < 10 else image)
    known = [motion.T_previous_current is not None for motion in motions]
    assert known == [True] * 5 + [False] * 5 + [True] * 6
    assert "dark" in motions[7].reason


def test_a_frozen_stream_is_lost():
    images = {}

    def freeze(i, image):
        images[i] = image
        return images[min(i, 6)] if i < 11 else image

    motions = drive(steps_to_poses(*CURVE[:16]), change=freeze)
    known = [motion.T_previous_current is not None for motion in motions]
    assert known == [True] * 6 + [False] * 5 + [True] * 5
    assert "frozen" in motions[6].reason


def test_a_blurred_stream_is_lost_and_recovers():
    motions = drive(
        steps_to_poses(*CURVE[:16]),
        change=lambda i, image: cv2.GaussianBlur(image, (0, 0), 12) if 6 <= i < 10 else image,
    )
    known = [motion.T_previous_current is not None for motion in motions]
    assert known[:5] == [True] * 5 and not any(known[5:9]) and all(known[10:])


def test_a_kidnapped_camera_is_lost_for_one_image():
    poses = steps_to_poses(*CURVE[:8])
    elsewhere = make_transform(axis_angle_to_rotation((0.0, 2.5, 0.0)), (2.0, 0.0, -40.0))
    motions = drive(poses[:5] + [elsewhere @ pose for pose in poses[:4]])
    known = [motion.T_previous_current is not None for motion in motions]
    assert known == [True] * 4 + [False] + [True] * 3, [motion.reason for motion in motions]


def simulated(rng, count=120, noise=0.2, depth_noise=0.1):
    """Points and their noisy sightings in four frames; the last two poses are unknown."""
    poses = np.array(steps_to_poses(*[(0.1, 0.0, 0.6, 0.0, 0.02, 0.0)] * 3))
    pixels = np.column_stack([rng.uniform(20, 460, count), rng.uniform(20, 140, count)])
    ray = CAMERA.rays(pixels)
    rho = rng.uniform(0.03, 0.2, count)
    world = np.column_stack([ray, np.ones(count)]) / rho[:, None]
    point, frame = np.repeat(np.arange(count), 3), np.tile([1, 2, 3], count)
    places = np.einsum("kji,kj->ki", poses[frame, :3, :3], world[point] - poses[frame, :3, 3])
    seen = CAMERA.pixels(places) + rng.normal(size=(3 * count, 2)) * noise
    prior = rho * (1.0 + rng.normal(size=count) * depth_noise)
    points = DepthPoints(np.zeros(count, int), ray, prior, depth_noise * rho)
    return poses, points, Observations(point, frame, CAMERA.rays(seen))


def test_the_covariance_of_the_adjustment_matches_simulated_noise():
    rng = np.random.default_rng(1)
    errors, information = [], []
    for _ in range(150):
        poses, points, seen = simulated(rng)
        start = poses.copy()
        for i in (2, 3):
            start[i] = start[i] @ exp_se3(rng.normal(size=6) * 0.02)
        found = adjust(start, points, points.prior, seen, free=2, focal=CAMERA.focal, iterations=8)
        difference = invert(poses[-1]) @ found.poses[-1]
        errors.append(np.r_[difference[:3, 3], rotation_to_axis_angle(difference[:3, :3])])
        information.append(np.linalg.inv(found.covariance[-6:, -6:]))
    nees = np.mean([error @ matrix @ error for error, matrix in zip(errors, information, strict=True)])
    assert 4.0 < nees < 9.0, f"normalised error squared averages {nees:.1f}, expected about 6"


def test_the_adjustment_ignores_outliers():
    rng = np.random.default_rng(2)
    poses, points, seen = simulated(rng)
    wild = rng.random(len(seen.point)) < 0.2
    seen.ray[wild] += rng.uniform(-0.2, 0.2, (wild.sum(), 2))
    found = adjust(poses.copy(), points, points.prior, seen, free=2, focal=CAMERA.focal, iterations=10)
    difference = invert(poses[-1]) @ found.poses[-1]
    assert np.linalg.norm(difference[:3, 3]) < 0.05
    assert np.median(found.errors[wild]) > 10 > 1 > np.median(found.errors[~wild])


@pytest.fixture
def scattered():
    rng = np.random.default_rng(3)
    pose = exp_se3(np.array([0.5, -0.1, 1.0, 0.02, -0.15, 0.01]))
    rays_before = CAMERA.rays(np.column_stack([rng.uniform(0, 480, 200), rng.uniform(0, 160, 200)]))
    depth = rng.uniform(4.0, 30.0, 200)
    world = np.column_stack([rays_before, np.ones(200)]) * depth[:, None]
    seen = (world - pose[:3, 3]) @ pose[:3, :3]
    return pose, world, rays_before, seen[:, :2] / seen[:, 2:], depth, rng


def test_ransac_and_refinement_find_the_pose_among_outliers(scattered):
    pose, world, _, rays, _, rng = scattered
    rays = rays.copy()
    rays[:90] += rng.uniform(-0.3, 0.3, (90, 2))
    rough = pose_by_ransac(world, rays, CAMERA.focal)
    found, error = refine_pose(rough, world, rays, CAMERA.focal)
    np.testing.assert_allclose(found, pose, atol=1e-3)
    assert error[90:].max() < 0.1


def test_epipolar_geometry_uses_depth_only_for_the_length(scattered):
    """Each depth is wrong by a factor of up to two; their median is right."""
    pose, _, before, now, depth, rng = scattered
    wrong = depth * np.exp(rng.uniform(-0.7, 0.7, len(depth)))
    found = motion_by_epipolar_geometry(before, now, 1.0 / wrong, CAMERA.focal)
    np.testing.assert_allclose(found[:3, :3], pose[:3, :3], atol=2e-3)
    np.testing.assert_allclose(found[:3, 3], pose[:3, 3], rtol=0.15, atol=0.05)


def test_epipolar_geometry_finds_no_motion_for_a_pure_rotation(scattered):
    _, _, before, _, depth, _ = scattered
    turned = np.column_stack([before, np.ones(len(before))]) @ axis_angle_to_rotation((0.0, 0.1, 0.0))
    assert motion_by_epipolar_geometry(before, turned[:, :2] / turned[:, 2:], 1.0 / depth, CAMERA.focal) is None


def test_patches_are_found_to_a_tenth_of_a_pixel_at_another_size_and_in_other_light():
    image = TEXTURES[0][:400, :600].astype(np.uint8)
    zoom = np.array([[1.3, 0.1, 4.0], [0.0, 1.2, -3.0]])
    other = cv2.warpAffine(image, zoom, (600, 400), flags=cv2.INTER_CUBIC).astype(np.float32)
    other = np.clip(0.7 * other + 30, 0, 255).astype(np.uint8)
    centres = find_corners(image[50:250, 50:350], np.zeros((0, 2)), 120) + 50
    true = centres @ zoom[:, :2].T + zoom[:, 2]
    warps = np.tile(np.linalg.inv(zoom[:, :2]), (len(centres), 1, 1))
    start = true + np.random.default_rng(0).uniform(-1.0, 1.0, true.shape)
    found, likeness = align_patches(warped_patches(image, centres, warps), other, start)
    good = likeness > 0.9
    error = np.linalg.norm(found - true, axis=1)[good]
    assert good.mean() > 0.7 and np.median(error) < 0.1, (
        f"{good.mean():.2f} found, median error {np.median(error):.3f} px"
    )


def test_new_corners_are_spread_and_keep_away_from_tracked_points():
    image, _ = render(np.eye(4))
    found = find_corners(image, np.zeros((0, 2)), 240)
    assert 120 < len(found) <= 240
    more = find_corners(image, found, 240)
    distance = np.linalg.norm(more[:, None] - found[None], axis=-1)
    assert len(more) == 0 or distance.min() > 7
    assert len(find_corners(np.full((160, 480), 90, np.uint8), np.zeros((0, 2)), 240)) == 0


def test_the_ground_is_trusted_more_than_walls():
    _, inverse_depth = render(np.eye(4))
    pixels = np.array([[240.0, 150.0], [60.0, 40.0], [240.0, 75.0]])  # ground, side wall, end wall
    prior = depth_prior(inverse_depth, pixels, CAMERA)
    np.testing.assert_allclose(prior.inverse_depth, [inverse_depth[int(v), int(u)] for u, v in pixels], rtol=1e-4)
    relative = prior.sigma / prior.inverse_depth
    assert relative[0] == pytest.approx(GROUND_SIGMA) and (relative[1:] > 5 * GROUND_SIGMA).all()


def test_unknown_depth_gives_no_points():
    image, inverse_depth = render(np.eye(4))
    odometry = FeatureOdometry(CAMERA, 250)
    assert "corners" in odometry.update(image, np.full_like(inverse_depth, np.nan)).reason
