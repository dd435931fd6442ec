# SPDX-License-Identifier: Apache-2.0
"""A moving picture of a run for a web page: image above depth, beside them the cloud and the way so far."""

import tempfile
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from monodepth_ros.errors import MonodepthError
from monodepth_ros.geometry.motion import R_BODY_OPTICAL
from monodepth_ros.odometry.scale.source import NETWORK_UNITS
from monodepth_ros.offline.frames import RunFrame
from monodepth_ros.offline.results.depth_files import in_units
from monodepth_ros.output_file import one_line_for
from monodepth_ros.own_outputs import Outputs, marked_picture
from monodepth_ros.pictures.cloud_picture import CloudExtent, cloud_in_perspective
from monodepth_ros.pictures.color_picture import SteadyLimits
from monodepth_ros.pictures.depth_scale import depth_panel
from monodepth_ros.pictures.picture_sheet import GAP, PANEL_HEIGHT, labelled
from monodepth_ros.pictures.trajectory_picture import trajectory_from_above
from monodepth_ros.pipeline.point_cloud import known_points

OPTION = "--animation"
SUFFIXES = (".webp", ".gif", ".png")
MAX_FRAMES = 300  # all frames stay in memory until the file is written
QUALITY = 55  # of a WebP, in percent: no visible loss in the cloud, 25 kB a frame
FALLBACK_STEP_MS = 100


class RunAnimation:
    """Collects a picture for every frame of a run and writes them as one animated .webp, .gif or .png.

    Raises MonodepthError for another suffix, for a folder that cannot be made, for a file of somebody else
    (replace: take its place all the same), and where this OpenCV writes no
    animations (before 4.11).
    """

    def __init__(self, path: Path, is_metric: bool, replace: bool = False):
        if path.suffix.lower() not in SUFFIXES:
            raise MonodepthError(f"an animation called {path.name}: its name must end in {', '.join(SUFFIXES)}")
        with one_line_for(path):
            path.parent.mkdir(parents=True, exist_ok=True)
        self._output = Outputs("run", {OPTION: str(path)}, force=replace)
        if not hasattr(cv2, "imwriteanimation"):
            raise MonodepthError(
                f"OpenCV {cv2.__version__} writes no animations: install opencv-python-headless 4.11 or newer"
            )
        self._path = path
        self._unit = "m" if is_metric else NETWORK_UNITS
        self._pictures: list[np.ndarray] = []
        self._stamps: list[int] = []
        self._positions: list[np.ndarray] = []
        self._limits = SteadyLimits()

    def add(self, frame: RunFrame) -> None:
        """Take over a frame whose rectified image, depth and cloud were computed; MAX_FRAMES at most."""
        result = frame.result
        if len(self._pictures) == MAX_FRAMES or result.rectified is None or result.depth is None:
            return
        if frame.moving is not None:
            self._positions.append(frame.moving.T_odom_base[:3, 3])
        image = labelled(cv2.cvtColor(result.rectified, cv2.COLOR_RGB2BGR), "image")
        depth = in_units(result.depth)
        panel = depth_panel(depth, result.unit, "depth", self._limits.follow(depth))
        left = np.vstack([image, np.zeros((GAP, image.shape[1], 3), np.uint8), panel])
        panels = [left]
        if result.cloud is not None:
            optical, colors = known_points(result.cloud)
            extent = CloudExtent(unit=self._unit)
            panels.append(cloud_in_perspective(optical @ R_BODY_OPTICAL.T, colors, extent, left.shape[0]))
        if self._positions:
            positions = np.array(self._positions)
            panels.append(trajectory_from_above(positions, left.shape[0], PANEL_HEIGHT, unit=self._unit))
        gap = np.zeros((left.shape[0], GAP, 3), np.uint8)
        row = np.hstack([part for panel in panels for part in (panel, gap)][:-1])
        if self._pictures and row.shape != self._pictures[0].shape:  # the camera changed on the way
            height, width = self._pictures[0].shape[:2]
            row = cv2.resize(row, (width, height))
        self._pictures.append(row)
        self._stamps.append(frame.source.stamp_ns)

    def write(self) -> None:
        """Write the file; nothing without frames. MonodepthError if it cannot be written."""
        if not self._pictures:
            return
        steps = np.rint(np.diff(self._stamps) * 1e-6).astype(int)
        steps = np.where(steps > 0, steps, FALLBACK_STEP_MS)
        animation = cv2.Animation()
        animation.frames = self._pictures
        animation.durations = [*steps.tolist(), int(steps[-1]) if len(steps) else FALLBACK_STEP_MS]
        self._output.write(OPTION, marked_picture(_encoded(animation, self._path), "run"))


def _encoded(animation: Any, path: Path) -> bytes:
    """The data of a file with the suffix of `path`."""
    quality = [cv2.IMWRITE_WEBP_QUALITY, QUALITY]
    if hasattr(cv2, "imencodeanimation"):
        return cv2.imencodeanimation(path.suffix.lower(), animation, quality)[1].tobytes()
    # OpenCV 4.11 only writes files.
    with tempfile.TemporaryDirectory() as folder, one_line_for(folder):
        file = Path(folder) / f"animation{path.suffix}"
        if not cv2.imwriteanimation(str(file), animation, quality):
            raise MonodepthError(f"{path} cannot be written: OpenCV cannot write {file}; is there space?")
        return file.read_bytes()
