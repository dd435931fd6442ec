# SPDX-License-Identifier: Apache-2.0
"""report.html: one file with pictures and curves, which opens from disk."""

from monodepth_ros.errors import MonodepthError
from monodepth_ros.output_file import write_file
from monodepth_ros.pictures.html_page import html_page
import base64
import math
from collections.abc import Sequence
from html import escape
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from monodepth_ros.foreign_text import safe_line
from monodepth_ros.pictures.cloud_picture import CloudExtent, cloud_in_perspective
from monodepth_ros.offline.results.frame_pictures import FramePictures
from monodepth_ros.pictures.map_picture import map_picture
from monodepth_ros.offline.results.recorder import RunRecorder
from monodepth_ros.pictures.svg_chart import Curve, svg_chart
from monodepth_ros.offline.results.trajectory_record import TrajectoryPart
from monodepth_ros.geometry.motion import invert
from monodepth_ros.pipeline.moving_frame import MovingFrame

_STYLE = """
body { font: 14px/1.45 system-ui, sans-serif; color: #222; max-width: 1240px; margin: 2em auto; padding: 0 1em; }
h1 { font-size: 1.4em; margin-bottom: .2em; }
h2 { font-size: 1.1em; margin: 1.6em 0 .5em; }
table { border-collapse: collapse; }
td { padding: .2em .9em .2em 0; text-align: left; vertical-align: top; }
.facts td:first-child { color: #666; white-space: nowrap; }
.row { display: flex; gap: 6px; margin: 0 0 10px; }
.row figure { margin: 0; flex: 1 1 0; min-width: 0; }
figure img { width: 100%; display: block; }
figcaption { color: #666; font-size: 12px; }
.charts { display: flex; flex-wrap: wrap; gap: 16px; }
.note { color: #8a4b00; }
img.map, video { max-width: 100%; }
"""
_DEPTH_ROWS = (
    ("abs_rel", "absolute relative error", "", 4), ("sq_rel", "squared relative error", "m", 3),
    ("rmse", "RMSE", "m", 3), ("rmse_log", "RMSE of the logarithm", "", 4),
    ("a1", "within a factor of 1.25", "", 4), ("a2", "within 1.25²", "", 4), ("a3", "within 1.25³", "", 4),
    ("scale_ratio", "median ground truth / median depth, before scaling", "", 3),
    ("coverage", "share of the ground-truth pixels with a depth", "", 3),
)  # fmt: skip
_TRAJECTORY_ROWS = (
    ("path_length", "length of the reference path", "m", 2),
    ("scale_ratio", "length of the reference / length of the estimate, before scaling", "", 3),
    ("drift", "distance between the ends / length, first poses aligned", "", 4),
    ("rotation_drift", "angle between the ends / length, first poses aligned", "°/m", 4),
    ("ate_rmse", "ATE (RMSE, alignment 6dof)", "m", 3),
    ("step_translation_rmse", "RPE of the translation over one frame (RMSE)", "m", 4),
    ("step_rotation_rmse", "RPE of the rotation over one frame (RMSE)", "°", 4),
)  # fmt: skip


def write_report(
    path: Path,
    title: str,
    facts: Sequence[tuple[str, str]],
    notes: Sequence[str],
    run: RunRecorder,
    moving_frame: MovingFrame,
) -> None:
    """Write the page, without its pictures if a full disk has no room for them.

    facts: names and values of the table at its head; notes: messages below the table.

    Raises MonodepthError if the page, or one of its pictures, cannot be written.
    """
    words = [_table(facts), *(f'<p class="note">{escape(safe_line(note))}</p>' for note in notes), _errors(run.metrics())]
    curves = _curves(run, moving_frame)
    parts = [*words, _video(run.video), _frames(run.pictures.chosen()), curves, _cloud(run)]
    try:
        write_file(path, html_page(title, _STYLE, "\n".join(part for part in parts if part)))
    except MonodepthError:
        write_file(path, html_page(title, _STYLE, "\n".join([*words, curves])))
        raise


def _table(facts: Sequence[tuple[str, str]]) -> str:
    rows = "".join(f"<tr><td>{escape(name)}</td><td>{escape(safe_line(value))}</td></tr>" for name, value in facts)
    return f'<table class="facts">{rows}</table>'


def _errors(metrics: dict[str, Any]) -> str:
    parts = []
    for kind, heading, rows in (
        ("depth", "Depth error against ground truth", _DEPTH_ROWS),
        ("trajectory", "Odometry error against the reference", _TRAJECTORY_ROWS),
    ):
        if kind not in metrics:
            continue
        found = metrics[kind]
        if kind == "depth":
            how = f"up to {found['max_depth']:g} m, crop {found['crop']}, scaling {found['scaling']}"
        else:
            how = f"scaling {found['scaling']}" + (", the longest part" if found["parts"] > 1 else "")
        lines = "".join(
            f"<tr><td>{name}</td><td>{meaning}</td><td>{_number(found[name], digits)} {unit}</td></tr>"
            for name, meaning, unit, digits in rows
        )
        parts.append(f"<h2>{heading} ({found['frames']} frames, {how})</h2><table>{lines}</table>")
    return "".join(parts)


def _video(path: Path | None) -> str:
    if path is None:
        return ""
    name = escape(path.name)
    return (
        f'<h2>Video</h2><video src="{name}" controls loop muted preload="metadata"></video>'
        f"<p>{name}, beside this page. The colours follow the frames slowly; the bar has their depths.</p>"
    )


def _frames(chosen: Sequence[FramePictures]) -> str:
    if not chosen:
        return ""
    rows = []
    for frame in chosen:
        figures = "".join(
            f'<figure><img alt="{name}" src="{_data(picture)}"><figcaption>{name}</figcaption></figure>'
            for name, picture in frame.pictures.items()
        )
        rows.append(f"<div>{escape(frame.name)}, {frame.seconds:.2f} s</div><div class=row>{figures}</div>")
    legend = "Depth: bright is near."
    if any("ground truth" in frame.pictures for frame in chosen):
        legend += (
            " Ground truth: in the colours of the depth. Relative error: from blue (0) to dark red (50 % and"
            " more); grey or black if there is nothing to compare."
        )
    return f"<h2>Frames</h2><p>{legend}</p>" + "".join(rows)


def _curves(run: RunRecorder, moving_frame: MovingFrame) -> str:
    seconds = run.seconds
    time, unit = "time [s]", run.unit

    def column(name: str) -> list[float]:
        return [row[name] for row in run.rows]

    charts = [
        _trajectory_chart(run.trajectory.longest, moving_frame, unit, run.is_metric),
        svg_chart("Median depth", time, unit, [Curve("depth", seconds, column("median_depth"))]),
        svg_chart("Absolute relative error", time, "abs_rel", [Curve("error", seconds, column("abs_rel"))]),
        _speed_chart(run, seconds, unit),
        svg_chart(
            "Time per frame (preprocess, networks, outputs)",
            time,
            "ms",
            [Curve("ms", seconds, column("milliseconds"))],
        ),
    ]
    return f'<h2>Curves</h2><div class="charts">{"".join(chart for chart in charts if chart)}</div>'


def _speed_chart(run: RunRecorder, seconds: list[float], unit: str) -> str:
    curves = [Curve("odometry", seconds, [row["speed"] for row in run.rows])]
    part = run.trajectory.longest
    if run.is_metric and len(part) > 1 and all(T is not None for T in part.T_world_camera):
        positions = np.array([T[:3, 3] for T in part.T_world_camera])
        times = np.array(part.stamps_ns) * 1e-9
        steps = np.linalg.norm(np.diff(positions, axis=0), axis=1) / np.diff(times)
        curves.append(Curve("reference", times[1:] - run.rows[0]["stamp"], steps))
    return svg_chart("Speed of the camera", "time [s]", f"{unit}/s", curves)


def _trajectory_chart(part: TrajectoryPart, moving_frame: MovingFrame, unit: str, is_metric: bool) -> str:
    if len(part) < 2:
        return ""
    estimated = np.array([(moving_frame.T_odom_start @ T)[:3, 3] for T in part.T_start_camera])
    curves = [Curve("odometry", estimated[:, 0], estimated[:, 1])]
    reference = part.T_world_camera
    if is_metric and reference[0] is not None:
        placed = [
            np.full(3, np.nan) if T is None else (moving_frame.T_odom_start @ invert(reference[0]) @ T)[:3, 3]
            for T in reference
        ]
        curves.append(Curve("reference", *np.array(placed)[:, :2].T))
    return svg_chart("Path of the camera from above", f"x [{unit}]", f"y [{unit}]", curves, height=320, equal=True)


def _cloud(run: RunRecorder) -> str:
    if not len(run.cloud_points):
        return ""
    points = run.cloud_points
    if len(run.trajectory.longest):
        positions = [T[:3, 3] for T in run.trajectory.longest.T_odom_moving]
        picture = map_picture(points, np.array(positions), run.unit)
    else:
        xyz = np.stack([points[name] for name in "xyz"], axis=-1).astype(np.float64)
        colors = np.stack([points[name] for name in ("red", "green", "blue")], axis=-1)
        # Network units have no known size: fit the picture to most of the points.
        unit = 1.0 if run.is_metric else float(np.percentile(xyz[:, 0], 90)) / 40.0
        picture = cloud_in_perspective(xyz / unit, colors, CloudExtent(), 480)
    data = cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, 88])[1].tobytes()
    image = f'<img class=map alt="cloud" src="{_data(data)}">'
    return f"<h2>Cloud (cloud.ply)</h2><p>{escape(run.cloud_text)}</p>{image}"


def _number(value: float, digits: int) -> str:
    return f"{value:.{digits}f}" if math.isfinite(value) else "-"


def _data(picture: bytes) -> str:
    return "data:image/jpeg;base64," + base64.b64encode(picture).decode("ascii")
