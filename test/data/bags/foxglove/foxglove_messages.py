# SPDX-License-Identifier: Apache-2.0
"""Foxglove's schemas and messages as their tools write them, built from the documented field numbers."""

import base64
import json
from functools import lru_cache

import pytest

pytest.importorskip("google.protobuf", reason="protobuf is not installed")
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory, timestamp_pb2

FIELD = descriptor_pb2.FieldDescriptorProto
KINDS = {
    "double": FIELD.TYPE_DOUBLE,
    "string": FIELD.TYPE_STRING,
    "bytes": FIELD.TYPE_BYTES,
    "fixed32": FIELD.TYPE_FIXED32,
    "uint32": FIELD.TYPE_UINT32,
    "NumericType": FIELD.TYPE_ENUM,
}
TIME = "Timestamp timestamp 1"
# Each field: type, name, number. A star marks a repeated field.
SCHEMAS = {
    "Vector3": ["double x 1", "double y 2", "double z 3"],
    "Quaternion": ["double x 1", "double y 2", "double z 3", "double w 4"],
    "Pose": ["Vector3 position 1", "Quaternion orientation 2"],
    "PackedElementField": ["string name 1", "fixed32 offset 2", "NumericType type 3"],
    "RawImage": [
        TIME,
        "string frame_id 7",
        "fixed32 width 2",
        "fixed32 height 3",
        "string encoding 4",
        "fixed32 step 5",
        "bytes data 6",
    ],
    "CompressedImage": [TIME, "string frame_id 4", "bytes data 2", "string format 3"],
    "CompressedVideo": [TIME, "string frame_id 2", "bytes data 3", "string format 4"],
    "CameraCalibration": [
        TIME,
        "string frame_id 9",
        "fixed32 width 2",
        "fixed32 height 3",
        "string distortion_model 4",
        "double* D 5",
        "double* K 6",
        "double* R 7",
        "double* P 8",
    ],
    "FrameTransform": [
        TIME,
        "string parent_frame_id 2",
        "string child_frame_id 3",
        "Vector3 translation 4",
        "Quaternion rotation 5",
    ],
    "FrameTransforms": ["FrameTransform* transforms 1"],
    "PoseInFrame": [TIME, "string frame_id 2", "Pose pose 3"],
    "PosesInFrame": [TIME, "string frame_id 2", "Pose* poses 3"],
    "Odometry": [
        TIME,
        "string frame_id 2",
        "string body_frame_id 3",
        "Pose pose 4",
        "Vector3 linear_velocity 5",
        "Vector3 angular_velocity 6",
        "double* pose_covariance 7",
        "double* velocity_covariance 8",
    ],
    "PointCloud": [
        TIME,
        "string frame_id 2",
        "Pose pose 3",
        "fixed32 point_stride 4",
        "PackedElementField* fields 5",
        "bytes data 6",
    ],
    "LocationFix": ["Timestamp timestamp 6", "string frame_id 7", "double latitude 1", "double longitude 2"],
}
NUMERIC_TYPES = ("UNKNOWN", "UINT8", "INT8", "UINT16", "INT16", "UINT32", "INT32", "FLOAT32", "FLOAT64")


def _file(name, fields):
    """The .proto file of a schema: one message, as Foxglove's own files have it."""
    file = descriptor_pb2.FileDescriptorProto(name=f"foxglove/{name}.proto", package="foxglove", syntax="proto3")
    message = file.message_type.add(name=name)
    if name == "PackedElementField":
        enum = message.enum_type.add(name="NumericType")
        for number, value in enumerate(NUMERIC_TYPES):
            enum.value.add(name=value, number=number)
    for text in fields:
        kind, field_name, number = text.split()
        field = message.field.add(name=field_name, number=int(number), label=FIELD.LABEL_OPTIONAL)
        if kind.endswith("*"):
            field.label, kind = FIELD.LABEL_REPEATED, kind[:-1]
        field.type = KINDS.get(kind, FIELD.TYPE_MESSAGE)
        if kind == "NumericType":
            field.type_name = ".foxglove.PackedElementField.NumericType"
        if field.type != FIELD.TYPE_MESSAGE:
            continue
        is_time = kind == "Timestamp"
        field.type_name = ".google.protobuf.Timestamp" if is_time else f".foxglove.{kind}"
        needed = "google/protobuf/timestamp.proto" if is_time else f"foxglove/{kind}.proto"
        if needed not in file.dependency:
            file.dependency.append(needed)
    return file


def schema(name, extra=(), without_timestamp_file=False):
    """The schema record of a message: its file and those that it needs, as a serialised FileDescriptorSet."""
    found = descriptor_pb2.FileDescriptorSet()
    seen = set()

    def add(file_name):
        if file_name in seen:
            return
        seen.add(file_name)
        if file_name.startswith("google/"):
            if not without_timestamp_file:
                found.file.add().ParseFromString(timestamp_pb2.DESCRIPTOR.serialized_pb)
            return
        short = file_name[len("foxglove/") : -len(".proto")]
        file = _file(short, [*SCHEMAS[short], *(extra if short == name else ())])
        for dependency in file.dependency:
            add(dependency)
        found.file.append(file)

    add(f"foxglove/{name}.proto")
    return found.SerializeToString()


@lru_cache
def _class(name, extra):
    pool = descriptor_pool.DescriptorPool()
    for file in descriptor_pb2.FileDescriptorSet.FromString(schema(name, extra)).file:
        pool.Add(file)
    return message_factory.GetMessageClass(pool.FindMessageTypeByName(f"foxglove.{name}"))


def protobuf(name, extra=(), stamp_ns=None, **fields):
    """A message in protobuf. fields: numbers, text, bytes, dicts and lists of them; stamp_ns: None for no timestamp."""
    if stamp_ns is not None:
        fields["timestamp"] = {"seconds": stamp_ns // 10**9, "nanos": stamp_ns % 10**9}
    return _class(name, tuple(extra))(**fields).SerializeToString()


def json_message(stamp_ns=None, **fields):
    """A message in JSON as the SDK writes it: Base64, and times of sec and nsec."""
    if stamp_ns is not None:
        fields["timestamp"] = {"sec": stamp_ns // 10**9, "nsec": stamp_ns % 10**9}
    return json.dumps(fields, default=lambda value: base64.b64encode(value).decode()).encode()
