# SPDX-License-Identifier: Apache-2.0
"""Pictures of depth errors agree with the metrics."""

import numpy as np

from monodepth_ros.evaluation.depth_metrics import evaluate_depth
from monodepth_ros.pictures.error_picture import ERROR_RANGE, error_picture, relative_error, with_legend

TRUTH = np.array([[10.0, 20.0, np.inf, 0.0, np.nan, 90.0, 40.0, 30.0]], np.float32)
DEPTH = np.array([[12.0, 15.0, 5.0, 5.0, 5.0, 5.0, np.inf, np.nan]], np.float32)


def test_the_error_is_relative_and_needs_ground_truth():
    error = relative_error(TRUTH, DEPTH)
    np.testing.assert_allclose(error, [[0.2, 0.25, np.nan, np.nan, np.nan, np.nan, 1.0, np.inf]], rtol=1e-6)


def test_its_mean_is_the_metrics_abs_rel():
    rng = np.random.default_rng(1)
    truth = rng.uniform(1, 120, (40, 60)).astype(np.float32)
    depth = truth * rng.uniform(0.5, 2.0, truth.shape).astype(np.float32)
    depth[:3] = np.nan
    error = relative_error(truth, depth)
    expected = evaluate_depth(truth, depth, crop="none", scaling="none").abs_rel
    mean = error[np.isfinite(error)].mean()
    assert abs(mean - expected) < 1e-5, f"{mean} in the picture, {expected} in the table"


def test_missing_truth_is_grey_missing_prediction_black_and_errors_beyond_the_range_saturate():
    picture = error_picture(np.array([[0.0, ERROR_RANGE, 9.0, np.nan, np.inf]], np.float32))[0].astype(int)
    assert picture[3].tolist() == [128] * 3 and picture[4].tolist() == [0] * 3
    assert picture[1].tolist() == picture[2].tolist()
    blue_at_zero, red_at_zero = picture[0, 0], picture[0, 2]
    assert blue_at_zero >= red_at_zero and picture[1, 2] > picture[1, 0], picture.tolist()


def test_the_legend_changes_its_corner_only():
    plain = np.full((180, 600, 3), 77, np.uint8)
    picture = with_legend(plain)
    assert (plain == 77).all()
    assert (picture[:140] == 77).all() and len(np.unique(picture[140:].reshape(-1, 3), axis=0)) > 80
    assert (with_legend(plain[:, :50]) == 77).all(), "a picture too small for a legend stays as it is"
