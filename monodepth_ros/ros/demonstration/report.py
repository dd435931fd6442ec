"""What came of a demonstration: a table, a picture sheet and the figures as JSON."""

import json
import time
from dataclasses import asdict, dataclass
from pathlib import Path

import cv2
import numpy as np
from sensor_msgs.msg import PointCloud2

from monodepth_ros.data.image_codec import decode_compressed, decode_image, to_rgb
from monodepth_ros.data.recording import Recording
from monodepth_ros.evaluation.depth_metrics import DepthMetrics, evaluate_depth, mean_metrics
from monodepth_ros.evaluation.picture_sheet import (
    CloudExtent,
    cloud_from_above,
    cloud_from_side,
    labelled,
    picture_sheet,
    trajectory_from_above,
)
from monodepth_ros.geometry.motion import R_BODY_OPTICAL
from monodepth_ros.networks.checkpoint import CheckpointHeader
from monodepth_ros.pipeline.point_cloud import CLOUD_DTYPE
from monodepth_ros.ros.demonstration.output_listener import OUTPUTS, OutputListener

SHEET_ROWS = 4
PER_FRAME = ("depth/image", "depth/camera_info", "rgb/image_rect", "depth/color", "depth/points", "depth/status")
ODOMETRY = ("odom", "path")


@dataclass(frozen=True)
class DemoRun:
    """One demonstration: what was played, and the client that listened."""

    bag: str
    truth_topic: str
    checkpoint: str
    header: CheckpointHeader
    image_count: int
    rate: float
    listener: OutputListener
    expects_odometry: bool


def write_report(run: DemoRun, results: Path) -> bool:
    """Print the table, write sheet.png and report.json under results/<time>/ (+ latest); whether every output came."""
    folder = results / time.strftime("%Y-%m-%d_%H-%M-%S")
    folder.mkdir(parents=True, exist_ok=True)
    figures = collect_figures(run)
    table = format_table(figures)
    print(table)
    (folder / "report.json").write_text(json.dumps(figures, indent=2) + "\n", encoding="utf-8")
    (folder / "report.txt").write_text(table + "\n", encoding="utf-8")
    rows = sheet_rows(run)
    if rows:
        title = f"{Path(run.bag).name}, {run.header.summary()}"
        cv2.imwrite(str(folder / "sheet.png"), picture_sheet(rows, title))
    latest = results / "latest"
    latest.unlink(missing_ok=True)
    latest.symlink_to(folder.name, target_is_directory=True)
    print(f"results     {folder}/" + ("sheet.png, report.json" if rows else "report.json"))
    missing = [topic for topic, row in figures["topics"].items() if row["expected"] and not row["messages"]]
    if missing:
        print(f"MISSING     nothing came on {', '.join(missing)}")
    return not missing


def collect_figures(run: DemoRun) -> dict:
    """Everything the table shows, as plain values."""
    listener = run.listener
    topics = {}
    for topic in OUTPUTS:
        arrivals = sorted(listener.arrivals[topic].values())
        span = arrivals[-1] - arrivals[0] if len(arrivals) > 1 else 0.0
        latencies = listener.latencies_ms(topic)
        p50, p95 = np.percentile(latencies, (50, 95)) if latencies else (None, None)
        # /tf is only published where lengths are metres.
        expected = topic in PER_FRAME or topic == "/diagnostics" or (topic in ODOMETRY and run.expects_odometry)
        topics[topic] = {
            "messages": listener.counts[topic],
            "rate_hz": (len(arrivals) - 1) / span if span else None,
            "latency_p50_ms": p50,
            "latency_p95_ms": p95,
            "expected": expected,
        }
    status = listener.last.get("depth/status")
    figures = {
        "bag": run.bag,
        "checkpoint": run.checkpoint,
        "frames_in": run.image_count,
        "frames_seen_by_client": listener.counts[listener.input_topic],
        "topics": topics,
        "node": {},
        "depth_error": None,
    }
    if status is not None:
        names = ("engine", "device", "scale", "scale_source", "frames_received", "frames_processed", "frames_replaced")
        names += ("frames_duplicate", "frames_invalid", "frames_uncalibrated", "frames_failed", "odometry_state")
        names += ("min_depth", "median_depth", "max_depth", "valid_ratio")
        names += tuple(f"latency_{stage}_ms" for stage in ("decode", "inference", "publish"))
        figures["node"] = {name: getattr(status, name) for name in names}
    metrics = depth_error(run)
    if metrics is not None:
        scaling = "none" if run.header.is_metric else "median"
        figures["depth_error"] = {"scaling": scaling, **asdict(metrics)}
    return figures


def format_table(figures: dict) -> str:
    """The figures for people."""

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
            f"engine      {node['engine']} on {node['device']}: decode {node['latency_decode_ms']:.1f} ms, networks "
            f"{node['latency_inference_ms']:.1f} ms, publish {node['latency_publish_ms']:.1f} ms (last frame)",
            f"depth       {node['min_depth']:.2f} to {node['max_depth']:.2f}, median {node['median_depth']:.2f} "
            f"{'network units' if node['scale_source'] == 0 else 'm'}; "
            f"{100 * node['valid_ratio']:.0f} % of the pixels (last frame)",
        ]
    error = figures["depth_error"]
    if error is None:
        lines.append("depth error not measured: the recording has no ground-truth depth")
    else:
        lines.append(
            f"depth error abs_rel {error['abs_rel']:.3f}, rmse {error['rmse']:.2f} m, a1 {error['a1']:.3f} "
            f"(scaling: {error['scaling']}, up to 80 m)"
        )
    return "\n".join(lines)


def depth_error(run: DemoRun) -> DepthMetrics | None:
    """Mean error of the kept depth images against the recording's ground truth; None if it has none."""
    if not run.truth_topic:
        return None
    found = []
    with Recording(run.bag) as recording:
        for message in recording.messages([run.truth_topic]):
            truth = recording.deserialize(message)
            stamp_ns = truth.header.stamp.sec * 1_000_000_000 + truth.header.stamp.nanosec
            depth = run.listener.kept.get(stamp_ns, {}).get("depth/image")
            if depth is None:
                continue
            expected, predicted = depth_values(truth), depth_values(depth)
            if expected.shape != predicted.shape:
                with np.errstate(divide="ignore"):
                    inverse = cv2.resize(1.0 / predicted, expected.shape[::-1], interpolation=cv2.INTER_LINEAR)
                    predicted = 1.0 / inverse
            scaling = "none" if run.header.is_metric else "median"
            found.append(evaluate_depth(expected, predicted, crop="none", scaling=scaling))
    return mean_metrics(found) if found else None


def depth_values(message) -> np.ndarray:
    """Depth [m] of a 32FC1 or 16UC1 image message, float32 (H, W)."""
    dtype = np.float32 if message.encoding == "32FC1" else np.uint16
    rows = np.frombuffer(message.data, np.uint8).reshape(message.height, message.step)
    values = rows[:, : message.width * np.dtype(dtype).itemsize].copy().view(dtype)
    return values if dtype is np.float32 else values.astype(np.float32) / 1000.0


def sheet_rows(run: DemoRun) -> list[list[np.ndarray]]:
    """A row of pictures for each of a few frames spread over the run: input, depth, cloud from above and the side."""
    complete = [stamp for stamp, messages in sorted(run.listener.kept.items()) if "depth/points" in messages]
    picks = [complete[i] for i in np.unique(np.linspace(0, len(complete) - 1, SHEET_ROWS).astype(int))] if complete else []
    rows = []
    start = min(run.listener.arrivals[run.listener.input_topic], default=0)
    for stamp in picks:
        messages = run.listener.kept[stamp]
        source = messages[run.listener.input_topic]
        pixels = decode_image(source) if hasattr(source, "encoding") else decode_compressed(source)
        row = [labelled(to_rgb(pixels.array, pixels.layout)[..., ::-1], f"input, {(stamp - start) * 1e-9:.2f} s")]
        if "depth/color" in messages:
            color = decode_image(messages["depth/color"]).array
            row.append(labelled(color, "depth (near is bright)"))
        points, colors = cloud_arrays(messages["depth/points"])
        if run.header.is_metric or not len(points):
            extent = CloudExtent()
        else:  # network units have no known size: the picture shows what there is
            unit = float(np.percentile(points[:, 0], 90)) / 40.0
            points = points / unit
            extent = CloudExtent(unit=f"x {unit:.2g} network units")
        row += [cloud_from_above(points, colors, extent), cloud_from_side(points, colors, extent)]
        rows.append(row)
    path = run.listener.last.get("path")
    if path is not None and len(path.poses) > 1:
        positions = np.array([(p.pose.position.x, p.pose.position.y, p.pose.position.z) for p in path.poses])
        rows.append([trajectory_from_above(positions)])
    return rows


def cloud_arrays(cloud: PointCloud2) -> tuple[np.ndarray, np.ndarray]:
    """Finite points (N, 3) in body axes (x forward, y left, z up, origin at the camera) and their rgb (N, 3)."""
    values = np.frombuffer(cloud.data, CLOUD_DTYPE)
    values = values[np.isfinite(values["z"])]
    optical = np.stack((values["x"], values["y"], values["z"]), axis=-1).astype(np.float64)
    packed = values["rgb"].view(np.uint32)
    colors = np.stack((packed >> 16, packed >> 8, packed), axis=-1).astype(np.uint8)
    return optical @ R_BODY_OPTICAL.T, colors
