# SPDX-License-Identifier: Apache-2.0
"""Message objects for `BagWriter`, from arrays and transforms."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from monodepth_ros.data.bags import depth_status
from monodepth_ros.data.bags.writer import BagWriter
from monodepth_ros.geometry.camera import CameraModel
from monodepth_ros.geometry.motion import rotation_to_quaternion

TYPES = BagWriter.types
_FLOAT32 = 7  # sensor_msgs/PointField


def header(stamp_ns: int, frame: str) -> Any:
    """std_msgs/Header."""
    stamp = TYPES["builtin_interfaces/msg/Time"](stamp_ns // 10**9, stamp_ns % 10**9)
    return TYPES["std_msgs/msg/Header"](stamp, frame)


def image(header: Any, values: np.ndarray, encoding: str) -> Any:
    """sensor_msgs/Image of an array (H, W) or (H, W, C), stored little-endian."""
    values = np.ascontiguousarray(values, values.dtype.newbyteorder("<"))
    step = values.strides[0]
    data = values.reshape(-1).view(np.uint8)
    return TYPES["sensor_msgs/msg/Image"](header, values.shape[0], values.shape[1], encoding, 0, step, data)


def compressed_image(header: Any, format: str, data: np.ndarray) -> Any:
    """sensor_msgs/CompressedImage of bytes (N,)."""
    return TYPES["sensor_msgs/msg/CompressedImage"](header, format, data)


def camera_info(header: Any, camera: CameraModel, is_calibrated: bool = True) -> Any:
    """sensor_msgs/CameraInfo; all zero intrinsics (ROS for "uncalibrated") if it is not."""
    region = TYPES["sensor_msgs/msg/RegionOfInterest"](0, 0, 0, 0, False)
    K, P = (camera.K, camera.P) if is_calibrated else (np.zeros(9), np.zeros(12))
    return TYPES["sensor_msgs/msg/CameraInfo"](
        header, camera.height, camera.width, camera.distortion_model, np.array(camera.D), K.ravel(),
        camera.R.ravel(), P.ravel(), 0, 0, region,
    )  # fmt: skip


def point_cloud(header: Any, points: np.ndarray, is_dense: bool) -> Any:
    """sensor_msgs/PointCloud2 of a structured array (H, W) whose fields are all little-endian float32."""
    fields = [
        TYPES["sensor_msgs/msg/PointField"](name, points.dtype.fields[name][1], _FLOAT32, 1)
        for name in points.dtype.names
    ]
    height, width = points.shape
    step = points.dtype.itemsize
    data = np.ascontiguousarray(points).reshape(-1).view(np.uint8)
    return TYPES["sensor_msgs/msg/PointCloud2"](
        header, height, width, fields, False, step, step * width, data, is_dense
    )


def odometry(
    header: Any,
    child_frame: str,
    T: np.ndarray,
    pose_covariance: np.ndarray,
    twist: Sequence[float],
    twist_covariance: np.ndarray,
) -> Any:
    """nav_msgs/Odometry: T (4, 4) in the header's frame, twist (6,) in the child's, covariances (6, 6)."""
    vector = TYPES["geometry_msgs/msg/Vector3"]
    velocity = TYPES["geometry_msgs/msg/Twist"](vector(*map(float, twist[:3])), vector(*map(float, twist[3:])))
    return TYPES["nav_msgs/msg/Odometry"](
        header,
        child_frame,
        TYPES["geometry_msgs/msg/PoseWithCovariance"](pose(T), np.asarray(pose_covariance, np.float64).ravel()),
        TYPES["geometry_msgs/msg/TwistWithCovariance"](velocity, np.asarray(twist_covariance, np.float64).ravel()),
    )


def twist_stamped(header: Any, twist: Any) -> Any:
    """geometry_msgs/TwistWithCovarianceStamped of the twist of an odometry message; the header's frame is the moving one."""
    return TYPES["geometry_msgs/msg/TwistWithCovarianceStamped"](header, twist)


def status(header: Any, fields: Mapping[str, Any]) -> Any:
    """monodepth_ros/DepthStatus with these fields, by name."""
    return TYPES[depth_status.TYPE](header=header, **fields)


def imu(header: Any, rate: Sequence[float], variance: float) -> Any:
    """sensor_msgs/Imu of a gyro alone: rate (3,) [rad/s]; orientation and acceleration are said not to be known."""
    unknown = np.r_[-1.0, np.zeros(8)]  # as the message defines it
    vector, still = TYPES["geometry_msgs/msg/Vector3"], TYPES["geometry_msgs/msg/Quaternion"](0.0, 0.0, 0.0, 1.0)
    return TYPES["sensor_msgs/msg/Imu"](
        header,
        still,
        unknown,
        vector(*map(float, rate)),
        (variance * np.eye(3)).ravel(),
        vector(0.0, 0.0, 0.0),
        unknown,
    )


def pose(T: np.ndarray) -> Any:
    """geometry_msgs/Pose of a (4, 4) transform."""
    return TYPES["geometry_msgs/msg/Pose"](TYPES["geometry_msgs/msg/Point"](*map(float, T[:3, 3])), _quaternion(T))


def pose_stamped(header: Any, T: np.ndarray) -> Any:
    """geometry_msgs/PoseStamped of a (4, 4) transform."""
    return TYPES["geometry_msgs/msg/PoseStamped"](header, pose(T))


def path(header: Any, poses: list[Any]) -> Any:
    """nav_msgs/Path of geometry_msgs/PoseStamped."""
    return TYPES["nav_msgs/msg/Path"](header, poses)


def transform_stamped(header: Any, child: str, T_parent_child: np.ndarray) -> Any:
    """geometry_msgs/TransformStamped; the header's frame is the parent."""
    translation = TYPES["geometry_msgs/msg/Vector3"](*map(float, T_parent_child[:3, 3]))
    transform = TYPES["geometry_msgs/msg/Transform"](translation, _quaternion(T_parent_child))
    return TYPES["geometry_msgs/msg/TransformStamped"](header, child, transform)


def transforms(items: list[Any]) -> Any:
    """tf2_msgs/TFMessage."""
    return TYPES["tf2_msgs/msg/TFMessage"](items)


def _quaternion(T: np.ndarray) -> Any:
    return TYPES["geometry_msgs/msg/Quaternion"](*map(float, rotation_to_quaternion(T[:3, :3])))
