# SPDX-License-Identifier: Apache-2.0
"""Counts of frames by fate, rates and latencies."""

import threading
import time
from collections import Counter, deque

import numpy as np

# Why a frame was not processed; names of fields of DepthStatus.msg.
UNWANTED = "frames_unwanted"
REPLACED = "frames_replaced"
DUPLICATE = "frames_duplicate"
INVALID = "frames_invalid"
UNCALIBRATED = "frames_uncalibrated"
FAILED = "frames_failed"
DROP_CAUSES = (UNWANTED, REPLACED, DUPLICATE, INVALID, UNCALIBRATED, FAILED)

RECEIVED = "frames_received"
PROCESSED = "frames_processed"
LOST = "frames_lost"  # by the middleware, before they were received

WINDOW_SECONDS = 10.0


class FrameCounters:
    """Counts since configuration, and rates and latencies over the last 10 s. Thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._counts: Counter[str] = Counter()
        self._times: dict[str, deque[float]] = {RECEIVED: deque(), PROCESSED: deque()}
        self._latencies: deque[tuple[float, float]] = deque()

    def count(self, fate: str, number: int = 1) -> None:
        """Count frames, by default one."""
        now = time.monotonic()
        with self._lock:
            self._counts[fate] += number
            if fate in self._times:
                times = self._times[fate]
                times.append(now)
                while times[0] < now - WINDOW_SECONDS:
                    times.popleft()

    def add_latency(self, milliseconds: float) -> None:
        """Add the time of one frame from receipt to publication."""
        now = time.monotonic()
        with self._lock:
            self._latencies.append((now, milliseconds))
            while self._latencies[0][0] < now - WINDOW_SECONDS:
                self._latencies.popleft()

    def counts(self) -> dict[str, int]:
        """All counts by name."""
        with self._lock:
            return {name: self._counts[name] for name in (RECEIVED, PROCESSED, *DROP_CAUSES, LOST)}

    def rate(self, fate: str) -> float:
        """Frames per second (RECEIVED or PROCESSED) over the last 10 s; it falls when they stay away."""
        now = time.monotonic()
        with self._lock:
            recent = [t for t in self._times[fate] if t >= now - WINDOW_SECONDS]
        if len(recent) < 2:
            return 0.0
        steps, seconds = len(recent) - 1, recent[-1] - recent[0]
        is_overdue = (now - recent[-1]) * steps > 2.0 * seconds
        return steps / max(now - recent[0] if is_overdue else seconds, 1e-6)

    def latency_percentiles(self) -> tuple[float, float]:
        """Median and 95th percentile [ms] over the last 10 s; NaN without frames."""
        with self._lock:
            recent = [ms for t, ms in self._latencies if t >= time.monotonic() - WINDOW_SECONDS]
        if not recent:
            return float("nan"), float("nan")
        p50, p95 = np.percentile(recent, (50, 95))
        return float(p50), float(p95)
