# SPDX-License-Identifier: Apache-2.0
"""Report of `scripts/bench live`: a printed table and a JSON file."""

import argparse
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from bench.phase import Phase, collect_phase, spread
from bench.result_file import conditions, write_result

# CPU use of other processes above which the machine counts as busy [% of one core].
QUIET = 10.0


@dataclass(frozen=True)
class Measurement:
    """Records of one run.

    images: description of the camera's images. engine: name, device and precision. start: times since the request to
    configure the node [s]. bare_ms: times of the passes of the networks alone, before and after [ms]. phases, plain:
    phases of the node and of the plain node by name. growth: see Session.memory_growth.
    """

    options: argparse.Namespace
    command: str
    checkpoint: str
    images: dict
    engine: dict[str, str]
    start: dict[str, float]
    bare_ms: list[list[float]]
    phases: dict[str, Phase]
    growth: dict | None
    plain: dict[str, Phase] | None


def write_report(measurement: Measurement, results: Path) -> None:
    """Print the table and write live_<time>.json to the folder `results`."""
    figures = collect_figures(measurement)
    print(format_table(figures))
    write_result("live", figures, results)


def collect_figures(measurement: Measurement) -> dict:
    """The content of the JSON file."""
    m, options = measurement, measurement.options
    phases = {name: collect_phase(phase) for name, phase in m.phases.items()}
    bare = spread(np.concatenate(m.bare_ms))
    for phase in phases.values():
        if "whole_frame_ms" in phase:
            phase["whole_frame_to_bare_engine"] = phase["whole_frame_ms"]["p50"] / bare["p50"]
    figures = {
        **conditions(m.command),
        "node": {"checkpoint": m.checkpoint, **m.engine, "parameters": options.parameter},
        "input": {
            "size": list(options.input),
            "transport": options.transport,
            "reliability": options.reliability,
            "images": m.images["images"],
            "mean_bytes": m.images["mean_bytes"],
        },
        "outputs": options.outputs,
        "start": m.start,
        "bare_engine_ms": {"all": bare, "before": spread(m.bare_ms[0]), "after": spread(m.bare_ms[-1])},
        "phases": phases,
    }
    if m.growth:
        figures["growth"] = m.growth
    if m.plain:
        figures["plain"] = {name: collect_phase(phase) for name, phase in m.plain.items()}
        ours, theirs = (next(iter(found.values())) for found in (phases, figures["plain"]))
        latencies = [next(iter(phase["latency_ms"].values()))["p50"] for phase in (ours, theirs)]
        figures["to_plain"] = {
            "frames_per_second": ours["frames_per_second"] / theirs["frames_per_second"],
            "latency_p50": latencies[0] / latencies[1],
        }
    return figures


def format_table(figures: dict) -> str:
    """The printed table."""
    node, shown, start = figures["node"], figures["input"], figures["start"]
    width, height = shown["size"]
    bare = figures["bare_engine_ms"]
    lines = [
        "",
        f"node        {node['engine']} on {node['device']} ({node['precision']}): {node['checkpoint']}",
        f"input       {width}x{height} {shown['transport']}, {shown['mean_bytes'] / 1e3:.0f} kB ({shown['images']})",
        f"start       configured after {start['configured_s']:.2f} s, "
        f"first output after {start['first_output_s']:.2f} s",
        f"bare engine {bare['all']['p50']:.2f} ms "
        f"({bare['before']['p50']:.2f} before, {bare['after']['p50']:.2f} after)",
    ]
    for name, phase in figures["phases"].items():
        lines += _phase_lines(name, phase, figures["machine"]["cores"])
    if "growth" in figures:
        growth = figures["growth"]
        lines += ["", f"growth      {growth['growth_mb']:+.1f} MB over {growth['processed']} frames: "
                  + " ".join(f"{mb:.1f}" for mb in growth["rss_mb"])]  # fmt: skip
    for name, phase in figures.get("plain", {}).items():
        lines += _phase_lines(f"plain node, {name}", phase, figures["machine"]["cores"])
    if "to_plain" in figures:
        ratios = figures["to_plain"]
        lines += [
            "",
            f"to plain    {ratios['frames_per_second']:.2f} times its frames/s, "
            f"{ratios['latency_p50']:.2f} times its latency p50",
        ]
    return "\n".join(lines)


def _phase_lines(name: str, phase: dict, cores: int) -> list[str]:
    frames, cpu, memory, speed = (phase[key] for key in ("frames", "cpu_percent_of_a_core", "memory_mb", "core_gflops"))
    lines = [
        "",
        f"{name}: {phase['rate_hz']:.1f} Hz, at worst {phase['worst_lateness_ms']:.1f} ms late; "
        f"{phase['frames_per_second']:.1f} frames/s at the client",
    ]
    if "received" in frames:
        drops = "".join(f" + {number} {cause}" for cause, number in frames["dropped"].items() if number)
        lines.append(
            f"frames      {frames['published']} published = {frames['received']} received by the node + "
            f"{frames['lost_before_node']} lost before it; {frames['received']} received = "
            f"{frames['processed']} processed{drops} + {frames['in_flight']} in flight"
        )
    lines.append(
        f"            {100 * frames['processed_share']:.1f} % of {frames['published']} published were processed"
    )
    lines.append(f"{'ms':34s}{'p50':>9s}{'p95':>9s}{'p99':>9s}{'max':>9s}   frames    share")
    for topic, values in phase["latency_ms"].items():
        lines.append(_row(f"stamp to receipt of {topic}", values))
    for stage, values in phase.get("stages_ms", {}).items():
        share = phase["stage_shares"].get(stage)
        lines.append(_row(f"  node, {stage}", values) + ("" if share is None else f"{100 * share:8.1f} %"))
    if "whole_frame_ms" in phase:
        lines.append(_row("  node, whole frame", phase["whole_frame_ms"]))
        lines.append(f"            {phase['whole_frame_to_bare_engine']:.2f} times the bare engine")
    lines += [
        f"p99 / p50   {phase['p99_to_p50']:.2f}",
        "CPU         "
        + ", ".join(f"{process} {percent:.0f} %" for process, percent in cpu.items())
        + f" of one core ({cores} cores)",
        f"core speed  {speed['before']:.0f} before, {speed['after']:.0f} GFLOP/s after",
        f"memory      node {memory['begin']:.0f} -> {memory['end']:.0f} MB, peak {memory['peak']:.0f} MB; "
        f"{phase['threads']} threads",
    ]
    if cpu["others"] > QUIET:
        lines.append(f"NOTE        other programs used {cpu['others']:.0f} % of a core: figures of a busy machine")
    if name.endswith("saturated") and frames["processed_share"] > 0.95:
        lines.append("NOTE        nearly every image was processed: the node was not saturated")
    return lines


def _row(label: str, values: dict) -> str:
    if not values["count"]:
        return f"{label:34s}{'none came':>18s}"
    return (
        f"{label:34s}"
        + "".join(f"{values[name]:9.1f}" for name in ("p50", "p95", "p99", "max"))
        + f"{values['count']:9d}"
    )
