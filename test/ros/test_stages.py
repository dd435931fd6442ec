# SPDX-License-Identifier: Apache-2.0
"""Stages after the depth network that fail: everything else goes on, the stage is named, and the books balance."""

import threading

import numpy as np
import pytest

from monodepth_ros.geometry.motion import exp_se3, invert
from monodepth_ros.odometry.gyro.gyro import Gyro
from monodepth_ros.pipeline import frame_pipeline
from monodepth_ros.ros.live import camera_rig, frame_log, moving_base, outputs
from monodepth_ros.ros.live.frame_worker import FrameWorker
from monodepth_ros.ros.live.odometry_output import OdometryOutput

SECOND = 1_000_000_000
STEP = exp_se3(np.array([0.0, 0.0, 0.5, 0.0, 0.02, 0.0]))


def break_down(*arguments, **named):
    raise RuntimeError("out of memory,\nor so")


BROKEN = {  # name in the diagnostics: what breaks, and the topic that is then silent
    "cloud": (frame_pipeline, "colored_points", "depth/points"),
    "picture of the depth": (frame_pipeline, "color_picture", "depth/color"),
    "/depth/points": (outputs, "build_cloud", "depth/points"),
    "path": (OdometryOutput, "_extend_path", None),
    "/tf": (OdometryOutput, "_publish_tf", "/tf"),
    "log": (frame_log.FrameLog, "add", None),
}


@pytest.mark.parametrize("stage", BROKEN)
def test_a_failing_output_is_named_and_costs_no_other_and_no_frame(harness, pose_checkpoint, monkeypatch, stage):
    monkeypatch.setattr(moving_base, "SETTLING", 0.0)
    node = harness(pose_checkpoint, scale__source="fixed", scale__factor=1.0)
    node.engine.motion = lambda earlier, later: invert(STEP)
    node.send_info()
    where, name, silent = BROKEN[stage]
    with monkeypatch.context() as patch:
        patch.setattr(where, name, break_down)
        for _ in range(3):
            stamp_ns = node.next_stamp()
            node.exchange(stamp_ns)
            for topic in {"depth/points", "depth/color", "depth/status", "odom"} - {silent}:
                node.output(stamp_ns, topic)
        assert silent is None or not node.received[silent]
        problems = node.health().messages
        assert [text for text in problems if stage in text and "RuntimeError: out of memory, or so" in text], problems
    counts = node.settled_counts()
    assert (counts["frames_processed"], counts["frames_failed"], counts["frames_invalid"]) == (3, 0, 0), counts
    stamp_ns = node.next_stamp()
    node.exchange(stamp_ns)
    node.wait(lambda: node.received[silent or "depth/points"], message=f"{silent} does not come back")


def test_an_odometry_that_fails_begins_again_and_depth_goes_on(harness, pose_checkpoint):
    node = harness(pose_checkpoint, scale__source="fixed", scale__factor=1.0)
    node.send_info()
    node.engine.motion = lambda earlier, later: invert(STEP)
    for _ in range(3):
        node.exchange(node.next_stamp(), topic="odom")
    node.engine.motion = break_down
    node.exchange(node.next_stamp())
    status = node.output(node.stamp_ns, "depth/status")
    assert status.odometry_state == status.ODOMETRY_NO_DATA
    assert any("odometry failed" in text and "out of memory" in text for text in node.health().messages)
    node.engine.motion = lambda earlier, later: invert(STEP)
    node.exchange(node.next_stamp(), topic="odom")
    after = node.exchange(node.next_stamp(), topic="odom")
    p = after.pose.pose.position
    assert np.hypot(p.x, p.y) > 1.2, "one failure does not cost the trajectory"
    assert node.output(node.stamp_ns, "depth/status").odometry_state == status.ODOMETRY_TRACKING
    counts = node.settled_counts()
    assert counts["frames_failed"] == counts["frames_invalid"] == 0


def test_a_state_that_makes_the_odometry_fail_again_and_again_is_replaced(harness, pose_checkpoint, monkeypatch):
    node = harness(pose_checkpoint, scale__source="fixed", scale__factor=1.0, odometry__imu_topic="imu")
    node.engine.motion = lambda earlier, later: invert(STEP)
    node.send_info()
    node.exchange(node.next_stamp(), topic="odom")
    node.exchange(node.next_stamp(), topic="odom")
    motion = node.stream._pipeline._motion
    motion._odometry._pose, motion.gyro.bias = np.full((4, 4), np.nan), None
    turn = Gyro.turn
    monkeypatch.setattr(Gyro, "turn", lambda self, *times: break_down() if self.bias is None else turn(self, *times))
    for _ in range(6):
        node.exchange(node.next_stamp())
    assert any("odometry failed" in text for text in node.health().messages)
    node.exchange(node.next_stamp(), topic="odom")
    assert node.output(node.stamp_ns, "depth/status").odometry_state == 1
    assert node.stream.gyro_input is not None and node.stream._pipeline.gyro is motion.gyro


def test_a_batch_that_fails_outside_the_engine_is_counted_and_the_next_one_runs(harness, depth_checkpoint, monkeypatch):
    node = harness(depth_checkpoint)
    node.send_info()
    node.exchange(node.next_stamp())
    with monkeypatch.context() as patch:
        patch.setattr(camera_rig, "infer_depth", break_down)
        node.expect_dropped(lambda: node.send(node.next_stamp()), "frames_failed")
    node.exchange(node.next_stamp())


def test_items_that_wait_at_the_end_are_accounted_for():
    may_end, begun, dropped = threading.Event(), threading.Event(), []

    def handle(items):
        begun.set()
        may_end.wait(10)

    worker = FrameWorker(handle, lambda *pair: None, dropped=lambda *pair: dropped.append(pair))
    worker.submit("camera", 1)
    assert begun.wait(10)
    worker.submit("camera", 2)
    assert not worker.stop(0.0)
    may_end.set()
    assert worker.stop() and dropped == [("camera", 2)]
