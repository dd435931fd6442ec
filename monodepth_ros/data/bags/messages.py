# SPDX-License-Identifier: Apache-2.0
"""Message objects for `BagWriter`, made from arrays and transforms."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from monodepth_ros.data.bags import depth_status
from monodepth_ros.data.bags.writer import BagWriter
from monodepth_ros.geometry.camera import CameraModel
from monodepth_ros.geometry.motion import rotation_to_quaternion

TYPES = BagWriter.types
_FLOAT32 = 7  # sensor_msgs/PointField
_OK, _WARN = 0, 1  # diagnostic_msgs/DiagnosticStatus


def header(stamp_ns: int, frame: str) -> Any:
    """std_msgs/Header."""
    stamp = TYPES["builtin_interfaces/msg/Time"](stamp_ns // 10**9, stamp_ns % 10**9)
    return TYPES["std_msgs/msg/Header"](stamp, frame)


def image(header: Any, values: np.ndarray, encoding: str) -> Any:
    """sensor_msgs/Image of an array (H, W) or (H, W, C), stored little-endian."""
    values = np.ascontiguousarray(values, values.dtype.newbyteorder("<"))
    step = values.strides[0]
    data = values.reshape(-1).view(np.uint8)
    return TYPES["sensor_msgs/msg/Image"](
        header=header,
        height=values.shape[0],
        width=values.shape[1],
        encoding=encoding,
        is_bigendian=0,
        step=step,
        data=data,
    )


def compressed_image(header: Any, format: str, data: np.ndarray) -> Any:
    """sensor_msgs/CompressedImage of bytes (N,)."""
    return TYPES["sensor_msgs/msg/CompressedImage"](header, format, data)


def camera_info(header: Any, camera: CameraModel, is_calibrated: bool = True) -> Any:
    """sensor_msgs/CameraInfo, with K and P of zeros (ROS's sign for "uncalibrated") unless is_calibrated."""
    region = TYPES["sensor_msgs/msg/RegionOfInterest"](x_offset=0, y_offset=0, height=0, width=0, do_rectify=False)
    K, P = (camera.K, camera.P) if is_calibrated else (np.zeros(9), np.zeros(12))
    return TYPES["sensor_msgs/msg/CameraInfo"](
        header=header,
        height=camera.height,
        width=camera.width,
        distortion_model=camera.distortion_model,
        d=np.array(camera.D),
        k=K.ravel(),
        r=camera.R.ravel(),
        p=P.ravel(),
        binning_x=0,
        binning_y=0,
        roi=region,
    )


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
        header=header,
        height=height,
        width=width,
        fields=fields,
        is_bigendian=False,
        point_step=step,
        row_step=step * width,
        data=data,
        is_dense=is_dense,
    )


def odometry(
    header: Any,
    child_frame: str,
    T: np.ndarray,
    pose_covariance: np.ndarray,
    twist: Sequence[float],
    twist_covariance: np.ndarray,
) -> Any:
    """nav_msgs/Odometry. T: (4, 4) pose in the header's frame. twist: (6,) in the child frame. Covariances: (6, 6)."""
    vector = TYPES["geometry_msgs/msg/Vector3"]
    velocity = TYPES["geometry_msgs/msg/Twist"](vector(*map(float, twist[:3])), vector(*map(float, twist[3:])))
    return TYPES["nav_msgs/msg/Odometry"](
        header,
        child_frame,
        TYPES["geometry_msgs/msg/PoseWithCovariance"](pose(T), np.asarray(pose_covariance, np.float64).ravel()),
        TYPES["geometry_msgs/msg/TwistWithCovariance"](velocity, np.asarray(twist_covariance, np.float64).ravel()),
    )


def twist_stamped(header: Any, twist: Any) -> Any:
    """geometry_msgs/TwistWithCovarianceStamped from the twist of an odometry message. header: in the moving frame."""
    return TYPES["geometry_msgs/msg/TwistWithCovarianceStamped"](header, twist)


def status(header: Any, fields: Mapping[str, Any]) -> Any:
    """monodepth_ros/DepthStatus with these fields, by name."""
    return TYPES[depth_status.TYPE](header=header, **fields)


class Diagnosis(NamedTuple):
    """A status for /diagnostics: OK without problems, else a warning. hardware: what it is about."""

    name: str
    hardware: str
    problems: Sequence[str]
    values: Mapping[str, str]


def diagnostics(header: Any, statuses: Sequence[Diagnosis]) -> Any:
    """diagnostic_msgs/DiagnosticArray."""
    pair = TYPES["diagnostic_msgs/msg/KeyValue"]
    return TYPES["diagnostic_msgs/msg/DiagnosticArray"](
        header,
        [
            TYPES["diagnostic_msgs/msg/DiagnosticStatus"](
                level=_WARN if status.problems else _OK,
                name=status.name,
                message="; ".join(status.problems) or "OK",
                hardware_id=status.hardware,
                values=[pair(key, value) for key, value in status.values.items()],
            )
            for status in statuses
        ],
    )


def imu(header: Any, rate: Sequence[float], variance: float) -> Any:
    """sensor_msgs/Imu of a gyro: rate (3,) [rad/s], with orientation and acceleration marked as unknown."""
    unknown = np.r_[-1.0, np.zeros(8)]  # the message's mark for a missing measurement
    vector, still = TYPES["geometry_msgs/msg/Vector3"], TYPES["geometry_msgs/msg/Quaternion"](0.0, 0.0, 0.0, 1.0)
    return TYPES["sensor_msgs/msg/Imu"](
        header=header,
        orientation=still,
        orientation_covariance=unknown,
        angular_velocity=vector(*map(float, rate)),
        angular_velocity_covariance=(variance * np.eye(3)).ravel(),
        linear_acceleration=vector(0.0, 0.0, 0.0),
        linear_acceleration_covariance=unknown,
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
