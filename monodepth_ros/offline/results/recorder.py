# SPDX-License-Identifier: Apache-2.0
"""The results of a run, gathered frame by frame."""

import csv
import io
import json
import math
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from monodepth_ros.data.sources.source import FrameSource
from monodepth_ros.errors import MonodepthError
from monodepth_ros.output_file import write_file
from monodepth_ros.evaluation.depth_in_camera import DepthInCamera
from monodepth_ros.evaluation.depth_metrics import DepthMetrics, EvaluationError, evaluate_depth, mean_metrics
from monodepth_ros.offline.results.cloud_map import CloudMap, write_ply
from monodepth_ros.offline.results.depth_files import DepthFiles, in_units
from monodepth_ros.offline.results.depth_video import DepthVideo
from monodepth_ros.offline.results.frame_pictures import FramePictures, PictureSampler, pictures_of
from monodepth_ros.offline.results.trajectory_record import TrajectoryRecord
from monodepth_ros.odometry.scale.source import NETWORK_UNITS, ScaleEstimate
from monodepth_ros.odometry.visual_odometry import TrackingState
from monodepth_ros.pipeline.depth_image import DepthStatistics, depth_statistics
from monodepth_ros.offline.frames import RunFrame
from monodepth_ros.pipeline.moving_frame import MovingFrame

MAX_DEPTH = 80.0  # metres, as in published tables
VOXEL = 0.1  # metres
VOXELS_PER_MEDIAN = 150.0  # voxels per median depth of the first frame, without metres


class RunRecorder:
    """Writes depth and video with each frame, and the other results at the end. problem: the first result that could not
    be written.

    depth: png, npz or none (see DepthFiles). rows: the table frames.csv, one row per frame. unit: 'm' or 'network
    units'.
    """

    def __init__(
        self,
        folder: Path,
        source: FrameSource,
        moving_frame: MovingFrame,
        is_metric: bool,
        depth: str,
        video: bool,
    ):
        self.folder = folder
        self.is_metric = is_metric
        self.unit = "m" if is_metric else NETWORK_UNITS
        self.trajectory = TrajectoryRecord()
        self.pictures = PictureSampler()
        self.depth_metrics: list[DepthMetrics] = []
        self.rows: list[dict[str, Any]] = []
        self.cloud_points = np.empty(0)
        self.cloud_text = ""
        self.scale_text = ""
        self.views: list[str] = []
        self.problem: MonodepthError | None = None
        self._source = source
        self._moving_frame = moving_frame
        self._depth_files = DepthFiles(folder / "depth", depth, self.unit)
        self._video = DepthVideo(folder) if video else None
        self._cloud: CloudMap | None = None
        self._comparison: tuple[tuple, DepthInCamera] | None = None
        self._last_scale: ScaleEstimate | None = None

    def add(self, frame: RunFrame) -> None:
        """Add a frame, whose Demand must have asked for every output but the pictures of ground and correspondences."""
        result = frame.result
        depth = in_units(result.depth)
        index = len(self.rows)
        statistics = depth_statistics(depth)
        metrics, seen = self._compare(frame, depth)
        self._depth_files.write(frame.source.name, depth)
        if self._video is not None:
            self._video.add(frame, depth)
        if result.has_new_view:
            camera = result.view.image_camera
            text = f"{camera.width}x{camera.height}: {result.view.summary}"
            if text not in self.views:
                self.views.append(text)
        self._add_to_cloud(frame, index, statistics)
        if result.odometry is not None:
            self.trajectory.add(result.odometry, frame.moving, frame.source.T_world_camera)
        self.rows.append(self._row(frame, statistics, metrics))
        if self.pictures.wants(index):
            # Network units are scaled as in the metrics.
            factor = 1.0 if self.is_metric or metrics is None else np.float32(metrics.scale_ratio)
            truth, there = frame.source.reference_depth, None if seen is None else seen * factor
            unit = result.unit if factor == 1.0 else "m, scaled to the ground truth"
            pictures = pictures_of(result.rectified, depth * factor, unit, truth, there)
            self.pictures.add(index, FramePictures(frame.source.name, self.seconds[-1], pictures))

    def finish(self) -> None:
        """Finish the video, and write table, metrics, trajectory and cloud, each as far as it is possible."""
        if self._video is not None:
            self.attempt(self._video.close)
        self.scale_text = self._scale_in_words()
        if self._cloud is not None:
            points, frame, count = self._cloud.result()
            if len(points):
                thinned = f", one per voxel of {self._cloud.voxel:.3g} {self.unit}" if count > 1 else ""
                frames = "1 frame" if count == 1 else f"{count} frames"
                self.cloud_points = points
                self.cloud_text = f"{len(points)} points of {frames}{thinned}, in {self.unit}; {frame}"
        self.attempt(self._write_table)
        metrics = self.metrics()
        if metrics:
            text = json.dumps(without_nan(metrics), indent=2)
            self.attempt(lambda: write_file(self.folder / "metrics.json", text + "\n"))
        self.attempt(lambda: self.trajectory.write(self.folder))

    def finish_cloud(self) -> None:
        """Write the cloud, the largest file, after all others."""
        if len(self.cloud_points):
            self.attempt(lambda: write_ply(self.folder / "cloud.ply", self.cloud_points, self.cloud_text))

    def attempt(self, write: Callable[[], object]) -> None:
        """Write one result. If it cannot be written, the others are all the same, and `problem` keeps why."""
        try:
            write()
        except MonodepthError as error:
            self.problem = self.problem or error

    @property
    def video(self) -> Path | None:
        """The video, if a page may embed it."""
        return self._video.path if self._video is not None and self._video.plays_in_browsers else None

    @property
    def seconds(self) -> list[float]:
        """Time of each frame since the first [s]."""
        return [row["stamp"] - self.rows[0]["stamp"] for row in self.rows]

    def metrics(self) -> dict[str, Any]:
        """Errors against the source's ground truth and reference poses; empty without both."""
        found: dict[str, Any] = {}
        if self.depth_metrics:
            found["depth"] = {
                "frames": len(self.depth_metrics),
                "scaling": "none" if self.is_metric else "median",
                "crop": self._source.reference_crop,
                "max_depth": MAX_DEPTH,
                **asdict(mean_metrics(self.depth_metrics)),
            }
        trajectory = self.trajectory.metrics(self.is_metric)
        if trajectory is not None:
            scaling = "none" if self.is_metric else "length"
            found["trajectory"] = {
                "scaling": scaling,
                "parts": len(self.trajectory.parts),
                **asdict(trajectory),
            }
        return found

    def _compare(self, frame: RunFrame, depth: np.ndarray) -> tuple[DepthMetrics | None, np.ndarray | None]:
        """The errors of a frame, and its depth at the pixels of the ground truth."""
        truth, camera = frame.source.reference_depth, frame.source.camera.assumed()
        if truth is None:
            return None, None
        if (camera.height, camera.width) != truth.shape:
            camera = camera.resized(*truth.shape[::-1])
        key = frame.result.camera.key, camera.key
        if self._comparison is None or self._comparison[0] != key:
            self._comparison = key, DepthInCamera(frame.result.camera, camera)
        seen = self._comparison[1](depth)
        try:
            scaling = "none" if self.is_metric else "median"
            crop = self._source.reference_crop
            metrics = evaluate_depth(truth, seen, max_depth=MAX_DEPTH, crop=crop, scaling=scaling)
        except EvaluationError:  # no pixel of this frame can be compared
            return None, seen
        self.depth_metrics.append(metrics)
        return metrics, seen

    def _add_to_cloud(self, frame: RunFrame, index: int, statistics: DepthStatistics) -> None:
        result = frame.result
        if result.cloud is None:
            return
        if self._cloud is None:
            median = statistics.median if math.isfinite(statistics.median) else 1.0
            voxel = VOXEL if self.is_metric else median / VOXELS_PER_MEDIAN
            self._cloud = CloudMap(voxel, self._moving_frame.T_odom_start)
        # Without odometry, one frame makes the cloud: the one in the middle.
        count = self._source.frame_count
        if result.odometry is not None or count is None or index <= count // 2:
            self._cloud.add(result.cloud, result.odometry)

    def _scale_in_words(self) -> str:
        """A measured scale over the run, in words; '' for a stated one."""
        measured = [row for row in self.rows if row["scale_state"] != "stated"]
        if not measured:
            return ""
        known = np.array([row["scale"] for row in measured if math.isfinite(row["scale"])])
        last = self._last_scale.description
        if not len(known):
            return f"never known: {last}"
        low, middle, high = np.percentile(known, [10, 50, 90])
        return (
            f"{middle:.4g} m per network unit in the middle, {low:.4g} to {high:.4g} in 8 of 10 frames, unknown in "
            f"{len(measured) - len(known)} of {len(self.rows)}; at the end {last}"
        )

    def _row(self, frame: RunFrame, statistics: DepthStatistics, metrics: DepthMetrics | None) -> dict[str, Any]:
        result, estimate = frame.result, frame.result.odometry
        self._last_scale = result.scale
        speed = float("nan")
        if estimate is not None and estimate.state is TrackingState.TRACKING:
            speed = float(np.linalg.norm(estimate.twist[:3]))
        return {
            "name": frame.source.name,
            "stamp": frame.source.stamp_ns * 1e-9,
            "median_depth": statistics.median,
            "min_depth": statistics.minimum,
            "max_depth": statistics.maximum,
            "valid_ratio": statistics.valid_ratio,
            "scale": result.scale.factor,
            "scale_uncertainty": result.scale.uncertainty,
            "scale_source": result.scale.kind.name.lower(),
            "scale_state": result.scale.state.name.lower(),
            "abs_rel": metrics.abs_rel if metrics else float("nan"),
            "odometry": estimate.state.name.lower() if estimate else "none",
            "speed": speed,
            "milliseconds": sum(result.milliseconds.values()),
        }

    def _write_table(self) -> None:
        if not self.rows:
            return
        text = io.StringIO(newline="")
        table = csv.DictWriter(text, self.rows[0])
        table.writeheader()
        for row in self.rows:
            table.writerow(
                {k: f"{v:.9f}" if k == "stamp" else f"{v:.6g}" if isinstance(v, float) else v for k, v in row.items()}
            )
        write_file(self.folder / "frames.csv", text.getvalue())


def without_nan(content: Any) -> Any:
    """The same content, with None for numbers that JSON cannot represent."""
    if isinstance(content, dict):
        return {name: without_nan(value) for name, value in content.items()}
    if isinstance(content, float) and not math.isfinite(content):
        return None
    return content
