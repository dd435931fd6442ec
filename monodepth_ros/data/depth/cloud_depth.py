# SPDX-License-Identifier: Apache-2.0
"""Depth of a camera's pixels from a LiDAR's point cloud."""

from typing import Any

import numpy as np

from monodepth_ros.errors import MonodepthError
from monodepth_ros.geometry.camera import CameraModel

_FLOATS = {7: np.float32, 8: np.float64}  # sensor_msgs/PointField


class CloudError(MonodepthError):
    """A point cloud without usable coordinates."""


def cloud_points(cloud: Any) -> np.ndarray:
    """The finite points (N, 3) float64 of a sensor_msgs/PointCloud2, in its frame.

    Raises CloudError for a cloud without float x, y, z or with missing data.
    """
    fields = {field.name: field for field in cloud.fields}
    missing = [name for name in "xyz" if name not in fields or fields[name].datatype not in _FLOATS]
    if missing:
        raise CloudError(
            f"a point cloud without float {', '.join(missing)} (its fields: {', '.join(fields) or 'none'})"
        )
    if cloud.row_step * cloud.height > len(cloud.data) or cloud.point_step * cloud.width > cloud.row_step:
        raise CloudError(f"a point cloud of {cloud.width}x{cloud.height} points with only {len(cloud.data)} bytes")
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
    points = np.stack([points[name] for name in "xyz"], axis=1).astype(np.float64)
    return points[np.isfinite(points).all(axis=1)]


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
