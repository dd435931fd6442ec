# SPDX-License-Identifier: Apache-2.0
"""A session with one node between the benchmark's camera and its client: start, warm-up, measurements."""

import os
import subprocess
import time

from bench.client import STATUS, Client
from bench.errors import BenchError
from bench.machine import core_speed
from bench.phase import Phase, per_second
from bench.processes import CpuUse, memory_mb
from bench.worker import Worker, deadline_check

START_TIMEOUT = 120.0  # seconds
DISCOVERY_TIMEOUT = 30.0  # seconds
WARM_UP_RATE = 10.0  # hertz, while the node's speed is unknown
SATURATION = 1.5  # rate of a saturating camera over the rate of the node's results
KEEPS_UP = 0.9  # share of images with a result from which on a node counts as fast enough
GROWTH_READINGS = 10


class Session:
    """Measurements of one node. node: its process, just started. has_status: whether it publishes depth/status."""

    def __init__(self, node: subprocess.Popen, camera: Worker, client: Client, has_status: bool = True):
        self._node, self._camera, self._client, self._has_status = node, camera, client, has_status

    def bring_up(self) -> dict[str, float]:
        """Configure and activate a managed node.

        Returns the times from the request until it is configured, active, and has given its first output [s].
        """
        check = deadline_check(self._node, START_TIMEOUT)
        times = self._client.bring_up(check)
        self.wait_for_node()
        deadline = time.monotonic() + DISCOVERY_TIMEOUT
        while not self._client.first_receipts and time.monotonic() < deadline:
            self._burst(3, WARM_UP_RATE, quiet=0.5)
        if not self._client.first_receipts:
            raise BenchError(f"no message on {self._client.topics[0]}: see the node's log above")
        times["first_output"] = min(self._client.first_receipts.values()) * 1e-9
        asked = times.pop("asked")
        return {f"{name}_s": moment - asked for name, moment in times.items()}

    def wait_for_node(self) -> None:
        """Wait until the node has subscribed to the camera."""
        self._camera.ask({}, deadline_check(self._node, START_TIMEOUT))

    def warm_up(self, count: int, rate: float) -> None:
        """Publish images until all outputs arrive, then wait for rest.

        Discovery is not symmetric: the camera may discover the node seconds before the node discovers the camera.
        """
        client, deadline = self._client, time.monotonic() + DISCOVERY_TIMEOUT
        while True:
            stamps = self._burst(count, rate)["stamps"]
            if client.count_nodes() > 1:
                raise BenchError("another depth node runs in this ROS domain: set another ROS_DOMAIN_ID")
            missing = [topic for topic in client.topics if not client.receipts[topic].keys() & set(stamps)]
            if not missing:
                return
            if time.monotonic() > deadline:
                raise BenchError(f"no message on {', '.join(missing)}: see the node's log above")

    def saturating_rate(self, count: int) -> float:
        """Rate [Hz] of a camera that is SATURATION times as fast as the node, or the camera's highest rate."""
        rate = WARM_UP_RATE
        while True:
            stamps = self._burst(count, rate)["stamps"]
            receipts = self._client.first_receipts
            arrivals = sorted(receipts[stamp] for stamp in stamps if stamp in receipts)
            if 2 <= len(arrivals) < KEEPS_UP * count:
                return SATURATION * per_second(arrivals)
            if len(arrivals) < 2 or per_second(stamps) < KEEPS_UP * rate:
                return rate
            rate *= 2.0

    def measure(self, rate: float, count: int) -> Phase:
        """Measure `count` images at `rate` [Hz], from rest to rest, so that the counts are exact."""
        client = self._client
        begin = client.last_status() if self._has_status else None
        speed = {"before": core_speed()}
        use = CpuUse({"node": self._node.pid, "camera": self._camera.pid, "client": os.getpid()})
        memory = {"begin": memory_mb(self._node.pid)}
        use.start()
        burst = self._burst(count, rate)
        cpu = use.stop()
        memory["end"] = memory_mb(self._node.pid)
        speed["after"] = core_speed()
        published = set(burst["stamps"])
        return Phase(
            rate=rate,
            stamps=burst["stamps"],
            worst_lateness_ms=burst["worst_lateness_ms"],
            receipts={
                topic: {stamp: time for stamp, time in times.items() if stamp in published}
                for topic, times in client.receipts.items()
                if self._has_status or topic in client.topics
            },
            begin=begin,
            statuses=[status for stamp, status in client.statuses.items() if stamp in published],
            cpu_percent=cpu,
            memory=memory,
            core_gflops=speed,
        )

    def memory_growth(self, rate: float, count: int) -> dict:
        """Memory of the node [MB] at rest before, between and after `count` images, and the number processed."""
        readings, before = [memory_mb(self._node.pid)["rss"]], len(self._client.first_receipts)
        for i in range(GROWTH_READINGS):
            part = count * (i + 1) // GROWTH_READINGS - count * i // GROWTH_READINGS
            if part:
                self._burst(part, rate)
                readings.append(memory_mb(self._node.pid)["rss"])
        processed = len(self._client.first_receipts) - before
        return {"processed": processed, "rss_mb": readings, "growth_mb": readings[-1] - readings[0], "rate_hz": rate}

    def _burst(self, count: int, rate: float, quiet: float = 5.0) -> dict:
        """Publish images, and wait for rest or until no message arrives for `quiet` [s]."""
        burst = self._camera.ask({"count": count, "rate": rate})
        last = [STATUS] if self._has_status else []  # published last for a frame
        self._client.wait_for(burst["stamps"][-1], [self._client.topics[0], *last], quiet)
        return burst
