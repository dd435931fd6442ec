# SPDX-License-Identifier: Apache-2.0
"""Depth of a camera's pixels from a LiDAR's point cloud."""

from typing import Any

import numpy as np

from monodepth_ros.errors import MonodepthError
from monodepth_ros.foreign_text import shown
from monodepth_ros.geometry.camera import CameraModel
from monodepth_ros.limits import LARGEST_POINT_STEP, LARGEST_POSITION, MOST_PIXELS

_FLOATS = {7: np.float32, 8: np.float64}  # sensor_msgs/PointField
NAMED = 20  # fields that a message names


class CloudError(MonodepthError):
    """A point cloud without usable coordinates."""


def cloud_points(cloud: Any) -> np.ndarray:
    """The points (N, 3) float64 of a sensor_msgs/PointCloud2, in its frame, without those that are not finite or
    beyond LARGEST_POSITION.

    Raises CloudError for a cloud without float x, y, z, with sizes that contradict each other, and with missing data.
    """
    fields = {field.name: field for field in cloud.fields}
    _check_layout(cloud, fields)
    if not cloud.width or not cloud.height:
        return np.empty((0, 3))
    order = ">" if cloud.is_bigendian else "<"
    layout = np.dtype(
        {
            "names": list("xyz"),
            "formats": [np.dtype(_FLOATS[fields[name].datatype]).newbyteorder(order) for name in "xyz"],
            "offsets": [fields[name].offset for name in "xyz"],
            "itemsize": cloud.point_step,
        }
    )
    shape, strides = (cloud.height, cloud.width), (cloud.row_step, cloud.point_step)
    points = np.ndarray(shape, layout, np.ascontiguousarray(cloud.data), strides=strides).ravel()
    return plausible_points(np.stack([points[name] for name in "xyz"], axis=1))


def plausible_points(points: np.ndarray) -> np.ndarray:
    """Points (N, 3) of any floating-point type as float64, without those not finite or beyond LARGEST_POSITION."""
    with np.errstate(invalid="ignore"):  # patterns that are no number of float32
        points = points.astype(np.float64)
    return points[(np.abs(points) <= LARGEST_POSITION).all(axis=1)]


def _check_layout(cloud: Any, fields: dict[str, Any]) -> None:
    """Raise CloudError unless x, y and z of every point lie inside of the data."""
    missing = [name for name in "xyz" if name not in fields or fields[name].datatype not in _FLOATS]
    if missing:
        raise CloudError(
            f"a point cloud without float {', '.join(missing)} (its fields: "
            f"{', '.join(shown(name, 40) for name in list(fields)[:NAMED]) or 'none'})"
        )
    size, step, row = f"{cloud.width}x{cloud.height}", cloud.point_step, cloud.row_step
    if cloud.width * cloud.height > MOST_PIXELS:
        raise CloudError(f"a point cloud of {size} points, expected at most {MOST_PIXELS}")
    ends = [fields[name].offset + np.dtype(_FLOATS[fields[name].datatype]).itemsize for name in "xyz"]
    if not max(ends) <= step <= LARGEST_POINT_STEP:
        raise CloudError(
            f"a point cloud with point_step {step}, expected {max(ends)} (the end of x, y and z) to "
            f"{LARGEST_POINT_STEP} bytes"
        )
    if step * cloud.width > row:
        raise CloudError(
            f"a point cloud with row_step {row}, expected at least {step * cloud.width} (width times point_step)"
        )
    if row * cloud.height > len(cloud.data):
        raise CloudError(
            f"a point cloud of {size} points with only {len(cloud.data)} bytes, expected {row * cloud.height}"
        )


def depth_of_points(points: np.ndarray, T_camera_cloud: np.ndarray, camera: CameraModel) -> np.ndarray:
    """Depth (H, W) float32 [m] along the optical axis, in the image as published; NaN for pixels without a point.

    points: (N, 3) in the cloud's frame. The nearest point of a pixel counts, as in the Eigen protocol. Points that the
    LiDAR sees past an obstacle in the camera's view are not removed.
    """
    seen = points @ T_camera_cloud[:3, :3].T + T_camera_cloud[:3, 3]
    seen = seen[seen[:, 2] > 0]
    pixels = np.rint(camera.project(seen))
    inside = ((pixels >= 0) & (pixels < (camera.width, camera.height))).all(axis=1)
    columns, rows = pixels[inside].astype(int).T
    depth = np.full((camera.height, camera.width), np.inf, np.float32)
    np.minimum.at(depth, (rows, columns), seen[inside, 2].astype(np.float32))
    depth[np.isinf(depth)] = np.nan
    return depth
