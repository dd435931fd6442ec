"""`scripts/bench table`: results of `scripts/bench live` and of `scripts/bench train` as Markdown tables, one for each."""

import argparse
import json
from pathlib import Path

COLUMNS = (
    "checkpoint", "engine", "input", "outputs", "frames/s", "processed", "p50", "p95", "p99", "inference", "decode", "publish",
    "node CPU", "others' CPU", "peak", "core speed",
)  # fmt: skip

STAGES = ("networks forward", "networks backward", "loss forward", "loss backward", "optimiser", "augmentation")
TRAIN_COLUMNS = ("networks", "step", "samples/s", "ratio", "peak memory", *STAGES, "core speed")


def main(arguments: list[str] | None = None) -> int:
    """Print a row for each result; times in milliseconds."""
    parser = argparse.ArgumentParser(prog="scripts/bench table", description=__doc__)
    parser.add_argument("files", nargs="+", type=Path, help="JSON files of results")
    results = [json.loads(path.read_text(encoding="utf-8")) for path in parser.parse_args(arguments).files]
    live = [row(figures) for figures in results if "node" in figures]
    train = [cells for figures in results if "variants" in figures for cells in train_rows(figures)]
    for columns, rows in ((COLUMNS, live), (TRAIN_COLUMNS, train)):
        if rows:
            print("\n".join("| " + " | ".join(cells) + " |" for cells in (columns, ["---"] * len(columns), *rows)))
    return 0


def train_rows(figures: dict) -> list[list[str]]:
    """The cells of each variant of a training step."""
    networks = figures["networks"]
    width, height = networks["size"]
    what = f"{networks['depth']} + {networks['pose']}, {width}x{height}, batch {figures['batch_size']}, {figures['device']}"
    return [
        [
            what,
            variant,
            f"{values['samples_per_second']:.2f}",
            f"{values['ratio']:.2f}",
            f"{values['peak_mb']:.0f} MB",
            *(f"{1e3 * values['stages'][stage]:.0f}" for stage in STAGES),
            f"{min(figures['core_gflops'].values()):.0f} GFLOP/s",
        ]
        for variant, values in figures["variants"].items()
    ]


def row(figures: dict) -> list[str]:
    """The cells of one result; latency is that of the first output."""
    shown, frames, stages = figures["input"], figures["frames"], figures["stages_ms"]
    latency = next(iter(figures["latency_ms"].values()))
    cpu = figures["cpu_percent_of_a_core"]
    rate = "saturated" if shown["saturated"] else f"{shown['rate_hz']:.0f} Hz"
    return [
        figures["node"]["checkpoint"].split(",")[0],
        figures["node"]["engine"],
        f"{shown['size'][0]}x{shown['size'][1]} {shown['transport']}, {rate}",
        " + ".join(figures["outputs"]),
        f"{figures['frames_per_second']:.1f}",
        f"{100 * frames['processed_share']:.1f} %",
        *(f"{latency[name]:.1f}" for name in ("p50", "p95", "p99")),
        *(f"{stages[stage]['p50']:.1f}" for stage in ("inference", "decode", "publish")),
        f"{cpu['node']:.0f} %",
        f"{cpu['others']:.0f} %",
        f"{figures['node_memory_mb']['peak']:.0f} MB",
        f"{min(figures['core_gflops'].values()):.0f} GFLOP/s",
    ]
