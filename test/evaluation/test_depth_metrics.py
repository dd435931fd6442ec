# SPDX-License-Identifier: Apache-2.0
import math

import numpy as np
import pytest

from monodepth_ros.evaluation.depth_metrics import EvaluationError, evaluate_depth, garg_crop, mean_metrics


def one_row(*values):
    return np.array([values], np.float32)


def test_garg_crop_truncates_as_the_published_protocol():
    assert garg_crop(375, 1242) == (slice(153, 371), slice(44, 1197))
    assert garg_crop(370, 1224) == (slice(151, 366), slice(43, 1180))


def test_errors_follow_their_formulas():
    metrics = evaluate_depth(one_row(10, 20), one_row(11, 30), crop="none", scaling="none")
    assert metrics.abs_rel == pytest.approx((1 / 10 + 10 / 20) / 2)
    assert metrics.sq_rel == pytest.approx((1 / 10 + 100 / 20) / 2)
    assert metrics.rmse == pytest.approx(math.sqrt((1 + 100) / 2))
    assert metrics.rmse_log == pytest.approx(math.sqrt((math.log(1.1) ** 2 + math.log(1.5) ** 2) / 2))
    assert (metrics.a1, metrics.a2, metrics.a3) == (0.5, 1.0, 1.0)
    assert metrics.scale_ratio == pytest.approx(15 / 20.5)


def test_a_perfect_prediction_of_another_scale_has_no_error_after_median_scaling():
    truth = np.random.default_rng(0).uniform(2, 60, (64, 96))
    metrics = evaluate_depth(truth, truth / 30)
    assert metrics.abs_rel < 1e-12 and metrics.a1 == 1.0
    assert metrics.scale_ratio == pytest.approx(30)
    assert evaluate_depth(truth, truth / 30, scaling="none").abs_rel > 0.9


def test_the_median_is_taken_over_the_compared_pixels_only():
    truth, prediction = one_row(10, 10, 0, 0, 0), one_row(5, 5, 80, 80, 80)
    assert evaluate_depth(truth, prediction, crop="none").abs_rel == 0
    outside_crop = np.full((64, 96), 10.0)
    prediction = np.full((64, 96), 1000.0)
    prediction[garg_crop(64, 96)] = 5.0
    assert evaluate_depth(outside_crop, prediction).scale_ratio == pytest.approx(2.0)


def test_predictions_are_clamped_after_scaling():
    # Clamped first, 100 would become 80 and end at 40.
    metrics = evaluate_depth(one_row(10, 10, 50), one_row(20, 20, 100), crop="none")
    assert metrics.abs_rel == 0
    assert evaluate_depth(one_row(79.0), one_row(500.0), crop="none", scaling="none").rmse == pytest.approx(1.0)


def test_ground_truth_beyond_the_cap_is_left_out_unless_asked_for():
    truth = np.array([[10, 100, 80, 0, math.nan, math.inf, -3]], np.float32)
    prediction = np.array([[10, 50, 8, 1, 1, 1, 1]], np.float32)
    assert evaluate_depth(truth, prediction, crop="none", scaling="none").abs_rel == 0
    uncapped = evaluate_depth(truth, prediction, crop="none", scaling="none", cap_ground_truth=False)
    assert uncapped.abs_rel == pytest.approx((0 + 0.5 + 0.9) / 3)


def test_missing_predictions_are_left_out_and_counted():
    metrics = evaluate_depth(one_row(10, 20, 30, 0), one_row(10, math.nan, 30, math.nan), crop="none", scaling="none")
    assert metrics.abs_rel == 0 and metrics.coverage == pytest.approx(2 / 3)


def test_infinitely_far_predictions_count_as_the_cap():
    assert evaluate_depth(one_row(40, 20, 20), one_row(math.inf, 20, 20), crop="none", scaling="none").abs_rel == (
        pytest.approx(1 / 3)
    )


def test_the_mean_weighs_images_not_pixels():
    first = evaluate_depth(one_row(10), one_row(11), crop="none", scaling="none")
    second = evaluate_depth(one_row(*[10] * 99), one_row(*[13] * 99), crop="none", scaling="none")
    assert mean_metrics([first, second]).abs_rel == pytest.approx(0.2)


@pytest.mark.parametrize(
    ("truth", "prediction", "options", "expected"),
    [
        (one_row(1, 2), one_row(1), {}, r"\(1, 2\) and prediction \(1, 1\).*resize the prediction"),
        (np.ones(3), np.ones(3), {}, "one size"),
        (one_row(0, 0), one_row(1, 1), {}, "no pixel has both"),
        (one_row(5, 5), one_row(math.nan, math.nan), {}, r"no pixel has both ground truth \(2 pixels"),
        (one_row(5, 5), one_row(0, 0), {}, "median of the prediction is 0"),
        (one_row(5), one_row(5), {"scaling": "mean"}, "scaling is 'mean', expected one of median, none"),
        (one_row(5), one_row(5), {"crop": "eigen"}, "crop is 'eigen', expected one of garg, none"),
    ],
)
def test_maps_that_cannot_be_compared_are_refused(truth, prediction, options, expected):
    with pytest.raises(EvaluationError, match=expected):
        evaluate_depth(truth, prediction, **{"crop": "none", **options})


def test_a_mean_of_nothing_is_refused():
    with pytest.raises(EvaluationError, match="no image was evaluated"):
        mean_metrics([])
