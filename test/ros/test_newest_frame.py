# SPDX-License-Identifier: Apache-2.0
"""A node that is slower than its camera, over DDS: the newest frame, the counts, and deactivation."""

import threading

SECOND = 1_000_000_000


class Gate:
    """Block an engine's inference until opened, and count the frames that reach it."""

    def __init__(self, engine):
        self.entered, self._open = threading.Semaphore(0), threading.Event()
        infer = engine.disparity

        def disparity(image):
            self.entered.release()
            assert self._open.wait(20.0)
            return infer(image)

        engine.disparity = disparity

    def open(self):
        self._open.set()


def test_the_newest_frame_is_processed_and_replaced_ones_are_counted(harness, depth_checkpoint):
    node = harness(depth_checkpoint, listen=("depth/image",))
    node.send_info()
    gate = Gate(node.engine)
    for i in range(1, 11):  # one at a time: frames that the middleware drops are not counted
        node.send(i * SECOND)
        node.wait(lambda: node.counts()["frames_received"] == i)
        if i == 1:
            assert gate.entered.acquire(timeout=20.0)
    assert node.counts()["frames_replaced"] == 8
    gate.open()
    node.output(10 * SECOND)
    node.wait(lambda: node.counts()["frames_processed"] == 2)
    assert [message.header.stamp.sec for message in node.received["depth/image"]] == [1, 10]
    counts = node.counts()
    assert (counts["frames_received"], counts["frames_replaced"], counts["frames_failed"]) == (10, 8, 0), counts


def test_a_limited_rate_drops_frames_and_can_be_changed_while_running(harness, depth_checkpoint):
    node = harness(depth_checkpoint, listen=("depth/image",), max_rate=1.0)
    node.send_info()
    for i in range(1, 6):
        node.send(i * SECOND)
        node.wait(lambda: node.counts()["frames_received"] == i)
    counts = node.settled_counts()
    assert (counts["frames_processed"], counts["frames_unwanted"]) == (1, 4), counts
    assert node.set(max_rate=0.0).successful
    for i in range(6, 9):
        node.exchange(i * SECOND)
    assert node.settled_counts()["frames_processed"] == 4
    assert [message.header.stamp.sec for message in node.received["depth/image"]] == [1, 6, 7, 8]


def test_deactivation_finishes_the_current_frame_and_counts_the_waiting_one(harness, depth_checkpoint):
    node = harness(depth_checkpoint, listen=("depth/image",))
    node.send_info()
    gate = Gate(node.engine)
    node.send(SECOND)
    assert gate.entered.acquire(timeout=20.0)
    node.send(2 * SECOND)
    node.wait(lambda: node.counts()["frames_received"] == 2)
    opener = threading.Timer(0.2, gate.open)
    opener.start()
    assert node.on_executor(node.node.trigger_deactivate).name == "SUCCESS"
    opener.join()
    node.output(SECOND)
    counts = node.settled_counts()
    assert (counts["frames_received"], counts["frames_processed"], counts["frames_unwanted"]) == (2, 1, 1), counts
    assert "frames" not in [thread.name for thread in threading.enumerate()]
