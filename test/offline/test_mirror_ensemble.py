# SPDX-License-Identifier: Apache-2.0
import numpy as np
import pytest

from monodepth_ros.offline.mirror_ensemble import blend_mirrored


def test_each_border_comes_from_the_prediction_that_sees_it():
    own, mirrored = np.full((2, 101), 1.0), np.full((2, 101), 3.0)
    row = blend_mirrored(own, mirrored)[0]
    # x = 0.00 ... 0.05: the mirror image's; from 0.10 on the mean; from 0.95 on the image's own.
    assert row[:6].tolist() == [3.0] * 6 and row[95:].tolist() == [1.0] * 6
    np.testing.assert_allclose(row[10:91], 2.0)
    # Half-way between: weights 1/2 and 1/2 of the mean.
    assert row[[7, 8]] == pytest.approx([2.6, 2.4]) and row[[92, 93]] == pytest.approx([1.6, 1.4])


def test_two_equal_predictions_are_kept():
    disparity = np.random.default_rng(0).uniform(0.01, 10, (4, 64)).astype(np.float32)
    blended = blend_mirrored(disparity, disparity)
    np.testing.assert_allclose(blended, disparity, rtol=1e-6)
    assert blended.dtype == np.float32
