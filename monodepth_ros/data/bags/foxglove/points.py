# SPDX-License-Identifier: Apache-2.0
"""Points of foxglove.PointCloud as fields of sensor_msgs/PointCloud2."""

from typing import Any, NamedTuple

import numpy as np

from monodepth_ros.data.bags.foxglove.records import Record, TranslationError, items, key, nested, octets
from monodepth_ros.errors import MonodepthError
from monodepth_ros.geometry.motion import quaternion_to_rotation


class NumericType(NamedTuple):
    """datatype: of sensor_msgs/PointField, which swaps signed and unsigned integers against Foxglove's numbers."""

    datatype: int
    dtype: str


_TYPES = {
    "UINT8": NumericType(2, "<u1"),
    "INT8": NumericType(1, "<i1"),
    "UINT16": NumericType(4, "<u2"),
    "INT16": NumericType(3, "<i2"),
    "UINT32": NumericType(6, "<u4"),
    "INT32": NumericType(5, "<i4"),
    "FLOAT32": NumericType(7, "<f4"),
    "FLOAT64": NumericType(8, "<f8"),
}
_NAMES = tuple(_TYPES)  # Foxglove counts them from 1


class PackedField(NamedTuple):
    """One value of every point. offset: in the point [bytes]."""

    name: str
    offset: int
    type: NumericType


def cloud_fields(record: Record) -> dict[str, Any]:
    """The fields of the PointCloud2 except its header. Points whose bytes are not whole are left out.

    Raises TranslationError for fields of an unknown type or outside the point, and for a stride of 0.
    """
    data, stride = octets(record.get("data")), int(record.get(key("point_stride")) or 0)
    fields = [_field(item, stride) for item in items(record, "fields")]
    if stride <= 0 and len(data):
        raise TranslationError("a point cloud has a stride of 0 bytes")
    count = len(data) // stride if stride > 0 else 0
    data = data[: count * stride]
    pose = nested(record, "pose")
    if pose and count:
        data = _moved(data, stride, fields, pose)
    return {
        "height": 1,
        "width": count,
        "fields": [
            {"name": field.name, "offset": field.offset, "datatype": field.type.datatype, "count": 1}
            for field in fields
        ],
        "is_bigendian": False,
        "point_step": stride,
        "row_step": count * stride,
        "data": data,
        "is_dense": False,
    }


def _field(item: Any, stride: int) -> PackedField:
    name, kind = str(item.get("name", "")), item.get("type", 0)
    if isinstance(kind, (int, float)):
        kind = _NAMES[int(kind) - 1] if 1 <= kind <= len(_NAMES) else kind
    found = _TYPES.get(str(kind).upper())
    if found is None:
        raise TranslationError(f"field {name!r} of a point cloud has the unknown type {kind}")
    offset = int(item.get("offset") or 0)
    if offset + np.dtype(found.dtype).itemsize > stride:
        raise TranslationError(f"field {name!r} of a point cloud ends outside its point of {stride} bytes")
    return PackedField(name, offset, found)


def _moved(data: memoryview, stride: int, fields: list[PackedField], pose: Record) -> memoryview:
    """The points with the cloud's pose applied to x, y and z: a PointCloud2 has none."""
    position, q = nested(pose, "position"), nested(pose, "orientation")
    translation = np.array([float(position.get(name) or 0) for name in "xyz"])
    quaternion = [float(q.get(name) or 0) for name in "xyzw"] if q else [0.0, 0.0, 0.0, 1.0]
    if not translation.any() and quaternion[:3] == [0.0, 0.0, 0.0]:
        return data
    axes = {field.name: field for field in fields if field.name in ("x", "y", "z")}
    if len(axes) < 3:  # not a cloud of points in space
        return data
    try:
        rotation = quaternion_to_rotation(quaternion)
    except MonodepthError as error:
        raise TranslationError(f"the pose of a point cloud: {error}") from None
    layout = np.dtype(
        {
            "names": list("xyz"),
            "formats": [axes[name].type.dtype for name in "xyz"],
            "offsets": [axes[name].offset for name in "xyz"],
            "itemsize": stride,
        }
    )
    moved = bytearray(data)
    points = np.frombuffer(moved, layout)
    xyz = np.stack([points[name] for name in "xyz"], axis=1).astype(np.float64) @ rotation.T + translation
    with np.errstate(over="ignore", invalid="ignore"):  # points without a measurement are not finite
        for axis, name in enumerate("xyz"):
            points[name] = xyz[:, axis]
    return memoryview(moved)
