# SPDX-License-Identifier: Apache-2.0
"""Figures of `scripts/bench train`: a printed table and a JSON file."""

import argparse
import json
import time
from pathlib import Path

import numpy as np

from bench.machine import commit, machine, thread_settings, versions


def write_report(options: argparse.Namespace, command: str, found: dict, results: Path) -> None:
    """Print the table; write results/train_<time>.json."""
    figures = collect_figures(options, command, found)
    print(format_wait(figures) if options.data else format_table(figures))
    results.mkdir(parents=True, exist_ok=True)
    path = results / f"train_{time.strftime('%Y-%m-%d_%H-%M-%S')}.json"
    path.write_text(json.dumps(figures, indent=2) + "\n", encoding="utf-8")
    print(f"result      {path}")


def collect_figures(options: argparse.Namespace, command: str, found: dict) -> dict:
    """Everything that goes into the JSON."""
    figures = {
        "command": command,
        "date": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        "commit": commit(Path(__file__).parents[1]),
        "machine": machine(),
        "versions": versions(),
        "thread_settings": thread_settings(),
        "networks": {
            "depth": options.depth,
            "pose": options.pose,
            "size": list(options.size),
            "scales": options.scales,
        },
        "batch_size": options.batch_size,
        "device": options.device,
        **found,
    }
    baseline = None
    for values in figures.get("variants", {}).values():
        step = float(np.median(values["seconds"]))
        baseline = baseline or step
        values |= {"step_seconds": step, "samples_per_second": options.batch_size / step, "ratio": baseline / step}
    return figures


def format_table(figures: dict) -> str:
    """The variants for people: a column each."""
    variants = figures["variants"]
    networks, speed = figures["networks"], figures["core_gflops"]
    width, height = networks["size"]
    lines = [
        "",
        f"networks    {networks['depth']} + {networks['pose']}, {width}x{height}, {networks['scales']} scales, "
        f"batch {figures['batch_size']} on {figures['device']}",
        f"core speed  {speed['before']:.0f} before, {speed['after']:.0f} GFLOP/s after",
        "",
        f"{'':24s}" + "".join(f"{name:>12s}" for name in variants),
        _row("samples/s", variants, lambda v: f"{v['samples_per_second']:.2f}"),
        _row("times the baseline", variants, lambda v: f"{v['ratio']:.2f}"),
        _row("step, median [s]", variants, lambda v: f"{v['step_seconds']:.3f}"),
        _row("step, fastest [s]", variants, lambda v: f"{min(v['seconds']):.3f}"),
        _row("peak memory [MB]", variants, lambda v: f"{v['peak_mb']:.0f}"),
        _row("first loss", variants, lambda v: f"{v['loss']:.6f}"),
    ]
    for stage in variants["baseline"]["stages"]:
        lines.append(_row(f"  {stage} [ms]", variants, lambda v: f"{1e3 * v['stages'][stage]:.0f}"))
    return "\n".join(lines)


def format_wait(figures: dict) -> str:
    """The wait for data for people."""
    return (
        f"\ndata        {figures['recording']}: {100 * figures['waiting_share']:.1f} % of the time waiting, "
        f"{figures['samples_per_second']:.2f} samples/s over {figures['steps']} steps"
    )


def _row(label: str, variants: dict, text) -> str:
    return f"{label:24s}" + "".join(f"{text(values):>12s}" for values in variants.values())
