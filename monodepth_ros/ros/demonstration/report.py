# SPDX-License-Identifier: Apache-2.0
"""The results of a demonstration: a table, a picture sheet and the figures as JSON."""

import json
from dataclasses import asdict, dataclass
from pathlib import Path

import cv2
import numpy as np

from monodepth_ros.data.bags.recording import Recording
from monodepth_ros.evaluation.depth_metrics import mean_metrics
from monodepth_ros.networks.checkpoints.checkpoint import CheckpointHeader
from monodepth_ros.output_file import write_file
from monodepth_ros.results_folder import new_results_folder
from monodepth_ros.ros.demonstration.comparison import MAX_DEPTH, DepthComparison, compare_depth, compare_trajectories
from monodepth_ros.ros.demonstration.output_listener import OUTPUTS, OutputListener, stamp_of
from monodepth_ros.ros.demonstration.sheet import SheetContent, demonstration_sheet

PER_FRAME = ("depth/image", "depth/camera_info", "rgb/image_rect", "depth/color", "depth/points", "depth/status")
ODOMETRY = ("odom", "path")
STAGES = ("decode", "inference", "motion", "publish")
# The fields of the last DepthStatus that the report keeps.
STATUS_FIELDS = (
    *("engine", "device", "scale", "scale_source", "frames_received", "frames_processed", "frames_replaced"),
    *("frames_duplicate", "frames_invalid", "frames_uncalibrated", "frames_failed", "odometry_state"),
    *("min_depth", "median_depth", "max_depth", "valid_ratio"),
    *(f"latency_{stage}_ms" for stage in STAGES),
)


@dataclass(frozen=True)
class DemoRun:
    """One demonstration: the recording played, the checkpoint, and the client that listened.

    Topics are empty where the recording has none. expects_odometry: the node's settings give odometry.
    """

    bag: str
    camera_info_topic: str
    depth_truth_topic: str
    reference_odometry_topic: str
    checkpoint: str
    header: CheckpointHeader
    image_count: int
    rate: float
    listener: OutputListener
    expects_odometry: bool


def write_report(run: DemoRun, results: Path) -> bool:
    """Print the table and write sheet.png and report.json to results/<time>/ (+ latest); whether every output came."""
    folder = new_results_folder(results)
    kept = run.listener.kept
    comparisons = compare_depth(run.bag, run.depth_truth_topic, run.camera_info_topic, kept, run.header.is_metric)
    figures = collect_figures(run, comparisons)
    table = format_table(figures)
    print(table)
    write_file(folder / "report.json", json.dumps(figures, indent=2) + "\n")
    write_file(folder / "report.txt", table + "\n")
    sheet = make_sheet(run, comparisons)
    if sheet is not None:
        write_file(folder / "sheet.png", cv2.imencode(".png", sheet)[1].tobytes())
    print(f"results     {folder}/" + ("sheet.png, report.json" if sheet is not None else "report.json"))
    missing = missing_topics(figures)
    if missing:
        diagnosis = figures["diagnosis"]
        print(f"MISSING     nothing came on {', '.join(missing)}" + (f": {diagnosis}" if diagnosis else ""))
    return not missing


def missing_topics(figures: dict) -> list[str]:
    """The topics that should have carried messages and did not."""
    return [topic for topic, row in figures["topics"].items() if row["expected"] and not row["messages"]]


def make_sheet(run: DemoRun, comparisons: dict[int, DepthComparison]) -> np.ndarray | None:
    """The picture sheet, bgr (H, W, 3); None if no frame is complete."""
    listener, is_metric = run.listener, run.header.is_metric
    odometry = listener.last.get("odom")
    trajectories = compare_trajectories(
        listener.last.get("path"),
        child_frame=odometry.child_frame_id if odometry is not None else "",
        bag=run.bag,
        topic=run.reference_odometry_topic,
        is_metric=is_metric,
    )
    with Recording(run.bag) as recording:  # the client may have missed the first images
        start_ns = stamp_of(recording.first(listener.input_topic).header)
    content = SheetContent(
        outputs=listener.kept,
        input_topic=listener.input_topic,
        comparisons=comparisons,
        trajectories=trajectories,
        is_metric=is_metric,
        start_ns=start_ns,
    )
    return demonstration_sheet(content, title=f"{Path(run.bag).name}, {run.header.summary()}")


def collect_figures(run: DemoRun, comparisons: dict[int, DepthComparison]) -> dict:
    """All figures of the table, as plain values."""
    listener = run.listener
    status = listener.last.get("depth/status")
    diagnostics = listener.last.get("/diagnostics")
    diagnosis = diagnostics.status[0].message if diagnostics is not None else ""
    figures = {
        "bag": run.bag,
        "checkpoint": run.checkpoint,
        "frames_in": run.image_count,
        "frames_seen_by_client": listener.counts[listener.input_topic],
        "topics": {topic: topic_figures(listener, topic, run.expects_odometry) for topic in OUTPUTS},
        "node": {} if status is None else {name: getattr(status, name) for name in STATUS_FIELDS},
        "diagnosis": "" if diagnosis == "OK" else diagnosis,
        "depth_error": None,
    }
    if comparisons:
        metrics = mean_metrics([comparison.metrics for comparison in comparisons.values()])
        scaling = "none" if run.header.is_metric else "median"
        figures["depth_error"] = {"scaling": scaling, "images": len(comparisons), **asdict(metrics)}
    return figures


def topic_figures(listener: OutputListener, topic: str, expects_odometry: bool) -> dict:
    """Number, rate [Hz] and latency [ms] of a topic's messages, and whether messages were to be expected."""
    arrivals = sorted(listener.arrivals[topic].values())
    span = arrivals[-1] - arrivals[0] if len(arrivals) > 1 else 0.0
    latencies = listener.latencies_ms(topic)
    p50, p95 = np.percentile(latencies, (50, 95)) if latencies else (None, None)
    return {
        "messages": listener.counts[topic],
        "rate_hz": (len(arrivals) - 1) / span if span else None,
        "latency_p50_ms": p50,
        "latency_p95_ms": p95,
        # /tf is only published where lengths are metres.
        "expected": topic in PER_FRAME or topic == "/diagnostics" or (topic in ODOMETRY and expects_odometry),
    }


def format_table(figures: dict) -> str:
    """The figures as text."""

    def number(value: float | None) -> str:
        return "-" if value is None else f"{value:.1f}"

    lines = ["", f"{'topic':<20}{'messages':>9}{'Hz':>8}{'p50 ms':>9}{'p95 ms':>9}"]
    for topic, row in figures["topics"].items():
        lines.append(
            f"{topic:<20}{row['messages']:>9}{number(row['rate_hz']):>8}"
            f"{number(row['latency_p50_ms']):>9}{number(row['latency_p95_ms']):>9}"
        )
    lines.append("latency: from the image's arrival at this client to the output's")
    node = figures["node"]
    if node:
        lines += [
            "",
            f"frames      {figures['frames_in']} played, {node['frames_received']} received, "
            f"{node['frames_processed']} processed; dropped: {node['frames_replaced']} for a newer one, "
            f"{node['frames_duplicate']} duplicate, {node['frames_invalid']} invalid, "
            f"{node['frames_uncalibrated']} before camera_info, {node['frames_failed']} failed",
            f"engine      {node['engine']} on {node['device']}: "
            + ", ".join(f"{stage} {node[f'latency_{stage}_ms']:.1f} ms" for stage in STAGES)
            + " (last frame)",
            f"depth       {node['min_depth']:.2f} to {node['max_depth']:.2f}, median {node['median_depth']:.2f} "
            f"{'network units' if node['scale_source'] == 0 else 'm'}; "
            f"{100 * node['valid_ratio']:.0f} % of the pixels (last frame)",
        ]
    error = figures["depth_error"]
    if error is None:
        lines.append("depth error not measured: no ground-truth depth for the frames that came")
    else:
        lines.append(
            f"depth error abs_rel {error['abs_rel']:.3f}, rmse {error['rmse']:.2f} m, a1 {error['a1']:.3f} "
            f"({error['images']} images, scaling: {error['scaling']}, up to {MAX_DEPTH:.0f} m)"
        )
    return "\n".join(lines)
