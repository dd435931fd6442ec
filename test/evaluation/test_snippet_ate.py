# SPDX-License-Identifier: Apache-2.0
"""The 5-frame ATE, in both conventions, against results computed by hand."""

import math

import numpy as np
import pytest

from monodepth_ros.evaluation.depth_metrics import EvaluationError
from monodepth_ros.evaluation.snippet_ate import snippet_ate
from monodepth_ros.geometry.motion import exp_se3, make_transform

# Turns z to x: a quarter turn to the right.
QUARTER = np.array([[0.0, 0, 1], [0, 1, 0], [-1, 0, 0]])


def path(*steps):
    """Poses of motions given as lengths ahead, or as transforms."""
    poses = [np.eye(4)]
    for step in steps:
        poses.append(poses[-1] @ (make_transform(np.eye(3), (0, 0, step)) if np.isscalar(step) else step))
    return np.array(poses)


def test_two_steps_on_a_line_by_hand():
    # Positions 0, -1, -2 against 0, -1, -4: scale 9/17, squared distances (8/17)^2 + (2/17)^2 = 4/17.
    found = snippet_ate(path(1, 1), path(1, 3))
    assert found.snippets == 1 and found.std == 0
    assert found.mean == pytest.approx(math.sqrt(4 / 17) / 3)
    assert found.rmse_mean == pytest.approx(math.sqrt(4 / 17 / 3))


def test_snippets_are_chained_from_motions_to_the_earlier_frame():
    # Inverse steps chained: (1,0,0), (1,0,1); the camera's own path would be (0,0,1), (1,0,1) and give 1.2.
    step = make_transform(QUARTER, (0, 0, 1))
    found = snippet_ate(path(step, step), path(1, 1))
    assert found.mean == pytest.approx(math.sqrt(2.2) / 3), found


def test_the_conventions_differ_by_the_root_of_the_frames():
    rng = np.random.default_rng(0)
    reference = path(*(exp_se3(rng.normal((0, 0, 1, 0, 0, 0), 0.2)) for _ in range(4)))
    estimate = path(*(exp_se3(rng.normal((0, 0, 1, 0, 0, 0), 0.2)) for _ in range(4)))
    full = snippet_ate(reference, estimate, frames=5)
    # The snippets that begin at frames 0, 1 and 2 hold 5, 4 and 3 positions.
    assert full.snippets == 3
    single = [snippet_ate(reference[i:], estimate[i:], frames=5 - i) for i in range(3)]
    first = snippet_ate(reference[:3], estimate[:3], frames=3)
    assert first.rmse_mean == pytest.approx(math.sqrt(3) * first.mean)
    assert full.mean < full.rmse_mean < math.sqrt(5) * full.mean
    assert single[-1].snippets == 1


def test_every_snippet_has_its_own_scale():
    reference = path(*[1.0] * 20)
    estimate = path(*[0.1] * 10, *[7.0] * 10)
    alone = snippet_ate(reference[:10], estimate[:10])
    assert alone.mean == pytest.approx(0, abs=1e-12)
    whole = snippet_ate(reference, estimate)
    assert 0 < whole.mean < 0.2, whole


def test_an_estimate_without_motion_has_the_error_of_the_whole_path():
    found = snippet_ate(path(1, 1), path(0, 0))
    assert found.mean == pytest.approx(math.sqrt(1 + 4) / 3)


@pytest.mark.parametrize(
    ("reference", "estimate", "frames"), [(path(1), path(1, 1), 5), (path(), path(), 5), (path(1), path(1), 1)]
)
def test_poses_without_a_snippet_are_refused(reference, estimate, frames):
    with pytest.raises(EvaluationError, match="two or more"):
        snippet_ate(reference, estimate, frames)
