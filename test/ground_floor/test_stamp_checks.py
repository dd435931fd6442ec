# SPDX-License-Identifier: Apache-2.0
"""The clock of stamps, and the series that they form."""

import itertools

import pytest

from monodepth_ros.stamp_checks import StampClock, StampSeries, clock_of

SECOND = 1_000_000_000
NOW = 1_750_000_000 * SECOND


@pytest.mark.parametrize(
    "stamp, now, expected",
    [
        (0, NOW, StampClock.UNSTAMPED),
        (0, 0, StampClock.UNSTAMPED),
        (NOW, 0, StampClock.UNKNOWN),
        (NOW - 30 * SECOND, NOW, StampClock.SAME),
        (NOW + SECOND, NOW, StampClock.SAME),
        (12 * SECOND, 13 * SECOND, StampClock.SAME),
        (12 * SECOND, NOW, StampClock.SINCE_START),
        (-5 * SECOND, NOW, StampClock.SINCE_START),
        (NOW, 12 * SECOND, StampClock.SINCE_1970),
        (NOW - 3600 * SECOND, NOW, StampClock.BEHIND),
        (NOW + 5 * SECOND, NOW, StampClock.AHEAD),
        (500 * SECOND, 12 * SECOND, StampClock.AHEAD),
    ],
)
def test_the_clock_of_a_stamp_is_recognised(stamp, now, expected):
    assert clock_of(stamp, now) is expected


def judged(stamps, period=0.1):
    """Which stamps [s], received one after another at a period [s], continue their series."""
    series = StampSeries()
    return [
        series.continues(round(stamp * SECOND), round(i * period * SECOND)) for i, stamp in enumerate(stamps, start=1)
    ]


def test_regular_repeated_and_paused_stamps_continue():
    assert judged([5.0, 5.1, 5.1, 5.2, 7.1, 7.2]) == [True] * 6


def test_a_recording_continues_that_is_played_fast_or_whose_pause_is_left_out():
    assert judged([5.0, 10.0, 15.0, 20.0]) == [True, False, True, True]
    assert judged([5.0, 5.1, 30.0, 30.1]) == [True, True, False, True]


def test_odometry_is_back_with_the_second_good_image_after_wrong_ones():
    for wrong in itertools.product((-100.0, -5.0, -0.5, 3.0, 30.0, 1000.0), repeat=3):
        stamps = [500.0 + 0.1 * i for i in range(20)]
        for at, offset in enumerate(wrong):
            stamps[10 + at] += offset
        found = judged(stamps)
        assert all(found[:10]) and not found[10] and any(found[13:15]) and all(found[15:]), (wrong, found)


@pytest.mark.parametrize("wrong", [1e6, 4e9, 1e-9, 5.05])
def test_one_wrong_or_late_stamp_ends_nothing(wrong):
    assert judged([5.0, 5.1, wrong, 5.2, 5.3]) == [True, True, False, True, True]


def test_a_first_stamp_that_is_wrong_blocks_nothing():
    assert judged([4e9, 5.0, 5.1, 5.2]) == [True, False, True, True]


@pytest.mark.parametrize("start", [1.0, 2e9])
def test_a_new_series_is_followed_from_its_second_stamp_on(start):
    assert judged([500.0, 500.1, start, start + 0.1, start + 0.2]) == [True, True, False, True, True]


@pytest.mark.parametrize("run", [1, 2, 3])
def test_of_two_series_that_alternate_one_is_kept(run):
    stamps = [(7.0 if i // run % 2 == 0 else 9e8) + 0.1 * i for i in range(48)]
    taken = [stamp for stamp, is_taken in zip(stamps, judged(stamps)) if is_taken][4 * run :]
    assert len(taken) >= 12 and len({stamp > 1e6 for stamp in taken}) == 1, taken


def test_the_other_of_two_series_is_followed_once_the_first_is_silent():
    stamps = [7.0 if i % 2 == 0 else 9e8 for i in range(20)]
    stamps = [stamp + 0.1 * i for i, stamp in enumerate(stamps)] + [9e8 + 2.0 + 0.1 * i for i in range(15)]
    assert judged(stamps)[-1], judged(stamps)
