# SPDX-License-Identifier: Apache-2.0
"""A run in Rerun: camera, image, depth, cloud and trajectory in a z-up world, in its viewer or in a .rrd file."""

import os
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import cv2
import numpy as np

from monodepth_ros.errors import MonodepthError, one_line
from monodepth_ros.odometry.visual_odometry import TrackingState
from monodepth_ros.offline.frames import RunFrame
from monodepth_ros.offline.results.depth_files import in_units
from monodepth_ros.offline.viewers.viewer import RunViewer
from monodepth_ros.pipeline.moving_frame import T_ODOM_START, MovingFrame
from monodepth_ros.pipeline.point_cloud import known_points

MISSING = "--rerun needs Rerun's library: pip install rerun-sdk"
NO_DISPLAY = "--rerun opens Rerun's viewer, and there is no display: write a file instead, such as --rerun run.rrd"
WORLD, CAMERA, LENS = "world", "world/camera", "world/camera/lens"
IMAGE, DEPTH, CLOUD = f"{LENS}/image", f"{LENS}/depth", f"{CAMERA}/cloud"
TRAJECTORY = "world/trajectory"
SPEED, MEDIAN_DEPTH, TIME = "plots/speed", "plots/median_depth", "plots/time_per_frame"
EARLIEST_DATE_NS = 10**17  # stamps before (1973) count from the start of a film
QUALITY = 85  # of the JPEG images
COLORED_MEDIANS = 3.0  # depth at the end of the colours, in median depths of the frame


class RerunLog(RunViewer):
    """Logs each frame. path: a new .rrd file, or None to open the viewer. unit: of the run's lengths. replace: an
    existing file.

    World axes are those of odom (x forward, y left, z up), camera axes are optical (x right, y down, z forward). Raises
    MonodepthError without rerun-sdk, without a display for the viewer, and for a file that cannot be written.
    """

    def __init__(self, path: Path | None, title: str, moving_frame: MovingFrame, unit: str, replace: bool = False):
        self._rr = load_rerun()
        if path is None and not (os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")):
            raise MonodepthError(NO_DISPLAY)
        if path is not None and path.exists() and not replace:
            raise MonodepthError(f"{path} exists already: choose another name, or --force to replace it")
        if path is not None and not path.resolve().parent.is_dir():
            raise MonodepthError(f"{path} cannot be written: {path.resolve().parent} is no folder")
        self._moving_frame = moving_frame
        self._stream = stream = self._rr.RecordingStream("monodepth")
        stream.send_recording_name(title)
        blueprint = _blueprint(unit)
        if path is None:
            stream.spawn(default_blueprint=blueprint)
        else:
            stream.save(path, default_blueprint=blueprint)
        stream.log(WORLD, self._rr.ViewCoordinates.RIGHT_HAND_Z_UP, static=True)
        stream.log("about", self._rr.TextDocument(f"{title}\n\nlengths in {unit}"), static=True)
        self._count = 0
        self._lens: tuple = ()
        self._position: np.ndarray | None = None

    def show(self, frame: RunFrame, should_stop: Callable[[], bool]) -> bool:
        self._set_time(frame)
        self._log_pose(frame)
        self._log_pictures(frame)
        self._log_curves(frame)
        self._count += 1
        return True

    def close(self) -> None:
        self._stream.flush()
        self._stream.disconnect()

    def _set_time(self, frame: RunFrame) -> None:
        self._stream.set_time("frame", sequence=self._count)
        stamp_ns = frame.source.stamp_ns
        if stamp_ns >= EARLIEST_DATE_NS:
            self._stream.set_time("time", timestamp=np.datetime64(stamp_ns, "ns"))
        else:
            self._stream.set_time("time", duration=np.timedelta64(stamp_ns, "ns"))

    def _log_pose(self, frame: RunFrame) -> None:
        rr, estimate = self._rr, frame.result.odometry
        # Without odometry the camera stays in the middle, upright.
        T = T_ODOM_START if estimate is None else self._moving_frame.T_odom_camera(estimate)
        self._stream.log(CAMERA, rr.Transform3D(translation=T[:3, 3], mat3x3=T[:3, :3]))
        if estimate is None:
            return
        if self._position is not None and not estimate.has_reset:
            strip = np.stack((self._position, T[:3, 3]))
            self._stream.log(TRAJECTORY, rr.LineStrips3D([strip], colors=[255, 200, 80]))
        self._position = T[:3, 3]

    def _log_pictures(self, frame: RunFrame) -> None:
        rr, result = self._rr, frame.result
        camera = result.camera
        lens = camera.fx, camera.fy, camera.cx, camera.cy, camera.width, camera.height
        if lens != self._lens:  # a changed lens holds from here on
            self._lens = lens
            # Rerun counts pixels from the corner of the image, where this package counts from the first centre.
            pinhole = rr.Pinhole(
                focal_length=(camera.fx, camera.fy),
                principal_point=(camera.cx + 0.5, camera.cy + 0.5),
                width=camera.width,
                height=camera.height,
                camera_xyz=rr.ViewCoordinates.RDF,
                image_plane_distance=1.0,
            )
            self._stream.log(LENS, pinhole)
        bgr = cv2.cvtColor(result.rectified, cv2.COLOR_RGB2BGR)
        data = cv2.imencode(".jpg", bgr, [cv2.IMWRITE_JPEG_QUALITY, QUALITY])[1].tobytes()
        self._stream.log(IMAGE, rr.EncodedImage(contents=data, media_type="image/jpeg"))
        depth = in_units(result.depth)
        known = np.where(np.isfinite(depth), depth, np.float32(0))  # 0 is Rerun's sign for no depth
        middle = float(np.median(known[known > 0])) if (known > 0).any() else 1.0
        # A few far pixels would leave one colour for all the rest.
        self._stream.log(DEPTH, rr.DepthImage(known, meter=1.0, depth_range=(0.0, COLORED_MEDIANS * middle)))
        if result.cloud is not None:
            positions, colors = known_points(result.cloud)
            self._stream.log(CLOUD, rr.Points3D(positions, colors=colors, radii=rr.Radius.ui_points(1.5)))

    def _log_curves(self, frame: RunFrame) -> None:
        rr, result, estimate = self._rr, frame.result, frame.result.odometry
        values = {TIME: sum(result.milliseconds.values())}
        if result.statistics is not None:
            values[MEDIAN_DEPTH] = result.statistics.median
        if estimate is not None and estimate.state is TrackingState.TRACKING:
            values[SPEED] = float(np.linalg.norm(estimate.twist[:3]))
        for name, value in values.items():
            if np.isfinite(value):
                self._stream.log(name, rr.Scalars(value))


def load_rerun() -> ModuleType:
    """The module rerun; MonodepthError if it is not installed."""
    try:
        import rerun  # noqa: PLC0415 - optional
    except ImportError as error:
        raise MonodepthError(f"{MISSING} ({one_line(error)})") from None
    return rerun


def _blueprint(unit: str) -> Any:
    """The layout of the viewer: the world beside the pictures and curves."""
    import rerun.blueprint as rrb  # noqa: PLC0415 - optional

    # Every frame logs one piece of the trajectory: show all of them up to now.
    begin, now = rrb.TimeRangeBoundary.infinite(), rrb.TimeRangeBoundary.cursor_relative()
    until_now = rrb.VisibleTimeRanges([rrb.VisibleTimeRange(name, start=begin, end=now) for name in ("frame", "time")])
    world = rrb.Spatial3DView(
        origin=f"/{WORLD}",
        name=f"world [{unit}]",
        contents=["$origin/**", f"- /{DEPTH}"],  # the cloud is the same points
        overrides={TRAJECTORY: until_now},
    )
    pictures = (
        rrb.Spatial2DView(origin=f"/{LENS}", name="image", contents=[f"/{IMAGE}"]),
        rrb.Spatial2DView(origin=f"/{LENS}", name=f"depth [{unit}]", contents=[f"/{DEPTH}"]),
        rrb.TimeSeriesView(origin=f"/{SPEED}", name=f"speed [{unit}/s]"),
        rrb.TimeSeriesView(origin=f"/{MEDIAN_DEPTH}", name=f"median depth [{unit}]"),
    )
    layout = rrb.Horizontal(world, rrb.Vertical(*pictures, row_shares=[3, 3, 2, 2]), column_shares=[3, 2])
    return rrb.Blueprint(layout, rrb.TimePanel(state="collapsed"), rrb.SelectionPanel(state="collapsed"))
