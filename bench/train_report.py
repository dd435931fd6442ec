# SPDX-License-Identifier: Apache-2.0
"""Report of `scripts/bench train`: a printed table and a JSON file."""

import argparse

import numpy as np

from bench.result_file import conditions, write_result


def write_report(options: argparse.Namespace, command: str, measured: dict) -> None:
    """Print the table and write train_<time>.json to the folder of results."""
    figures = collect_figures(options, command, measured)
    print(format_wait(figures) if options.data else format_table(figures))
    write_result("train", figures, options.results)


def collect_figures(options: argparse.Namespace, command: str, measured: dict) -> dict:
    """The content of the JSON file."""
    figures = {
        **conditions(command),
        "networks": {
            "depth": options.depth,
            "pose": options.pose,
            "size": list(options.size),
            "scales": options.scales,
        },
        "batch_size": options.batch_size,
        "device": options.device,
        **measured,
    }
    baseline = None
    for values in figures.get("variants", {}).values():
        step = float(np.median(values["seconds"]))
        baseline = baseline or step
        values |= {"step_seconds": step, "samples_per_second": options.batch_size / step, "ratio": baseline / step}
    return figures


def format_table(figures: dict) -> str:
    """The printed table, with a column for each variant."""
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
        lines.append(_row(f"  {stage} [ms]", variants, lambda v, stage=stage: f"{1e3 * v['stages'][stage]:.0f}"))
    return "\n".join(lines)


def format_wait(figures: dict) -> str:
    """The printed line about the wait for data."""
    return (
        f"\ndata        {figures['recording']}: {100 * figures['waiting_share']:.1f} % of the time waiting, "
        f"{figures['samples_per_second']:.2f} samples/s over {figures['steps']} steps"
    )


def _row(label: str, variants: dict, text) -> str:
    return f"{label:24s}" + "".join(f"{text(values):>12s}" for values in variants.values())
