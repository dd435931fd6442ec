# SPDX-License-Identifier: Apache-2.0
"""Choice of the scale source, and the change from one source to another."""

import math

import numpy as np
import pytest

from monodepth_ros.networks.checkpoints.checkpoint import CheckpointHeader
from monodepth_ros.odometry.scale.best_scale import BestScale
from monodepth_ros.odometry.scale.config import ScaleConfig
from monodepth_ros.odometry.scale.create_scale import create_scale
from monodepth_ros.odometry.scale.source import (
    CameraMount,
    ScaleError,
    ScaleEstimate,
    ScaleKind,
    ScaleSource,
    ScaleState,
    SeenDepth,
)
from monodepth_ros.odometry.scale.stated import FixedScale

SECOND = 1_000_000_000
TENTH = SECOND // 10
K = (0.58, 1.92, 0.5, 0.5)
METRIC = CheckpointHeader("resnet18", 96, 320, K, scale_kind="metric", scale_factor=5.4, scale_origin="stereo")
RELATIVE = CheckpointHeader("resnet18", 96, 320, K)


class Given(ScaleSource):
    """A source with an estimate set by the test."""

    needs_depth = True

    def __init__(self, kind, factor=math.nan, uncertainty=math.nan):
        self.kind, self.factor, self.uncertainty = kind, factor, uncertainty

    def estimate(self):
        return ScaleEstimate(self.factor, self.kind, "given", self.uncertainty, ScaleState.MEASURED)


def advance(scale, first, last):
    """Frames at 10 Hz; the estimates."""
    found = []
    for i in range(first, last):
        scale.observe_depth(SeenDepth(SECOND + i * TENTH, np.zeros((4, 4)), None, CameraMount()))
        found.append(scale.estimate())
    return found


def test_the_most_certain_source_takes_over_gradually_in_state_changing():
    by_height = Given(ScaleKind.CAMERA_HEIGHT)
    scale = BestScale([by_height, create_scale(ScaleConfig("checkpoint"), METRIC)], time_constant=5.0)
    assert {e.kind for e in advance(scale, 0, 10)} == {ScaleKind.CHECKPOINT} and scale.estimate().factor == 5.4
    by_height.factor, by_height.uncertainty = 8.0, 0.05
    found = advance(scale, 10, 300)
    factors = np.array([5.4, *(e.factor for e in found)])
    assert np.abs(np.diff(np.log(factors))).max() < 0.01, "more than 1 % from one frame to the next"
    assert factors[51] == pytest.approx(8.0 * (5.4 / 8.0) ** math.exp(-1), rel=0.02)
    assert found[0].state is ScaleState.CHANGING and found[0].kind is ScaleKind.CAMERA_HEIGHT
    assert found[0].uncertainty > 0.3 > found[100].uncertainty
    assert found[-1] == by_height.estimate()


def test_a_slightly_more_certain_source_does_not_take_over():
    height, odometry = Given(ScaleKind.CAMERA_HEIGHT, 8.0, 0.05), Given(ScaleKind.ODOMETRY, 7.0, 0.06)
    scale = BestScale([height, odometry], 5.0)
    advance(scale, 0, 10)
    odometry.uncertainty = 0.045
    assert advance(scale, 10, 20)[-1].kind is ScaleKind.CAMERA_HEIGHT
    height.uncertainty = 0.2  # lost, and held for long
    assert advance(scale, 20, 30)[-1].kind is ScaleKind.ODOMETRY


def test_a_measured_source_starts_with_the_checkpoint_s_scale():
    scale = create_scale(ScaleConfig("camera_height", camera_height=1.65), METRIC)
    assert scale.estimate().factor == 5.4 and scale.estimate().kind is ScaleKind.CHECKPOINT
    assert scale.estimate().state is ScaleState.WAITING and scale.needs_depth and not scale.needs_motion
    scale = create_scale(ScaleConfig("odometry"), RELATIVE)
    assert math.isnan(scale.estimate().factor) and scale.estimate().state is ScaleState.WAITING
    assert scale.needs_motion and not scale.needs_depth


def test_the_first_value_is_used_at_once():
    by_height = Given(ScaleKind.CAMERA_HEIGHT)
    scale = BestScale([by_height], 5.0)
    assert not advance(scale, 0, 5)[-1].is_known
    by_height.factor, by_height.uncertainty = 8.0, 0.1
    assert advance(scale, 5, 6)[0].factor == 8.0


@pytest.mark.parametrize("header", [METRIC, RELATIVE])
def test_new_settings_continue_from_the_scale_in_force(header):
    before = FixedScale(3.0).estimate()
    scale = create_scale(ScaleConfig("camera_height", camera_height=1.0), header, previous=before)
    assert (scale.estimate().factor, scale.estimate().kind) == (3.0, ScaleKind.FIXED)
    assert scale.estimate().state is ScaleState.WAITING


@pytest.mark.parametrize(
    "given,has_motion,kinds",
    [
        ({}, True, []),
        ({"camera_height": 1.5}, True, ["CameraHeightScale", "CheckpointScale"]),
        ({"ground_frame": "base_footprint"}, True, ["CameraHeightScale", "CheckpointScale"]),
        ({"odometry_topic": "/odom"}, True, ["OdometryScale", "CheckpointScale"]),
        ({"odometry_topic": "/odom"}, False, []),
        (
            {"odometry_topic": "/odom", "camera_height": 1.5},
            True,
            ["OdometryScale", "CameraHeightScale", "CheckpointScale"],
        ),
    ],
)
def test_auto_uses_the_sources_that_are_set_and_the_checkpoint(given, has_motion, kinds):
    scale = create_scale(ScaleConfig("auto", **given), METRIC, has_motion=has_motion)
    assert [type(source).__name__ for source in getattr(scale, "sources", ())] == kinds
    assert scale.estimate().factor == 5.4
    if not kinds:
        with pytest.raises(ScaleError, match="scale.camera_height .* scale.odometry_topic"):
            create_scale(ScaleConfig("auto", **given), RELATIVE, has_motion=has_motion)


def test_odometry_without_motion_is_refused():
    with pytest.raises(ScaleError, match="odometry.enabled"):
        create_scale(ScaleConfig("odometry"), METRIC, has_motion=False)


@pytest.mark.parametrize("source", ["odometry", "auto"])
def test_a_camera_without_motion_follows_the_one_with_motion(source):
    leader = Given(ScaleKind.ODOMETRY, 7.0, 0.03)
    config = ScaleConfig(source, odometry_topic="/odom", time_constant=1.0)
    scale = create_scale(config, METRIC, has_motion=False, leader=leader.estimate)
    advance(scale, 0, 100)
    assert scale.estimate() == leader.estimate()
    if source == "auto":
        leader.uncertainty = 0.5
        advance(scale, 100, 200)
        assert scale.estimate().kind is ScaleKind.CHECKPOINT
