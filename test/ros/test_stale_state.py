# SPDX-License-Identifier: Apache-2.0
"""What is reported about a camera whose images have ended: nothing that was true of the last one alone."""

import math
import time

import numpy as np

from monodepth_ros.geometry.motion import exp_se3, invert
from monodepth_ros.ros.live import camera_stream, counters
from monodepth_ros.ros.live.counters import RECEIVED, FrameCounters

SECOND = 1_000_000_000
STEP = exp_se3(np.array([0.0, 0.0, 0.5, 0.0, 0.02, 0.0]))


def test_states_age_when_images_end_and_come_back_with_them(harness, pose_checkpoint):
    node = harness(pose_checkpoint, scale__source="fixed", scale__factor=1.0, no_image_timeout=0.3)
    node.engine.motion = lambda earlier, later: invert(STEP)
    node.send_info()
    for _ in range(3):
        node.exchange(node.next_stamp(), topic="odom")
    node.wait(lambda: node.stream.is_stale)
    values = node.health().values
    assert values["odometry"].startswith("No data for ") and values["last frame"].endswith(" s ago"), values
    # The status says so as well, at the latest with the next diagnostics.
    last = node.output(node.stamp_ns, "depth/status")
    node.wait(lambda: node.received["depth/status"][-1].odometry_state == last.ODOMETRY_NO_DATA)
    aged = node.received["depth/status"][-1]
    assert aged.header == last.header and aged.frames_processed == 3
    assert all(map(math.isnan, (aged.valid_ratio, aged.median_depth, aged.latency_total_ms))), aged
    node.exchange(node.next_stamp(), topic="odom")
    assert node.health().values["odometry"] == "Tracking"
    assert node.on_executor(lambda: node.node.trigger_deactivate().name) == "SUCCESS"
    values = node.health().values
    assert values["odometry"] == "No data" and "last frame" not in values, values


def test_a_low_max_rate_is_no_silence(harness, depth_checkpoint, monkeypatch):
    node = harness(depth_checkpoint, max_rate=0.1, no_image_timeout=3.0)
    node.send_info()
    node.exchange(node.next_stamp())
    node.settled_counts()
    began = time.monotonic()
    for seconds, is_stale in ((2.0, False), (15.0, False), (25.0, True)):
        monkeypatch.setattr(camera_stream.time, "monotonic", lambda seconds=seconds: began + seconds)
        assert node.stream.is_stale is is_stale, seconds


def test_a_rate_falls_when_frames_stay_away(monkeypatch):
    clock, counts = [0.0], FrameCounters()
    monkeypatch.setattr(counters.time, "monotonic", lambda: clock[0])
    for _ in range(21):
        counts.count(RECEIVED)
        clock[0] += 0.1
    assert math.isclose(counts.rate(RECEIVED), 10.0)
    clock[0] += 6.0
    assert counts.rate(RECEIVED) < 3.0
    clock[0] += 6.0
    assert counts.rate(RECEIVED) == 0.0
