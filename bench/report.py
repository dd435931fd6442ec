"""From what was noted to figures: exact counts, rates, latencies; a printed table and a JSON file."""

import argparse
import json
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from bench.errors import BenchError
from bench.machine import commit, machine, thread_settings, versions
from monodepth_ros.msg import DepthStatus
from monodepth_ros.ros.live.counters import DROP_CAUSES, PROCESSED, RECEIVED

STAGES = ("transport", "decode", "inference", "publish")
# Others' CPU use above which the figures are of a busy machine [% of one core].
QUIET = 10.0


@dataclass(frozen=True)
class Measurement:
    """What was noted of one measurement; stamps and receipts in ns of the wall clock.

    stamps: of the published images. receipts: topic -> stamp -> time. begin: status before the first of them.
    """

    options: argparse.Namespace
    command: str
    checkpoint: str
    images: dict
    rate: float
    stamps: list[int]
    worst_lateness_ms: float
    receipts: dict[str, dict[int, int]]
    begin: DepthStatus
    statuses: dict[int, DepthStatus]
    cpu_percent: dict[str, float]
    memory: dict[str, dict[str, float]]
    core_gflops: dict[str, float]


def write_report(measurement: Measurement, results: Path) -> None:
    """Print the table; write results/live_<time>.json."""
    figures = collect_figures(measurement)
    print(format_table(figures))
    results.mkdir(parents=True, exist_ok=True)
    path = results / f"live_{time.strftime('%Y-%m-%d_%H-%M-%S')}.json"
    path.write_text(json.dumps(figures, indent=2) + "\n", encoding="utf-8")
    print(f"result      {path}")


def collect_figures(measurement: Measurement) -> dict:
    """Everything that goes into the JSON."""
    m, options = measurement, measurement.options
    published = set(m.stamps)
    statuses = [status for stamp, status in m.statuses.items() if stamp in published]
    if not statuses:
        raise BenchError("none of the measured images was processed; the node's log above may say why")
    receipts = {topic: {s: t for s, t in times.items() if s in published} for topic, times in m.receipts.items()}
    first_output = next(iter(receipts))
    arrivals = sorted(receipts[first_output].values())
    publishing = (m.stamps[-1] - m.stamps[0]) * 1e-9
    return {
        "command": m.command,
        "date": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        "commit": commit(Path(__file__).parents[1]),
        "machine": machine(),
        "core_gflops": {when: round(speed, 1) for when, speed in m.core_gflops.items()},
        "versions": versions(),
        "thread_settings": thread_settings(),
        "node": {
            "checkpoint": m.checkpoint,
            "engine": statuses[-1].engine,
            "device": statuses[-1].device,
            "precision": options.precision,
            "parameters": options.parameter,
        },
        "input": {
            "size": list(options.input),
            "transport": options.transport,
            "reliability": options.reliability,
            "images": m.images["images"],
            "mean_bytes": m.images["mean_bytes"],
            "saturated": options.rate == 0,
            "asked_rate_hz": m.rate,
            "rate_hz": (len(m.stamps) - 1) / publishing if publishing > 0 else float("nan"),
            "worst_lateness_ms": m.worst_lateness_ms,
        },
        "outputs": options.outputs,
        "frames": count_frames(m.begin, statuses[-1], len(published), receipts),
        "frames_per_second": (len(arrivals) - 1) / (arrivals[-1] - arrivals[0]) * 1e9 if len(arrivals) > 1 else 0.0,
        "latency_ms": {
            topic: spread([(t - stamp) * 1e-6 for stamp, t in times.items()]) for topic, times in receipts.items()
        },
        "stages_ms": stage_times(statuses),
        "cpu_percent_of_a_core": m.cpu_percent,
        "node_memory_mb": {
            "peak": m.memory["end"]["peak"],
            "begin": m.memory["begin"]["rss"],
            "end": m.memory["end"]["rss"],
        },
        "node_threads": m.memory["end"]["threads"],
    }


def count_frames(begin: DepthStatus, end: DepthStatus, published: int, receipts: dict[str, dict]) -> dict:
    """What became of the published images, between two readings of the node's counters."""

    def counted(name: str) -> int:
        return int(getattr(end, name) - getattr(begin, name))

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
        "received_by_client": {topic: len(times) for topic, times in receipts.items()},
    }


def stage_times(statuses: list[DepthStatus]) -> dict[str, dict[str, float]]:
    """Spread of the node's own stage times, and of the wait for the frame before, in milliseconds."""
    times = {stage: np.array([getattr(s, f"latency_{stage}_ms") for s in statuses]) for stage in (*STAGES, "total")}
    times["wait"] = times["total"] - sum(times[stage] for stage in STAGES)
    return {stage: spread(times[stage]) for stage in ("transport", "wait", "decode", "inference", "publish", "total")}


def spread(values) -> dict[str, float]:
    """Percentiles, extremes and number of values."""
    if len(values) == 0:
        return {"count": 0}
    p50, p95, p99 = np.percentile(values, (50, 95, 99))
    result = {"p50": p50, "p95": p95, "p99": p99, "min": np.min(values), "max": np.max(values)}
    return {**{name: round(float(value), 3) for name, value in result.items()}, "count": len(values)}


def format_table(figures: dict) -> str:
    """The figures for people."""
    node, shown, frames = figures["node"], figures["input"], figures["frames"]
    drops = "".join(f" + {number} {cause}" for cause, number in frames["dropped"].items() if number)
    width, height = shown["size"]
    speed = figures["core_gflops"]
    mode = "saturating" if shown["saturated"] else "steady"
    lines = [
        "",
        f"node        {node['engine']} on {node['device']} ({node['precision']}): {node['checkpoint']}",
        f"input       {width}x{height} {shown['transport']}, {shown['mean_bytes'] / 1e3:.0f} kB ({shown['images']}), "
        f"{mode} at {shown['rate_hz']:.1f} Hz, at worst {shown['worst_lateness_ms']:.1f} ms late",
        f"frames      {frames['published']} published = {frames['received']} received by the node "
        f"+ {frames['lost_before_node']} lost on the way",
        f"            {frames['received']} received = {frames['processed']} processed{drops} "
        f"+ {frames['in_flight']} in flight",
        f"            {100 * frames['processed_share']:.1f} % of the published were processed",
        f"rate        {figures['frames_per_second']:.1f} frames/s at the client",
        "",
        f"{'ms':34s}{'p50':>9s}{'p95':>9s}{'p99':>9s}{'max':>9s}   frames",
    ]
    for topic, values in figures["latency_ms"].items():
        lines.append(_row(f"stamp to receipt of {topic}", values))
    for stage, values in figures["stages_ms"].items():
        lines.append(_row(f"  node, {stage}", values))
    cpu, memory = figures["cpu_percent_of_a_core"], figures["node_memory_mb"]
    lines += [
        "",
        "CPU         " + ", ".join(f"{name} {percent:.0f} %" for name, percent in cpu.items())
        + f" of one core ({figures['machine']['cores']} cores)",
        f"core speed  {speed['before']:.0f} before, {speed['after']:.0f} GFLOP/s after",
        f"memory      node {memory['begin']:.0f} -> {memory['end']:.0f} MB, peak {memory['peak']:.0f} MB; "
        f"{figures['node_threads']} threads",
    ]
    if cpu["others"] > QUIET:
        lines.append(f"NOTE        other programs used {cpu['others']:.0f} % of a core meanwhile: figures of a busy machine")
    if shown["saturated"] and frames["dropped"]["replaced"] == 0:
        lines.append("NOTE        no image was replaced by a newer one: the node was not saturated")
    return "\n".join(lines)


def _row(label: str, values: dict) -> str:
    if not values["count"]:
        return f"{label:34s}{'none came':>18s}"
    return f"{label:34s}" + "".join(f"{values[name]:9.1f}" for name in ("p50", "p95", "p99", "max")) + f"{values['count']:9d}"
