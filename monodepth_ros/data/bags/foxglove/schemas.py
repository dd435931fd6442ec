# SPDX-License-Identifier: Apache-2.0
"""Foxglove's schemas and the ROS 2 types that correspond to them.

Each function takes the record of one message and gives its fields in ROS's names, for `ros_fields.to_cdr`. The schemas
are documented at docs.foxglove.dev, under SDK, schemas.
"""

from collections.abc import Callable, Mapping
from typing import Any

from monodepth_ros.data.bags.foxglove.points import cloud_fields
from monodepth_ros.data.bags.foxglove.records import Record, TranslationError, items, key, nested, short

_BYTES_PER_PIXEL = {
    "mono8": 1,
    "8UC1": 1,
    "mono16": 2,
    "16UC1": 2,
    "rgb8": 3,
    "bgr8": 3,
    "8UC3": 3,
    "rgba8": 4,
    "bgra8": 4,
    "8UC4": 4,
    "32FC1": 4,
    "yuv422": 2,
    "uyvy": 2,
    "yuv422_yuy2": 2,
    "yuyv": 2,
    "nv12": 1,
    "nv21": 1,
}


def raw_image(record: Record) -> dict[str, Any]:
    """foxglove.RawImage as sensor_msgs/Image. The encodings have ROS's names; more than 8 bits are little-endian."""
    encoding, width = str(record.get("encoding", "")), _integer(record, "width")
    step = _integer(record, "step")
    if not step and width:
        size = 1 if encoding.startswith("bayer_") and encoding.endswith("8") else _BYTES_PER_PIXEL.get(encoding)
        if size is None:
            raise TranslationError(f"an image of encoding {encoding!r} states no step")
        step = width * size
    return {
        "header": _header(record),
        "width": width,
        "height": _integer(record, "height"),
        "encoding": encoding,
        "step": step,
        "data": record.get("data"),
    }


def compressed_image(record: Record) -> dict[str, Any]:
    """foxglove.CompressedImage as sensor_msgs/CompressedImage. The format is jpeg, png, webp or avif."""
    return {"header": _header(record), "format": record.get("format"), "data": record.get("data")}


def compressed_video(record: Record) -> dict[str, Any]:
    """foxglove.CompressedVideo as foxglove_msgs/CompressedVideo."""
    return {name: record.get(key(name)) for name in ("timestamp", "frame_id", "data", "format")}


def camera_calibration(record: Record) -> dict[str, Any]:
    """foxglove.CameraCalibration as sensor_msgs/CameraInfo. Matrices that are not stated become zeros."""
    matrices = {name: _numbers(record, name) for name in "dkrp"}
    size = {name: _integer(record, name) for name in ("width", "height")}
    return {"header": _header(record), **size, "distortion_model": record.get(key("distortion_model")), **matrices}


def frame_transform(record: Record) -> dict[str, Any]:
    """foxglove.FrameTransform as a tf2_msgs/TFMessage of one transform."""
    return {"transforms": [_transform(record)]}


def frame_transforms(record: Record) -> dict[str, Any]:
    """foxglove.FrameTransforms as tf2_msgs/TFMessage."""
    return {"transforms": [_transform(item) for item in items(record, "transforms")]}


def pose_in_frame(record: Record) -> dict[str, Any]:
    """foxglove.PoseInFrame as geometry_msgs/PoseStamped."""
    return {"header": _header(record), "pose": pose(nested(record, "pose"))}


def poses_in_frame(record: Record) -> dict[str, Any]:
    """foxglove.PosesInFrame as geometry_msgs/PoseArray: its poses have no times of their own, so it is no Path."""
    return {"header": _header(record), "poses": [pose(item) for item in items(record, "poses")]}


def odometry(record: Record) -> dict[str, Any]:
    """foxglove.Odometry as nav_msgs/Odometry."""
    body = record.get(key("body_frame_id")) or record.get(key("child_frame_id"))
    twist = {"linear": nested(record, "linear_velocity"), "angular": nested(record, "angular_velocity")}
    return {
        "header": _header(record),
        "child_frame_id": body,
        "pose": {"pose": pose(nested(record, "pose")), "covariance": _numbers(record, "pose_covariance")},
        "twist": {"twist": twist, "covariance": _numbers(record, "velocity_covariance")},
    }


def point_cloud(record: Record) -> dict[str, Any]:
    """foxglove.PointCloud as sensor_msgs/PointCloud2, with its pose applied to the points."""
    return {"header": _header(record), **cloud_fields(record)}


def pose(record: Record) -> dict[str, Any]:
    """foxglove.Pose as geometry_msgs/Pose."""
    return {"position": nested(record, "position"), "orientation": nested(record, "orientation") or None}


Mapper = Callable[[Record], Mapping[str, Any]]
SCHEMAS: dict[str, tuple[str, Mapper]] = {
    "RawImage": ("sensor_msgs/msg/Image", raw_image),
    "CompressedImage": ("sensor_msgs/msg/CompressedImage", compressed_image),
    "CompressedVideo": ("foxglove_msgs/msg/CompressedVideo", compressed_video),
    "CameraCalibration": ("sensor_msgs/msg/CameraInfo", camera_calibration),
    "FrameTransform": ("tf2_msgs/msg/TFMessage", frame_transform),
    "FrameTransforms": ("tf2_msgs/msg/TFMessage", frame_transforms),
    "PoseInFrame": ("geometry_msgs/msg/PoseStamped", pose_in_frame),
    "PosesInFrame": ("geometry_msgs/msg/PoseArray", poses_in_frame),
    "Odometry": ("nav_msgs/msg/Odometry", odometry),
    "PointCloud": ("sensor_msgs/msg/PointCloud2", point_cloud),
}
"""ROS 2 type and mapping of each schema with a counterpart."""


def _header(record: Record) -> dict[str, Any]:
    return {"stamp": record.get("timestamp"), "frame_id": record.get(key("frame_id"))}


def _transform(record: Any) -> dict[str, Any]:
    if not isinstance(record, Mapping):
        raise TranslationError(f"a transform is {short(record)}, expected an object")
    return {
        "header": {"stamp": record.get("timestamp"), "frame_id": record.get(key("parent_frame_id"))},
        "child_frame_id": record.get(key("child_frame_id")),
        "transform": {
            "translation": nested(record, "translation"),
            "rotation": nested(record, "rotation") or None,
        },
    }


def _integer(record: Record, name: str) -> int:
    value = record.get(key(name))
    try:
        return int(value or 0)
    except (TypeError, ValueError, OverflowError):
        raise TranslationError(f"field {name} is {short(value)}, expected a whole number") from None


def _numbers(record: Record, name: str) -> list[Any] | None:
    return items(record, name) or None
