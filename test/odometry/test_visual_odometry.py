# SPDX-License-Identifier: Apache-2.0
"""Integration, limits, resets and covariance of the odometry, with exact motions."""

import numpy as np
import pytest

from monodepth_ros.geometry.motion import axis_angle_to_rotation, exp_se3, invert, make_transform
from monodepth_ros.odometry.config import OdometryConfig
from monodepth_ros.odometry.covariance import UNKNOWN_VARIANCE
from monodepth_ros.odometry.visual_odometry import TrackingState, VisualOdometry

SECOND = 1_000_000_000
STEP = exp_se3(np.array([0.02, -0.01, 0.8, 0.001, 0.03, -0.002]))


def drive(odometry, count, step=STEP, period_ns=SECOND // 10, start_ns=SECOND):
    odometry.update(start_ns, None)
    return [odometry.update(start_ns + i * period_ns, step) for i in range(1, count + 1)]


def test_exact_motions_are_integrated_to_the_exact_pose():
    estimates = drive(VisualOdometry(), 5000)
    expected = exp_se3(5000 * np.array([0.02, -0.01, 0.8, 0.001, 0.03, -0.002]))
    error = np.abs(estimates[-1].T_start_camera - expected).max()
    assert error < 1e-6, f"pose after 5000 steps is off by {error}"
    assert estimates[-1].state is TrackingState.TRACKING


def test_rotations_stay_orthonormal_over_twenty_thousand_steps():
    odometry = VisualOdometry()
    odometry.update(SECOND, None)
    step = make_transform(axis_angle_to_rotation((0.1, 0.2, -0.1)), (0.1, 0.0, 1.0))
    for i in range(1, 20_001):
        estimate = odometry.update(SECOND + i * 10**8, step)
    R = estimate.T_start_camera[:3, :3]
    error = np.abs(R @ R.T - np.eye(3)).max()
    assert error < 1e-12, f"R R^T is off by {error}"
    assert abs(np.linalg.det(R) - 1) < 1e-12


def test_the_first_frame_has_no_data_and_begins_at_the_origin():
    estimate = VisualOdometry().update(SECOND, STEP)
    assert estimate.state is TrackingState.NO_DATA
    np.testing.assert_array_equal(estimate.T_start_camera, np.eye(4))
    assert estimate.has_reset


def test_twist_is_motion_over_the_time_between_stamps():
    twist = np.array([0.1, -0.2, 5.0, 0.01, 0.3, -0.02])  # m/s, rad/s
    odometry = VisualOdometry()
    odometry.update(SECOND, None)
    stamp = SECOND
    for period in (0.05, 0.1, 0.2):
        stamp += round(period * SECOND)
        estimate = odometry.update(stamp, exp_se3(twist * period))
        np.testing.assert_allclose(estimate.twist, twist, atol=1e-9)


@pytest.mark.parametrize("back_ns", [1, SECOND // 10, 100 * SECOND])
def test_a_stamp_that_goes_back_begins_a_new_trajectory(back_ns):
    odometry = VisualOdometry()
    last = drive(odometry, 5)[-1]
    estimate = odometry.update(last.stamp_ns - back_ns, STEP)
    assert estimate.has_reset and estimate.state is TrackingState.NO_DATA
    np.testing.assert_array_equal(estimate.T_start_camera, np.eye(4))
    assert "back" in estimate.note
    again = odometry.update(last.stamp_ns - back_ns + SECOND // 10, STEP)
    np.testing.assert_allclose(again.T_start_camera, STEP, atol=1e-12)


def test_a_repeated_stamp_begins_a_new_trajectory():
    odometry = VisualOdometry()
    last = drive(odometry, 3)[-1]
    assert odometry.update(last.stamp_ns, STEP).has_reset


def test_a_gap_resets_or_holds_the_pose():
    for on_gap in ("reset", "hold"):
        odometry = VisualOdometry(OdometryConfig(max_gap=1.0, on_gap=on_gap))
        last = drive(odometry, 5)[-1]
        estimate = odometry.update(last.stamp_ns + 2 * SECOND, STEP)
        expected = np.eye(4) if on_gap == "reset" else last.T_start_camera
        np.testing.assert_array_equal(estimate.T_start_camera, expected)
        assert estimate.has_reset == (on_gap == "reset")
        assert "2.000 s" in estimate.note


@pytest.mark.parametrize(
    "step, word",
    [
        (make_transform(np.eye(3), (0.0, 0.0, 50.0)), "max_speed"),
        (make_transform(axis_angle_to_rotation((0.0, 1.5, 0.0)), (0.0, 0.0, 0.1)), "max_turn_rate"),
        (np.full((4, 4), np.nan), "finite"),
    ],
)
def test_implausible_motions_are_ignored_with_a_note(step, word):
    odometry = VisualOdometry()
    last = drive(odometry, 5)[-1]
    lost = odometry.update(last.stamp_ns + SECOND // 10, step)
    assert lost.state is TrackingState.LOST and word in lost.note
    np.testing.assert_array_equal(lost.T_start_camera, last.T_start_camera)
    assert lost.pose_covariance[0, 0] == UNKNOWN_VARIANCE
    found = odometry.update(lost.stamp_ns + SECOND // 10, STEP)
    assert found.state is TrackingState.TRACKING
    np.testing.assert_allclose(found.T_start_camera, last.T_start_camera @ STEP, atol=1e-12)
    # The lost step could have been up to max_speed * 0.1 s = 6 m long.
    assert found.pose_covariance[0, 0] >= 36.0


def test_speed_has_no_limit_if_lengths_are_not_metres():
    odometry = VisualOdometry()
    odometry.update(SECOND, None)
    step = make_transform(np.eye(3), (0.0, 0.0, 50.0))
    assert odometry.update(SECOND + SECOND // 10, step, is_metric=False).state is TrackingState.TRACKING


def test_covariances_are_symmetric_positive_and_grow():
    estimates = drive(VisualOdometry(), 200)
    last = 0.0
    for estimate in estimates:
        for matrix in (estimate.pose_covariance, estimate.twist_covariance):
            np.testing.assert_allclose(matrix, matrix.T, atol=1e-12)
            assert np.linalg.eigvalsh(matrix).min() > 0
        trace = np.trace(estimate.pose_covariance)
        assert trace > last, f"covariance shrank from {last} to {trace}"
        last = trace


def test_pose_covariance_matches_simulated_noise():
    """The spread of the final positions of 2000 noisy copies of a turning drive of 10 s equals the covariance."""
    rng = np.random.default_rng(0)
    noise = OdometryConfig(
        translation_noise=0.03, translation_noise_floor=0.005, rotation_noise=0.02, rotation_noise_floor=0.001
    )
    odometry = VisualOdometry(noise)
    estimate = drive(odometry, 100)[-1]
    step_sigma = np.sqrt(np.diag(estimate.twist_covariance)) * 0.1
    ends = np.empty((2000, 3))
    for n in range(len(ends)):
        pose = np.diag([1.0, 1.0, 1.0, 1.0])
        for delta in rng.normal(size=(100, 6)) * step_sigma:
            noisy = STEP.copy()
            noisy[:3, 3] += delta[:3]
            noisy[:3, :3] = axis_angle_to_rotation(delta[3:]) @ noisy[:3, :3]
            pose = pose @ noisy
        ends[n] = pose[:3, 3]
    simulated = np.cov(ends.T)
    predicted = estimate.pose_covariance[:3, :3]
    difference = np.linalg.norm(simulated - predicted) / np.linalg.norm(simulated)
    assert difference < 0.15, f"covariance differs by {100 * difference:.0f} %:\n{predicted}\nsimulated\n{simulated}"


def test_an_uncertain_scale_is_an_error_along_the_way_driven():
    """Every step has the same error, so it grows with the distance and is gone where the trajectory closes."""
    quiet = OdometryConfig(translation_noise_floor=1e-6, rotation_noise_floor=1e-6)
    half_circle = exp_se3(np.array([0.0, 0.0, 1.0, 0.0, np.pi / 20, 0.0]))
    odometry = VisualOdometry(quiet)
    odometry.update(SECOND, None)
    estimates = []
    for i in range(1, 41):
        stamp_ns = SECOND + i * SECOND // 10
        estimates.append(odometry.update(stamp_ns, half_circle, covariance=1e-12 * np.eye(6), scale_uncertainty=0.1))
    for count in (1, 10, 20):
        found, way = estimates[count - 1].pose_covariance[:3, :3], estimates[count - 1].T_start_camera[:3, 3]
        np.testing.assert_allclose(found, 0.01 * np.outer(way, way), atol=1e-6, err_msg=f"after {count} steps")
    assert np.abs(estimates[-1].pose_covariance).max() < 1e-6, "the circle is closed"
    twist, covariance = estimates[5].twist, estimates[5].twist_covariance
    sideways = half_circle[:3, 3] / 0.1
    np.testing.assert_allclose(covariance[:3, :3], 0.01 * np.outer(sideways, sideways), atol=1e-9)
    assert np.sqrt(twist[:3] @ covariance[:3, :3] @ twist[:3]) / (twist[:3] @ twist[:3]) == pytest.approx(0.1, rel=0.01)


def test_reset_forgets_everything():
    odometry = VisualOdometry()
    drive(odometry, 5)
    odometry.reset()
    estimate = odometry.update(SECOND, STEP)
    assert estimate.state is TrackingState.NO_DATA
    np.testing.assert_array_equal(estimate.T_start_camera, np.eye(4))


def test_driving_and_returning_ends_at_the_origin():
    odometry = VisualOdometry()
    stamp = drive(odometry, 50)[-1].stamp_ns
    for i in range(1, 51):
        estimate = odometry.update(stamp + i * SECOND // 10, invert(STEP))
    error = np.abs(estimate.T_start_camera - np.eye(4)).max()
    assert error < 1e-10, f"off by {error}"
