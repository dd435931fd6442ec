# SPDX-License-Identifier: Apache-2.0
"""What is said of the stamps of a camera's images, and of several cameras on its topic."""

import math
from types import SimpleNamespace

import pytest
from rclpy.time import Time
from sensor_msgs.msg import Image

from monodepth_ros.ros.live.inputs.image_flow import ImageFlow
from monodepth_ros.ros.live.inputs.sender_choice import MOST_OTHERS
from monodepth_ros.ros.live.problems import Problems

SECOND = 1_000_000_000
NOW = 1_750_000_000 * SECOND


def image(stamp_ns, frame="camera"):
    message = Image(width=64, height=48)
    message.header.frame_id = frame
    message.header.stamp.sec, message.header.stamp.nanosec = divmod(stamp_ns, SECOND)
    return message


class Flow(ImageFlow):
    """A flow whose node has a clock of the test's, and whose log is a list."""

    def __init__(self, now_ns, publishers=1):
        self.log = []
        logger = SimpleNamespace(warning=self.log.append)
        self.problems = Problems(logger)
        clock = SimpleNamespace(now=lambda: Time(nanoseconds=now_ns))
        images = SimpleNamespace(topic="/image", count=publishers, nodes="/left and /right", are_named=True)
        super().__init__(SimpleNamespace(get_clock=lambda: clock), lambda: images, lambda *image: 0, self.problems)


@pytest.mark.parametrize(
    "stamp, now, words",
    [
        (12 * SECOND, NOW, ("stamped 12.000 s", "clock says 1750000000.000 s", "does not count from 1970")),
        (NOW - 3600 * SECOND, NOW, ("stamped 1749996400.000 s", "play a recording with --clock")),
        (NOW + 5 * SECOND, NOW, ("stamped 1750000005.000 s", "synchronise the clocks of the computers")),
        (NOW, 12 * SECOND, ("the driver does not follow /clock",)),
        (NOW, 0, ("use_sim_time is true, but nothing publishes /clock",)),
        (0, NOW, ("carry no stamp (zero): the time of their arrival is used",)),
        (0, 0, ("carry no stamp (zero): depth goes on, odometry needs their times",)),
    ],
)
def test_a_clock_that_is_not_the_nodes_is_warned_about_once(stamp, now, words):
    flow = Flow(now)
    arrivals = [flow.admit(image(stamp and stamp + i), None) for i in range(5)]
    assert all(arrival.in_order and math.isnan(arrival.transport_ms) for arrival in arrivals)
    assert len(flow.log) == 1 and all(word in flow.log[0] for word in words), flow.log
    assert [problem.message for problem in flow.problems.current()] == flow.log


def test_stamps_of_the_nodes_clock_have_an_age_and_no_warning():
    flow = Flow(NOW)
    arrivals = [flow.admit(image(NOW - SECOND // 10 + i), None) for i in range(3)]
    assert [round(arrival.transport_ms) for arrival in arrivals] == [100] * 3 and not flow.log


def test_a_stamp_that_does_not_follow_is_out_of_order_and_said_once():
    flow = Flow(NOW)
    stamps = [NOW, NOW + 1, NOW + 9000 * SECOND, NOW + 2, NOW - SECOND, NOW + 3]
    assert [flow.admit(image(stamp), None).in_order for stamp in stamps] == [True, True, False, True, False, True]
    assert len(flow.log) == 1 and "stamp that does not follow" in flow.log[0], flow.log


def test_cameras_that_cannot_be_told_apart_are_out_of_order_and_named():
    flow = Flow(NOW, publishers=2)
    arrivals = [flow.admit(image(NOW + i), 7 + i // 2) for i in range(10)]
    taken = [arrival for arrival in arrivals if arrival is not None]
    assert 5 <= len(taken) < 10 and not any(arrival.in_order for arrival in taken[2:])
    flow.note_senders()
    assert "2 nodes publish /image: /left and /right" in flow.log[-1] and "odometry waits" in flow.log[-1], flow.log


def test_another_camera_begins_a_new_series_of_stamps():
    flow = Flow(NOW)
    first = flow.admit(image(NOW, "left"), None)
    second = flow.admit(image(NOW - 5 * SECOND, "right"), None)
    assert second.sender == first.sender and not second.in_order, "one image may be a mistake"
    third = flow.admit(image(NOW - 5 * SECOND + SECOND // 10, "right"), None)
    assert third.sender == first.sender + 1 and third.in_order and flow.left_out == 0


def test_one_image_of_another_frame_or_size_interrupts_nothing_and_is_named():
    flow = Flow(NOW)
    frames = ["left", "left", "other", "left", "left"]
    arrivals = [flow.admit(image(NOW + i * SECOND // 10, frame), None) for i, frame in enumerate(frames)]
    assert [arrival.sender for arrival in arrivals] == [1] * 5 and flow.left_out == 0
    assert [arrival.in_order for arrival in arrivals] == [True, True, False, True, True]
    (problem,) = flow.problems.current()
    assert "1 image(s)" in problem.message and "'left'" in problem.message


@pytest.mark.parametrize(
    ("frame_id", "words"), [("x" * 100_000, "100000 characters"), ("a\x1b[2J", "cannot be printed"), ("a\nb", "cannot")]
)
def test_a_frame_id_that_is_no_name_is_left_empty_in_everything_published(frame_id, words):
    flow = Flow(NOW)
    arrival = flow.admit(image(NOW, frame_id), None)
    assert arrival.header.frame_id == ""
    (problem,) = flow.problems.current()
    assert words in problem.message and len(problem.message) < 300


def test_ten_thousand_frame_ids_fill_neither_memory_nor_a_line():
    for publishers in (1, 2):
        flow = Flow(NOW, publishers=publishers)
        for i in range(10_000):
            flow.admit(image(NOW + i * SECOND // 1000, f"camera{i} " + 100 * "x"), i)
        flow.note_senders()
        assert len(flow._senders._others) <= MOST_OTHERS
        assert all(len(problem.message) <= 2000 for problem in flow.problems.current())
