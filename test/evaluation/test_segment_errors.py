# SPDX-License-Identifier: Apache-2.0
"""KITTI's t_err and r_err against results computed by hand."""

import numpy as np
import pytest

from monodepth_ros.evaluation.depth_metrics import EvaluationError
from monodepth_ros.evaluation.segment_errors import default_lengths, segment_errors
from monodepth_ros.geometry.motion import exp_se3


def drive(count=101, length=1.0, turn_degrees=0.0):
    poses = [np.eye(4)]
    for _ in range(count - 1):
        poses.append(poses[-1] @ exp_se3(np.array([0, 0, length, 0, np.radians(turn_degrees), 0])))
    return np.array(poses)


def test_a_segment_ends_at_the_first_frame_beyond_its_length():
    # Steps of 1 m: 25 m end at 26 m, of which the estimate misses a tenth. Starts 0, 10, ..., 70 fit.
    found = segment_errors(drive(), drive(length=0.9), (25.0,))
    assert found.t_err == pytest.approx(100 * 0.1 * 26 / 25), found
    assert found.r_err == pytest.approx(0, abs=1e-9) and found.segments == 8


def test_turns_are_counted_per_hundred_metres():
    found = segment_errors(drive(), drive(turn_degrees=0.1), (50.0,))
    assert found.r_err == pytest.approx(100 * 0.1 * 51 / 50), found


def test_all_segments_have_the_same_weight_and_each_length_has_its_errors():
    found = segment_errors(drive(), drive(length=0.9), (10.0, 90.0, 500.0), step=5)
    (_, short, short_t, _), (_, long, long_t, _), (_, none, none_t, _) = found.by_length
    assert (short, long, none) == (18, 2, 0) and np.isnan(none_t)
    assert found.t_err == pytest.approx((18 * short_t + 2 * long_t) / 20)
    assert short_t == pytest.approx(11.0) and long_t == pytest.approx(100 * 0.1 * 91 / 90)


def test_the_choice_of_the_world_frames_does_not_matter():
    elsewhere = exp_se3(np.array([5, -3, 2, 0.3, 1.0, -0.2])) @ drive(turn_degrees=1.0)
    found = segment_errors(drive(turn_degrees=1.0), elsewhere, (30.0,))
    assert found.t_err == pytest.approx(0, abs=1e-9) and found.r_err == pytest.approx(0, abs=1e-6)


def test_default_lengths_fit_the_path():
    assert default_lengths(1705.0) == ((100, 200, 300, 400, 500, 600, 700, 800), 10)
    assert default_lengths(250.0) == ((100, 200), 10)
    assert default_lengths(85.0) == ((10, 20, 30, 40, 50, 60, 70, 80), 1)
    assert default_lengths(7.4) == ((0.5, 1, 1.5, 2, 2.5, 3, 3.5, 4), 1)
    assert default_lengths(0.0)[0] == ()


@pytest.mark.parametrize(
    ("lengths", "step"), [((), 10), ((0.0,), 10), ((-5.0,), 10), ((float("nan"),), 10), ((5.0,), 0)]
)
def test_impossible_segments_are_refused(lengths, step):
    with pytest.raises(EvaluationError, match="positive numbers"):
        segment_errors(drive(), drive(), lengths, step)
