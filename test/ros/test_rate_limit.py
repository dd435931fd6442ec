# SPDX-License-Identifier: Apache-2.0
"""Which frames a limited rate lets pass."""

import numpy as np
import pytest

from monodepth_ros.ros.live.rate_limit import RateLimit


def passed(times, rate):
    """The times that pass."""
    limit = RateLimit()
    return [time for time in times if limit.admits(time, rate)]


@pytest.mark.parametrize(
    "camera_rate, max_rate, expected",
    [
        (30.0, 20.0, 20.0),
        (30.0, 15.0, 15.0),
        (30.0, 7.0, 7.0),
        (10.0, 20.0, 10.0),
        (20.0, 20.0, 20.0),
        (30.0, 0.0, 30.0),
    ],
)
@pytest.mark.parametrize("jitter", [0.0, 0.1])
def test_the_rate_is_the_limit_or_the_cameras(camera_rate, max_rate, expected, jitter):
    noise = np.random.default_rng(0).uniform(-jitter, jitter, 600)
    times = 5.0 + (np.arange(600) + noise) / camera_rate
    found = len(passed(times, max_rate)) / (600 / camera_rate)
    assert found == pytest.approx(expected, rel=0.02), f"{found:.2f} Hz of {camera_rate} Hz at most {max_rate} Hz"


def test_a_pause_gives_no_right_to_a_burst():
    times = [*np.arange(0.0, 1.0, 0.01), *np.arange(20.0, 21.0, 0.01)]
    after = [time for time in passed(times, 10.0) if time >= 20.0]
    assert len(after) <= 11 and min(np.diff(after)) > 0.07, after


def test_a_higher_limit_takes_effect_at_once():
    limit = RateLimit()
    assert limit.admits(0.0, 0.1) and not limit.admits(1.0, 0.1)
    assert limit.admits(1.1, 10.0) and limit.admits(1.2, 10.0)


def test_a_clock_that_goes_back_does_not_stop_the_frames():
    limit = RateLimit()
    assert limit.admits(1000.0, 10.0)
    assert [limit.admits(time, 10.0) for time in (1.0, 1.05, 1.1)] == [True, False, True]
