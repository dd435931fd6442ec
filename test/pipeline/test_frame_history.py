# SPDX-License-Identifier: Apache-2.0
"""Pairing of frames by time."""

from monodepth_ros.pipeline.frame_history import FrameHistory

MS = 1_000_000


def partner_ages_ms(period_ms, count, interval=0.1, skip=()):
    history = FrameHistory(interval)
    ages = []
    for i in range(count):
        if i in skip:
            continue
        stamp = (1000 + i * period_ms) * MS
        partner = history.partner(stamp)
        ages.append(None if partner is None else round((stamp - partner.stamp_ns) / MS))
        history.add(stamp, i)
    return ages


def test_a_camera_at_the_trained_rate_pairs_with_the_frame_before():
    assert partner_ages_ms(100, 5) == [None, 100, 100, 100, 100]


def test_a_faster_camera_pairs_with_the_frame_of_the_trained_age():
    assert partner_ages_ms(33, 8) == [None, 33, 66, 99, 99, 99, 99, 99]


def test_a_slower_camera_pairs_with_the_frame_before():
    assert partner_ages_ms(250, 4) == [None, 250, 250, 250]


def test_a_dropped_frame_does_not_break_the_pairing():
    # 300 ms would pair with 200 ms, which is missing: 150 and 250 ms are equally near.
    assert partner_ages_ms(50, 8, skip=(4,)) == [None, 50, 100, 100, 100, 150, 100]


def test_memory_is_bounded_for_a_very_fast_camera():
    history = FrameHistory(0.1, capacity=16)
    for i in range(1000):
        history.add(i * MS, i)
    assert len(history) <= 16


def test_a_frame_never_pairs_with_itself_or_a_later_one():
    history = FrameHistory(0.1)
    history.add(1000 * MS, 0)
    assert history.partner(1000 * MS) is None
    assert history.partner(900 * MS) is None
