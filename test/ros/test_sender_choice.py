# SPDX-License-Identifier: Apache-2.0
"""One camera of those that send to one topic."""

import pytest

from monodepth_ros.ros.live.inputs.sender_choice import SenderChoice, Sign

LEFT, RIGHT = ("left", (64, 48)), ("right", (64, 48))
SMALL = ("left", (32, 24))


def taken(messages, publishers=2, fit=lambda sign: 0):
    """Which messages (frame_id, size, number, stamp [s]), one every 0.05 s, are taken."""
    choice = SenderChoice(lambda: publishers, fit)
    return [
        choice.takes(Sign(*kind, number, round(stamp * 1e9)), 0.05 * i)
        for i, (kind, number, stamp) in enumerate(messages)
    ]


def alternating(first, second, count=10, numbers=(1, 1), stamps=(5.0, 5.0)):
    """Two senders in turn, each with numbers and stamps of its own."""
    kinds, period = (first, second), 0.1
    return [(kinds[i % 2], numbers[i % 2] + i // 2, stamps[i % 2] + period * (i // 2)) for i in range(count)]


@pytest.mark.parametrize("other", [RIGHT, SMALL])
@pytest.mark.parametrize("numbers", [(1, 1), (None, None)])
def test_the_first_of_two_cameras_is_kept(other, numbers):
    messages = [(kind, number and i, stamp) for i, (kind, number, stamp) in enumerate(alternating(LEFT, other), 1)]
    if numbers[0] is None:
        messages = [(kind, None, stamp) for kind, _, stamp in messages]
    assert taken(messages) == [True, False] * 5


def test_two_cameras_of_one_frame_and_size_differ_by_the_numbers_of_their_publications():
    assert taken(alternating(LEFT, LEFT, numbers=(1000, 1))) == [True, False] * 5
    assert taken(alternating(LEFT, LEFT, numbers=(1, 1000))) == [True, False] * 5


def test_two_cameras_of_one_frame_and_size_differ_by_their_clocks_if_publications_have_no_numbers():
    messages = [(kind, None, stamp) for kind, _, stamp in alternating(LEFT, LEFT, stamps=(5.0, 1.7e9))]
    assert taken(messages) == [True, False] * 5


def test_two_cameras_of_one_frame_and_size_with_near_numbers_differ_by_their_clocks():
    choice, now = SenderChoice(lambda: 2, lambda sign: 0), 0.0
    for i, (kind, number, stamp) in enumerate(alternating(LEFT, LEFT, numbers=(7, 7), stamps=(5.0, 1.7e9))):
        now += 0.05
        assert choice.takes(Sign(*kind, number, round(stamp * 1e9)), now) == (i % 2 == 0), i
        assert choice.is_certain(now)


def test_two_cameras_that_cannot_be_told_apart_are_not_certain():
    choice, now = SenderChoice(lambda: 2, lambda sign: 0), 0.0
    for kind, number, stamp in alternating(LEFT, LEFT, numbers=(7, 7)):
        now += 0.05
        choice.takes(Sign(*kind, number, round(stamp * 1e9)), now)
    assert not choice.is_certain(now) and choice.is_certain(now + 3.0)


def test_the_camera_that_the_calibration_fits_is_preferred():
    fit = lambda sign: int(sign.frame_id == "right")  # noqa: E731
    assert taken(alternating(LEFT, RIGHT), fit=fit) == [True, True] + [False, True] * 4


def test_a_resolution_that_was_left_is_no_other_camera():
    choice = SenderChoice(lambda: 1, lambda sign: 0)
    for i, kind in enumerate([LEFT, LEFT, SMALL, SMALL]):
        assert choice.takes(Sign(*kind, i, 0), 0.1 * i)
        assert choice.others(0.1 * i) == []
    assert choice.takes(Sign(*LEFT, 4, 0), 0.4) and not choice.takes(Sign(*SMALL, 5, 0), 0.5)
    assert choice.others(0.5) == [Sign(*SMALL, 5, 0)], "it has come again, so somebody mixes two cameras"


def test_one_publisher_may_change_its_resolution_at_any_time():
    messages = [(LEFT, i, i) for i in range(4)] + [(SMALL, i, i) for i in range(4, 8)]
    assert taken(messages, publishers=1) == [True] * 8


def test_one_publisher_that_mixes_cameras_is_noticed_when_the_first_comes_again():
    assert taken(alternating(LEFT, RIGHT), publishers=1) == [True, True] + [True, False] * 4


def test_a_camera_that_has_gone_silent_is_replaced():
    messages = alternating(LEFT, RIGHT, 10) + [(RIGHT, 6 + i, 5.5 + 0.05 * i) for i in range(40)]
    result = taken(messages)
    assert result[:10] == [True, False] * 5 and result[-10:] == [True] * 10, result
    assert result.index(True, 10) * 0.05 > 1.0, "too early"


def test_a_slow_camera_is_not_silent_between_its_images():
    choice = SenderChoice(lambda: 2, lambda sign: 0)
    events = sorted([(2.0 * i, LEFT) for i in range(8)] + [(4.1 + 0.3 * i, RIGHT) for i in range(30)])
    kept = {kind for at, kind in events if choice.takes(Sign(*kind), at)}
    assert kept == {LEFT}, kept


def test_an_idle_second_publisher_changes_nothing():
    assert all(taken([(LEFT, 3 * i, 0.1 * i) for i in range(30)]))


def test_a_damaged_image_without_a_size_is_the_same_cameras():
    damaged = ("left", (0, 0))
    messages = [(damaged if i % 3 == 0 else LEFT, i, 0.1 * i) for i in range(12)]
    assert taken(messages, publishers=1) == taken(messages) == [True] * 12
