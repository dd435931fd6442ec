# SPDX-License-Identifier: Apache-2.0
"""The cloud of a whole run: points of many frames in the odometry's frame, one per voxel."""

from pathlib import Path

import numpy as np

from monodepth_ros.geometry.motion import R_BODY_OPTICAL, make_transform, rotation_to_axis_angle
from monodepth_ros.odometry.visual_odometry import OdometryEstimate, TrackingState
from monodepth_ros.output_file import write_file

# A frame is added if the camera has moved or turned this far since the last added frame.
STEP_VOXELS = 5.0
STEP_ANGLE = np.radians(5.0)
# Points further from the camera are left out: the error of a depth grows with its square.
RANGE_VOXELS = 250.0
# Points in the map before voxels become larger, and points that may wait to be merged.
MAX_POINTS = 2_000_000
MERGE_FROM = 1_000_000

PLY_DTYPE = np.dtype([("x", "<f4"), ("y", "<f4"), ("z", "<f4"), ("red", "u1"), ("green", "u1"), ("blue", "u1")])


class CloudMap:
    """Merges the clouds along the longest trajectory; without odometry it keeps the last cloud.

    voxel: edge length in the depth's unit. T_odom_start: (4, 4), the camera's pose in the odom frame at the start of
    the trajectory, optical axes.
    """

    def __init__(self, voxel: float, T_odom_start: np.ndarray):
        self.voxel = voxel
        self._first_voxel = voxel
        self._T_odom_start = T_odom_start
        self._best: tuple[np.ndarray, int, float] | None = None
        self._single: np.ndarray | None = None
        self._begin()

    def _begin(self) -> None:
        self._parts: list[np.ndarray] = []
        self._waiting = 0
        self._count = 0
        self._last: np.ndarray | None = None
        self.voxel = self._first_voxel

    def add(self, cloud: np.ndarray, estimate: OdometryEstimate | None) -> None:
        """Add the cloud (h, w) of a frame, CLOUD_DTYPE in the optical frame, and the camera's pose, None if unknown."""
        if estimate is None:
            self._single = cloud
            return
        if estimate.has_reset:
            self._finish_segment()
        T = self._T_odom_start @ estimate.T_start_camera
        if estimate.state is TrackingState.LOST or not self._has_moved(T):
            return
        self._last = T
        self._count += 1
        with np.errstate(invalid="ignore"):
            near = cloud[cloud["z"] < RANGE_VOXELS * self._first_voxel]
        self._parts.append(thinned(placed(near, T), self.voxel))
        self._waiting += len(self._parts[-1])
        if self._waiting > MERGE_FROM:
            self._merge()

    def result(self) -> tuple[np.ndarray, str, int]:
        """Points (N,) of PLY_DTYPE, the name of their frame, and the number of frames they come from."""
        self._finish_segment()
        if self._best is not None:
            points, count, self.voxel = self._best
            return points, "odometry frame", count
        if self._single is None:
            return np.empty(0, PLY_DTYPE), "", 0
        body = make_transform(R_BODY_OPTICAL, np.zeros(3))
        return placed(self._single, body), "camera, x forward, y left, z up", 1

    def _has_moved(self, T: np.ndarray) -> bool:
        if self._last is None:
            return True
        moved = np.linalg.norm(T[:3, 3] - self._last[:3, 3])
        turned = np.linalg.norm(rotation_to_axis_angle(self._last[:3, :3].T @ T[:3, :3]))
        return bool(moved >= STEP_VOXELS * self.voxel or turned >= STEP_ANGLE)

    def _merge(self) -> None:
        points = thinned(np.concatenate(self._parts), self.voxel)
        while len(points) > MAX_POINTS:
            self.voxel *= 1.5
            points = thinned(points, self.voxel)
        self._parts, self._waiting = [points], 0

    def _finish_segment(self) -> None:
        if self._parts:
            self._merge()
            if self._best is None or self._count > self._best[1]:
                self._best = self._parts[0], self._count, self.voxel
        self._begin()


def placed(cloud: np.ndarray, T: np.ndarray) -> np.ndarray:
    """The finite points of a cloud of CLOUD_DTYPE, transformed by T (4, 4), as PLY_DTYPE (N,)."""
    values = cloud.reshape(-1)
    values = values[np.isfinite(values["z"])]
    points = np.stack((values["x"], values["y"], values["z"]), axis=-1).astype(np.float64)
    points = points @ T[:3, :3].T + T[:3, 3]
    packed = np.ascontiguousarray(values["rgb"]).view(np.uint32)
    result = np.empty(len(values), PLY_DTYPE)
    for axis, name in enumerate("xyz"):
        result[name] = points[:, axis]
    for shift, name in ((16, "red"), (8, "green"), (0, "blue")):
        result[name] = (packed >> shift) & 255
    return result


def thinned(points: np.ndarray, voxel: float) -> np.ndarray:
    """The first point in each voxel of this size."""
    if len(points) == 0:
        return points
    cells = np.stack([np.floor(points[name] / voxel).astype(np.int64) for name in "xyz"])
    cells -= cells.min(axis=1, keepdims=True)
    sizes = cells.max(axis=1) + 1
    keys = (cells[0] * sizes[1] + cells[1]) * sizes[2] + cells[2]
    _, first = np.unique(keys, return_index=True)
    return points[np.sort(first)]


def write_ply(path: Path, points: np.ndarray, comment: str) -> None:
    """Write points (N,) of PLY_DTYPE as binary little-endian PLY. Raises MonodepthError if the disk is full or gone."""
    kinds = {"f4": "float", "u1": "uchar"}
    lines = ["ply", "format binary_little_endian 1.0", f"comment {comment}", f"element vertex {len(points)}"]
    lines += [f"property {kinds[points.dtype[name].str[1:]]} {name}" for name in points.dtype.names]
    head = ("\n".join([*lines, "end_header"]) + "\n").encode("ascii", "replace")
    write_file(path, head + points.tobytes())
