# SPDX-License-Identifier: Apache-2.0
"""Which source is in force, and how one takes over from another."""

import math

import numpy as np
import pytest

from monodepth_ros.networks.checkpoint import CheckpointHeader
from monodepth_ros.odometry.scale.best_scale import BestScale
from monodepth_ros.odometry.scale.create_scale import choose_scale
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
    """A source whose estimate the test writes."""

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


def test_the_most_certain_source_takes_over_slowly_and_says_so():
    by_height = Given(ScaleKind.CAMERA_HEIGHT)
    scale = BestScale([by_height, choose_scale("checkpoint", METRIC)], time_constant=5.0)
    assert {e.kind for e in advance(scale, 0, 10)} == {ScaleKind.CHECKPOINT} and scale.estimate().factor == 5.4
    by_height.factor, by_height.uncertainty = 8.0, 0.05
    found = advance(scale, 10, 300)
    factors = np.array([5.4, *(e.factor for e in found)])
    assert np.abs(np.diff(np.log(factors))).max() < 0.01, "more than 1 % from one frame to the next"
    assert factors[51] == pytest.approx(8.0 * (5.4 / 8.0) ** math.exp(-1), rel=0.02)
    assert found[0].state is ScaleState.CHANGING and found[0].kind is ScaleKind.CAMERA_HEIGHT
    assert found[0].uncertainty > 0.3 > found[100].uncertainty
    assert found[-1] == by_height.estimate()


def test_a_little_more_certain_is_no_reason_to_change():
    height, odometry = Given(ScaleKind.CAMERA_HEIGHT, 8.0, 0.05), Given(ScaleKind.ODOMETRY, 7.0, 0.06)
    scale = BestScale([height, odometry], 5.0)
    advance(scale, 0, 10)
    odometry.uncertainty = 0.045
    assert advance(scale, 10, 20)[-1].kind is ScaleKind.CAMERA_HEIGHT
    height.uncertainty = 0.2  # lost, and held for long
    assert advance(scale, 20, 30)[-1].kind is ScaleKind.ODOMETRY


def test_a_source_asked_for_by_name_begins_with_the_checkpoints_metres():
    scale = choose_scale("camera_height", METRIC, camera_height=1.65)
    assert scale.estimate().factor == 5.4 and scale.estimate().kind is ScaleKind.CHECKPOINT
    assert scale.estimate().state is ScaleState.WAITING and scale.needs_depth and not scale.needs_motion
    scale = choose_scale("odometry", RELATIVE)
    assert math.isnan(scale.estimate().factor) and scale.estimate().state is ScaleState.WAITING
    assert scale.needs_motion and not scale.needs_depth


def test_the_first_value_of_all_is_taken_at_once():
    by_height = Given(ScaleKind.CAMERA_HEIGHT)
    scale = BestScale([by_height], 5.0)
    assert not advance(scale, 0, 5)[-1].is_known
    by_height.factor, by_height.uncertainty = 8.0, 0.1
    assert advance(scale, 5, 6)[0].factor == 8.0


@pytest.mark.parametrize("header", [METRIC, RELATIVE])
def test_new_settings_go_on_from_the_scale_in_force(header):
    before = FixedScale(3.0).estimate()
    scale = choose_scale("camera_height", header, camera_height=1.0, previous=before)
    assert (scale.estimate().factor, scale.estimate().kind) == (3.0, ScaleKind.FIXED)
    assert scale.estimate().state is ScaleState.WAITING


@pytest.mark.parametrize(
    "given,kinds",
    [
        ({}, []),
        ({"camera_height": 1.5}, ["CameraHeightScale", "CheckpointScale"]),
        ({"has_ground_frame": True}, ["CameraHeightScale", "CheckpointScale"]),
        ({"has_odometry_topic": True}, ["OdometryScale", "CheckpointScale"]),
        ({"has_odometry_topic": True, "has_motion": False}, []),
        ({"has_odometry_topic": True, "camera_height": 1.5}, ["OdometryScale", "CameraHeightScale", "CheckpointScale"]),
    ],
)
def test_auto_uses_what_is_set_and_the_checkpoint(given, kinds):
    scale = choose_scale("auto", METRIC, **given)
    assert [type(source).__name__ for source in getattr(scale, "sources", ())] == kinds
    assert scale.estimate().factor == 5.4
    if not kinds:
        with pytest.raises(ScaleError, match="scale.camera_height .* scale.odometry_topic"):
            choose_scale("auto", RELATIVE, **given)


def test_odometry_without_motion_is_refused():
    with pytest.raises(ScaleError, match="odometry.enabled"):
        choose_scale("odometry", METRIC, has_motion=False)


@pytest.mark.parametrize("source", ["odometry", "auto"])
def test_a_camera_without_motion_follows_the_one_with(source):
    leader = Given(ScaleKind.ODOMETRY, 7.0, 0.03)
    given = dict(has_motion=False, has_odometry_topic=True, time_constant=1.0, leader=leader.estimate)
    scale = choose_scale(source, METRIC, **given)
    advance(scale, 0, 100)
    assert scale.estimate() == leader.estimate()
    if source == "auto":
        leader.uncertainty = 0.5
        advance(scale, 100, 200)
        assert scale.estimate().kind is ScaleKind.CHECKPOINT
