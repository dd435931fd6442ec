# SPDX-License-Identifier: Apache-2.0
"""Warnings for depth that contradicts the camera's motion or its known height."""

import math

import numpy as np
import pytest
from corridor import CAMERA, CURVE, render, steps_to_poses

from monodepth_ros.geometry.camera import CameraModel
from monodepth_ros.odometry.checks.depth_plausibility import DepthPlausibility
from monodepth_ros.odometry.features.depth_agreement import rank_correlation
from monodepth_ros.odometry.features.feature_odometry import FeatureOdometry
from monodepth_ros.odometry.scale.source import CameraMount, ScaleEstimate, ScaleKind, SeenDepth

SECOND = 1_000_000_000
PERIOD = SECOND // 10


def agreements(change):
    """Agreement of depth and parallax along a curve through the corridor, with the depth changed."""
    odometry, found = FeatureOdometry(CAMERA, 250), []
    for i, pose in enumerate(steps_to_poses(*CURVE)):
        image, inverse_depth = render(pose, seed=i)
        found.append(odometry.update(image, np.ascontiguousarray(change(inverse_depth))).depth_agreement)
    return np.array(found)


def test_equal_values_share_a_rank():
    assert rank_correlation(np.array([1.0, 2, 3, 4]), np.array([10.0, 20, 20, 1000])) == pytest.approx(0.9487, abs=1e-4)
    assert rank_correlation(np.array([1.0, 2, 3]), np.array([3.0, 2, 1])) == pytest.approx(-1.0)
    assert rank_correlation(np.array([1.0, 2, 3]), np.ones(3)) == 0.0


def test_right_depth_agrees_with_parallax_in_any_unit_and_depth_of_another_scene_does_not():
    right = agreements(lambda inverse: 3.0 * np.sqrt(inverse))  # a wrong scale and a wrong contrast, the right order
    wrong = agreements(lambda inverse: inverse[::-1])
    assert np.nanmedian(right) > 0.9 and np.isfinite(right).sum() > 10, right
    assert np.nanmedian(wrong) < 0.2 and np.isfinite(wrong).sum() > 5, wrong


def checked(agreement, seconds, start=SECOND):
    plausibility = DepthPlausibility()
    for stamp in range(start, start + int(seconds * SECOND), PERIOD):
        plausibility.observe_agreement(stamp, agreement)
    return plausibility


def test_a_contradiction_must_last():
    assert checked(0.05, seconds=2.0).contradiction == ""
    assert "rank correlation 0.05 over 3 s" in checked(0.05, seconds=3.5).contradiction
    assert checked(0.8, seconds=3.5).contradiction == ""
    assert checked(math.nan, seconds=3.5).contradiction == ""


@pytest.mark.parametrize("jump", [4 * SECOND, -60 * SECOND])
def test_it_ends_when_the_camera_stands_or_time_goes_back(jump):
    plausibility = checked(0.05, seconds=3.5, start=100 * SECOND)
    plausibility.observe_agreement(103 * SECOND + jump, math.nan)
    assert plausibility.contradiction == ""


def ground_contradiction(kind, height, factor=1.0, mount=CameraMount(), seconds=4.0):
    """The verdict on a plane 1.2 network units below the camera."""
    camera = CameraModel.pinhole(320, 96, 185.0, 185.0, 159.5, 47.5)
    rows = np.arange(96)[:, None].repeat(320, axis=1)
    inverse = np.maximum((rows - 47.5) / 185.0 / 1.2, 0.0).astype(np.float32)
    plausibility = DepthPlausibility()
    for stamp in range(SECOND, SECOND + int(seconds * SECOND), PERIOD):
        scale = ScaleEstimate(factor, kind, "")
        plausibility.observe_depth(SeenDepth(stamp, inverse, camera, mount), scale, height)
    return plausibility.contradiction


def test_a_ground_at_another_height_than_the_mount_contradicts_the_scale():
    found = ground_contradiction(ScaleKind.CHECKPOINT, height=0.0, factor=2.5, mount=CameraMount(1.2))
    assert "the ground 3 m below the camera, which is mounted 1.2 m above it" in found and "2.5 times" in found
    assert "which is mounted 2.4 m" in ground_contradiction(ScaleKind.FIXED, height=2.4, mount=CameraMount(1.2))


@pytest.mark.parametrize(
    "kind, height",
    [
        (ScaleKind.CHECKPOINT, 1.1),  # close enough
        (ScaleKind.CHECKPOINT, 0.0),  # unknown
        (ScaleKind.RELATIVE, 3.0),  # no metres
        (ScaleKind.CAMERA_HEIGHT, 3.0),  # still approaching this very height
    ],
)
def test_a_right_unknown_or_used_height_contradicts_nothing(kind, height):
    assert ground_contradiction(kind, height) == ""
