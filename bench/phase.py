# SPDX-License-Identifier: Apache-2.0
"""One phase of a measurement, images published at one rate, and its figures."""

from dataclasses import dataclass

import numpy as np

from bench.errors import BenchError
from monodepth_ros.msg import DepthStatus
from monodepth_ros.ros.live.counters import DROP_CAUSES, PROCESSED, RECEIVED

STAGES = ("transport", "wait", "decode", "inference", "motion", "publish")
# What the node does with a frame; the rest of its time is waiting.
WORK = ("decode", "inference", "motion", "publish")


@dataclass(frozen=True)
class Phase:
    """Records of a phase, with times in ns of the wall clock.

    stamps: of the published images. receipts: topic -> stamp -> time. begin: status before the first image, None for a
    node without a status. statuses: of the measured images.
    """

    rate: float
    stamps: list[int]
    worst_lateness_ms: float
    receipts: dict[str, dict[int, int]]
    begin: DepthStatus | None
    statuses: list[DepthStatus]
    cpu_percent: dict[str, float]
    memory: dict[str, dict[str, float]]
    core_gflops: dict[str, float]

    @property
    def frames_per_second(self) -> float:
        """Rate of the first topic at the client [Hz]."""
        return per_second(sorted(next(iter(self.receipts.values())).values()))

    @property
    def share_of_images(self) -> float:
        """Share of the published images that resulted in a message on the first topic."""
        return len(next(iter(self.receipts.values()))) / len(self.stamps)


def collect_phase(phase: Phase) -> dict:
    """Rates, counts, latencies, stages, CPU and memory."""
    if not next(iter(phase.receipts.values())):
        raise BenchError("none of the measured images was processed: see the node's log above")
    latencies = {
        topic: spread([(time - stamp) * 1e-6 for stamp, time in times.items()])
        for topic, times in phase.receipts.items()
    }
    first = next(iter(latencies.values()))
    figures = {
        "asked_rate_hz": phase.rate,
        "rate_hz": per_second(phase.stamps),
        "worst_lateness_ms": phase.worst_lateness_ms,
        "frames": count_frames(phase),
        "frames_per_second": phase.frames_per_second,
        "latency_ms": latencies,
        "p99_to_p50": first["p99"] / first["p50"],
        "cpu_percent_of_a_core": phase.cpu_percent,
        "memory_mb": {
            "peak": phase.memory["end"]["peak"],
            "begin": phase.memory["begin"]["rss"],
            "end": phase.memory["end"]["rss"],
        },
        "threads": phase.memory["end"]["threads"],
        "core_gflops": {when: round(speed, 1) for when, speed in phase.core_gflops.items()},
    }
    if phase.statuses:
        figures |= stage_times(phase.statuses)
    return figures


def count_frames(phase: Phase) -> dict:
    """Fates of the published images, by the node's counters if it has any and by the messages at the client."""
    published = len(phase.stamps)
    came = {topic: len(times) for topic, times in phase.receipts.items()}
    if phase.begin is None:
        processed = next(iter(came.values()))
        return {
            "published": published,
            "processed": processed,
            "processed_share": processed / published,
            "received_by_client": came,
        }
    end = phase.statuses[-1] if phase.statuses else phase.begin

    def counted(name: str) -> int:
        return int(getattr(end, name) - getattr(phase.begin, name))

    received, processed = counted(RECEIVED), counted(PROCESSED)
    dropped = {cause.removeprefix("frames_"): counted(cause) for cause in DROP_CAUSES}
    return {
        "published": published,
        "lost_before_node": published - received,
        "received": received,
        "processed": processed,
        "dropped": dropped,
        "in_flight": received - processed - sum(dropped.values()),
        "processed_share": processed / published,
        "received_by_client": came,
    }


def stage_times(statuses: list[DepthStatus]) -> dict:
    """Spread of the node's stage times and of the wait for the frame before [ms]; shares of the stages in the total."""
    times = {
        name: np.array([getattr(s, f"latency_{name}_ms") for s in statuses]) for name in ("transport", *WORK, "total")
    }
    times["wait"] = times["total"] - times["transport"] - sum(times[stage] for stage in WORK)
    mean = times["total"].mean()
    return {
        "stages_ms": {stage: spread(times[stage]) for stage in (*STAGES, "total")},
        "stage_shares": {stage: round(float(times[stage].mean() / mean), 4) for stage in STAGES},
        "whole_frame_ms": spread(sum(times[stage] for stage in WORK)),
    }


def spread(values) -> dict[str, float]:
    """Percentiles, minimum, maximum and number of values."""
    if len(values) == 0:
        return {"count": 0}
    p50, p95, p99 = np.percentile(values, (50, 95, 99))
    result = {"p50": p50, "p95": p95, "p99": p99, "min": np.min(values), "max": np.max(values)}
    return {**{name: round(float(value), 3) for name, value in result.items()}, "count": len(values)}


def per_second(times: list[int]) -> float:
    """Rate [Hz] of events at increasing times [ns]; 0 for fewer than two."""
    return (len(times) - 1) / (times[-1] - times[0]) * 1e9 if len(times) > 1 else 0.0
