# SPDX-License-Identifier: Apache-2.0
"""Rows of results: what `scripts/bench live` and `scripts/bench train` measured, as cells of a table."""

from collections.abc import Iterable, Sequence

COLUMNS = (
    "checkpoint", "engine", "input", "outputs", "frames/s", "processed", "p50", "p95", "p99", "inference", "decode",
    "publish", "bare engine", "to bare", "start", "to plain", "node CPU", "others' CPU", "peak", "growth", "core speed",
)  # fmt: skip

STAGES = ("networks forward", "networks backward", "loss forward", "loss backward", "optimiser", "augmentation")
TRAIN_COLUMNS = ("networks", "step", "samples/s", "ratio", "peak memory", *STAGES, "core speed")


def markdown_table(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    """Lines of a Markdown table."""
    return ["| " + " | ".join(cells) + " |" for cells in (columns, ["---"] * len(columns), *rows)]


def train_rows(figures: dict) -> list[list[str]]:
    """Cells of each variant of a training step."""
    networks = figures["networks"]
    width, height = networks["size"]
    what = f"{networks['depth']} + {networks['pose']}, {width}x{height}"
    what += f", batch {figures['batch_size']}, {figures['device']}"
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


def live_rows(figures: dict) -> list[list[str]]:
    """Cells of each phase of a live result: first the node, then the plain node."""
    phases = {("", name): phase for name, phase in figures["phases"].items()}
    phases |= {("plain node", name): phase for name, phase in figures.get("plain", {}).items()}
    shown, node = figures["input"], figures["node"]
    first = next(iter(phases))
    rows = []
    for (which, name), phase in phases.items():
        latency = next(iter(phase["latency_ms"].values()))
        stages, cpu = phase.get("stages_ms", {}), phase["cpu_percent_of_a_core"]
        is_first = (which, name) == first
        rows.append([
            node["checkpoint"].split(",")[0],
            which or f"{node['engine']} {node['precision']}",
            f"{shown['size'][0]}x{shown['size'][1]} {shown['transport']}, "
            + ("saturated" if name == "saturated" else f"{phase['rate_hz']:.1f} Hz"),
            " + ".join(figures["outputs"]),
            f"{phase['frames_per_second']:.1f}",
            f"{100 * phase['frames']['processed_share']:.1f} %",
            *(f"{latency[percentile]:.1f}" for percentile in ("p50", "p95", "p99")),
            *(f"{stages[stage]['p50']:.1f}" if stages else "" for stage in ("inference", "decode", "publish")),
            f"{figures['bare_engine_ms']['all']['p50']:.1f}" if is_first else "",
            f"{phase['whole_frame_to_bare_engine']:.2f}" if stages else "",
            f"{figures['start']['first_output_s']:.1f} s" if is_first else "",
            _to_plain(figures.get("to_plain")) if is_first else "",
            f"{cpu['node']:.0f} %",
            f"{cpu['others']:.0f} %",
            f"{phase['memory_mb']['peak']:.0f} MB",
            _growth(figures.get("growth")) if is_first else "",
            f"{min(phase['core_gflops'].values()):.0f} GFLOP/s",
        ])  # fmt: skip
    return rows


def _to_plain(ratios: dict | None) -> str:
    return "" if ratios is None else f"{ratios['frames_per_second']:.2f} x frames/s, {ratios['latency_p50']:.2f} x p50"


def _growth(growth: dict | None) -> str:
    return "" if growth is None else f"{growth['growth_mb']:+.1f} MB in {growth['processed']}"
