# SPDX-License-Identifier: Apache-2.0
"""Every measured scale source recovers an unknown factor and its uncertainty."""

import functools
import math

import numpy as np
import pytest

from monodepth_ros.geometry.motion import axis_angle_to_rotation, invert, make_transform
from monodepth_ros.odometry.scale.camera_height import CameraHeightScale
from monodepth_ros.odometry.scale.factor_window import FactorWindow
from monodepth_ros.odometry.scale.odometry_scale import OdometryScale
from monodepth_ros.odometry.scale.source import CameraMount, ScaleKind, ScaleState, SeenDepth, SeenMotion
from monodepth_ros.odometry.scale.travel_log import TravelLog
from monodepth_ros.synthetic.drive import Drive, default_camera, mounted
from monodepth_ros.synthetic.road import Road
from monodepth_ros.synthetic.trajectory import Trajectory

SECOND = 1_000_000_000
TENTH = SECOND // 10
FACTOR = 7.3  # metres per network unit, unknown to the sources
CAMERA = default_camera(320, 96)


def seen(frame, mount=CameraMount()):
    with np.errstate(divide="ignore"):
        return SeenDepth(SECOND + round(frame.time * SECOND), (FACTOR / frame.depth).astype(np.float32), CAMERA, mount)


@functools.cache
def frames_of(seed):
    """Frames of a street, one per second."""
    return list(Drive(seed, seconds=10, rate=1, cameras={"camera": mounted(CAMERA)}))


WALL = np.full((96, 320), 0.2, np.float32)


@pytest.mark.parametrize("seed", [9201, 9202, 9203])
@pytest.mark.parametrize("from_tf", [True, False])
def test_camera_height_recovers_the_factor_within_two_percent(seed, from_tf):
    mount = CameraMount(1.65, np.array((0, -1.0, 0))) if from_tf else CameraMount()
    source = CameraHeightScale(0.0 if from_tf else 1.65, time_constant=5.0)
    for frame in frames_of(seed):
        source.observe_depth(seen(frame, mount))
    estimate = source.estimate()
    print(f"factor off by {100 * (estimate.factor / FACTOR - 1):+.2f} %")
    assert estimate.factor == pytest.approx(FACTOR, rel=0.02)
    assert estimate.kind is ScaleKind.CAMERA_HEIGHT and estimate.state is ScaleState.MEASURED
    assert abs(estimate.factor / FACTOR - 1) < 2 * estimate.uncertainty < 0.2


@pytest.mark.parametrize("seed", [9211, 9212, 9213])
@pytest.mark.parametrize("kind", ["pose", "velocity"])
def test_odometry_recovers_the_factor_within_two_percent(seed, kind):
    """Odometry at 23 Hz with noise and wheel slip, images at 10 Hz, and a network whose steps scatter by 5 %."""
    random = np.random.default_rng(seed)
    travel = TravelLog()
    source = OdometryScale(travel, time_constant=5.0)
    path = Trajectory(random, Road.generate(random, 400.0), 0.0)
    T_camera = mounted(CAMERA).T_base_camera
    messages = np.arange(0, 12, 1 / 23)
    sent = 0
    for i in range(1, 120):
        before, now = (i - 1) / 10, i / 10
        T = invert(path.T_world_base(before) @ T_camera) @ path.T_world_base(now) @ T_camera
        T[:3, 3] *= math.exp(random.normal(0, 0.05)) / FACTOR
        source.observe_motion(SeenMotion(SECOND + round(before * SECOND), SECOND + round(now * SECOND), T))
        # The messages arrive a little later than the images.
        while sent < len(messages) and messages[sent] < now - 0.03:
            time = messages[sent]
            stamp = SECOND + round(time * SECOND)
            if kind == "pose":
                position = path.T_world_base(time)[:3, 3] * (1.0 + 0.0001 * random.normal(size=3))
                travel.add_pose(stamp, position, (0, 0, 0, 1))
            else:
                slip = 3.0 if 4 < time < 6 else 1.0
                twist = path.twist(time)
                travel.add_velocity(stamp, slip * twist[:3], twist[3:])
            sent += 1
    estimate = source.estimate()
    print(f"factor off by {100 * (estimate.factor / FACTOR - 1):+.2f} %")
    assert estimate.factor == pytest.approx(FACTOR, rel=0.02)
    assert estimate.kind is ScaleKind.ODOMETRY and estimate.state is ScaleState.MEASURED
    assert 0 < estimate.uncertainty < 0.1


def drive_past(source, travel, count, metres, units=None, turn=0.0, start=0):
    """`count` steps of 0.1 s: metres by the robot's odometry, units by the network, turning by `turn` rad each."""
    for i in range(start, start + count):
        T = make_transform(axis_angle_to_rotation((0, turn, 0)), (0, 0, metres / FACTOR if units is None else units))
        travel.add_velocity(SECOND + i * TENTH, (metres * 10, 0, 0), (0, 0, turn * 10))
        travel.add_velocity(SECOND + (i + 1) * TENTH, (metres * 10, 0, 0), (0, 0, turn * 10))
        source.observe_motion(SeenMotion(SECOND + i * TENTH, SECOND + (i + 1) * TENTH, T))


def test_standstill_and_turning_on_the_spot_are_not_measured():
    travel = TravelLog()
    source = OdometryScale(travel, 5.0)
    drive_past(source, travel, 50, metres=0.001, units=0.02)
    drive_past(source, travel, 50, metres=0.02, units=0.05, turn=0.1, start=50)
    assert source.estimate().state is ScaleState.WAITING and math.isnan(source.estimate().factor)
    drive_past(source, travel, 50, metres=0.3, start=100)
    measured = source.estimate()
    assert measured.factor == pytest.approx(FACTOR, rel=1e-6) and measured.state is ScaleState.MEASURED
    drive_past(source, travel, 80, metres=0.0, units=0.03, start=150)
    standing = source.estimate()
    assert standing.factor == measured.factor and standing.state is ScaleState.HELD
    assert standing.uncertainty > measured.uncertainty


@pytest.mark.parametrize("kind", ["pose", "velocity"])
def test_turns_are_measured_if_the_camera_s_place_is_known(kind):
    """The robot drives in a circle of 2 m radius; the camera 1.5 m in front of the axle travels 25 % further."""
    radius, lever, turn = 2.0, np.array((1.5, 0.0, 0.8)), 0.04
    units = 2 * math.hypot(radius, lever[0]) * math.sin(turn / 2) / FACTOR
    found = {}
    for is_known in (False, True):
        travel = TravelLog()
        source = OdometryScale(travel, 5.0)
        if is_known:
            travel.mount_camera(lever)
        for i in range(80):
            stamp, angle = SECOND + i * TENTH, i * turn
            if kind == "pose":
                position = radius * math.sin(angle), radius * (1.0 - math.cos(angle)), 0.0
                travel.add_pose(stamp, position, (0, 0, math.sin(angle / 2), math.cos(angle / 2)))
            else:
                travel.add_velocity(stamp, (10 * turn * radius, 0, 0), (0, 0, 10 * turn))
            if i:
                T = make_transform(axis_angle_to_rotation((0, -turn, 0)), (0, 0, units))
                source.observe_motion(SeenMotion(stamp - TENTH, stamp, T))
        found[is_known] = source.estimate()
    assert found[False].state is ScaleState.WAITING, "a turn was compared with the axle's path"
    assert found[True].state is ScaleState.MEASURED
    assert found[True].factor == pytest.approx(FACTOR, rel=0.002)


def test_there_is_no_scale_without_the_robot_s_odometry():
    source = OdometryScale(TravelLog(), 5.0)
    for i in range(20):
        T = make_transform(np.eye(3), (0, 0, 0.1))
        source.observe_motion(SeenMotion(SECOND + i * TENTH, SECOND + (i + 1) * TENTH, T))
    assert not source.estimate().is_known


def test_the_scale_is_held_without_visible_ground_and_its_uncertainty_grows():
    source = CameraHeightScale(1.65, 5.0)
    V = np.arange(96)[:, None] + 0 * np.arange(320)
    ground = np.maximum((V - CAMERA.cy) / CAMERA.fy / (1.65 / FACTOR), 0).astype(np.float32)
    for i in range(30):
        source.observe_depth(SeenDepth(SECOND + i * TENTH, ground, CAMERA, CameraMount()))
    seen_ground = source.estimate()
    assert seen_ground.factor == pytest.approx(FACTOR, rel=0.005) and source.ground is not None
    uncertainties = [seen_ground.uncertainty]
    for i in range(30, 330):
        source.observe_depth(SeenDepth(SECOND + i * TENTH, WALL, CAMERA, CameraMount()))
        uncertainties.append(source.estimate().uncertainty)
    assert source.estimate().factor == seen_ground.factor and source.ground is None
    assert source.estimate().state is ScaleState.HELD
    assert (np.diff(uncertainties[1:]) > 0).all() and uncertainties[-1] > uncertainties[0] + 0.02


def test_a_camera_of_unknown_height_waits_and_names_the_setting():
    source = CameraHeightScale(0.0, 5.0)
    V = np.arange(96)[:, None] + 0 * np.arange(320)
    ground = np.maximum((V - CAMERA.cy) / CAMERA.fy, 0).astype(np.float32)
    source.observe_depth(SeenDepth(SECOND, ground, CAMERA, CameraMount()))
    estimate = source.estimate()
    assert estimate.state is ScaleState.WAITING and not estimate.is_known
    assert "scale.camera_height" in estimate.description


def test_the_window_ignores_outliers_and_follows_changes_even_if_time_goes_back():
    random = np.random.default_rng(3)
    window = FactorWindow(5.0, systematic=0.02, held_after=1.0)
    for i in range(100):
        factor = 5.4 * math.exp(random.normal(0, 0.05)) * (2.0 if i % 3 == 0 else 1.0)
        window.measure(SECOND + i * TENTH, factor, 1.0)
    assert window.factor == pytest.approx(5.4, rel=0.05)
    certain = window.uncertainty
    window.measure(SECOND, 5.4, 1.0)  # the recording begins again
    assert window.factor == pytest.approx(5.4, rel=0.05) and not window.is_held
    assert window.uncertainty == pytest.approx(certain, rel=0.1)
    for i in range(1, 201):
        window.measure(SECOND + i * TENTH, 6.0, 1.0)
        if i == 40:
            assert window.factor < 5.8, "a change within the time constant is no change yet"
    assert window.factor == pytest.approx(6.0) and window.uncertainty < 0.03
    for bad in (math.nan, math.inf, 0.0, -1.0):
        window.measure(30 * SECOND, bad, 1.0)
    assert window.factor == pytest.approx(6.0)


def test_the_travel_log_interpolates_and_does_not_bridge_gaps():
    travel = TravelLog()
    for i in range(20):
        travel.add_pose(SECOND + i * TENTH, (0.2 * i, 0, 0), (0, 0, math.sin(0.005 * i), math.cos(0.005 * i)))
    length, angle = travel.between(SECOND + TENTH // 2, SECOND + 5 * TENTH)
    assert length == pytest.approx(0.9) and angle == pytest.approx(0.045)
    assert travel.between(SECOND - 1, SECOND + TENTH) is None and not travel.reaches(SECOND + 20 * TENTH)
    travel.add_pose(SECOND + 40 * TENTH, (50, 0, 0), (0, 0, 0, 1))
    assert travel.between(SECOND, SECOND + 40 * TENTH) is None
    travel.add_pose(SECOND // 2, (0, 0, 0), (0, 0, 0, 1))  # the bag begins again
    travel.add_pose(SECOND // 2 + TENTH, (1, 0, 0), (0, 0, 0, 1))
    assert travel.between(SECOND // 2, SECOND // 2 + TENTH)[0] == pytest.approx(1.0)
    travel.add_pose(SECOND // 2 + 2 * TENTH, (math.nan, 0, 0), (0, 0, 0, 1))
    travel.add_pose(SECOND // 2 + 2 * TENTH, (2, 0, 0), (0, 0, 0, 0))
    assert not travel.reaches(SECOND // 2 + 2 * TENTH)


def test_the_travel_log_drops_old_messages():
    travel = TravelLog()
    for i in range(6000):
        travel.add_velocity(SECOND + i * TENTH, (1, 0, 0), (0, 0, 0))
    assert travel.between(SECOND + 5000 * TENTH, SECOND + 5001 * TENTH) is None
    assert travel.between(SECOND + 5900 * TENTH, SECOND + 5950 * TENTH)[0] == pytest.approx(5.0)
