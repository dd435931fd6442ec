# SPDX-License-Identifier: Apache-2.0
"""Message definitions stored in recordings, judged before rosbags makes code of them.

Their texts are data: a line may ask for a billion elements, which would become a billion lines of code.
"""

import re
from collections.abc import Iterable, Mapping
from typing import Any

from rosbags.interfaces import Nodetype
from rosbags.typesys import get_types_from_idl, get_types_from_msg

from monodepth_ros.data.bags.recording_error import RecordingError
from monodepth_ros.limits import LARGEST_DEFINITION, LONGEST_ARRAY, MOST_FIELDS

# Types that this package reads field by field. Others may differ from release to release.
READ_TYPES = (
    "ffmpeg_image_transport_msgs/msg/FFMPEGPacket",
    "foxglove_msgs/msg/CompressedVideo",
    "geometry_msgs/msg/PoseStamped",
    "geometry_msgs/msg/PoseWithCovarianceStamped",
    "geometry_msgs/msg/TransformStamped",
    "nav_msgs/msg/Odometry",
    "nav_msgs/msg/Path",
    "sensor_msgs/msg/CameraInfo",
    "sensor_msgs/msg/CompressedImage",
    "sensor_msgs/msg/Image",
    "sensor_msgs/msg/Imu",
    "sensor_msgs/msg/PointCloud2",
    "tf2_msgs/msg/TFMessage",
)
_SEPARATOR = "=" * 80 + "\n"
_IDL_TEXTS = re.compile(r'"[^"]*"|//[^\n]*')

Types = dict[str, Any]
"""Constants and fields of each type, in the form of rosbags."""


def parsed(text: str, name: str, is_idl: bool = False) -> Types:
    """The types of a definition in ROS's format, or in IDL.

    Raises RecordingError for one that is too large, has too many fields or too long arrays, and rosbags' errors of many
    types for one that cannot be parsed.
    """
    if len(text) > LARGEST_DEFINITION:
        raise RecordingError(f"it has {len(text)} characters, more than {LARGEST_DEFINITION}")
    types = _of_idl(text) if is_idl else get_types_from_msg(text, name)
    fields = [kind for _, of_type in types.values() for _, kind in of_type]
    if len(fields) > MOST_FIELDS:
        raise RecordingError(f"it has {len(fields)} fields, more than {MOST_FIELDS}")
    for node, what in fields:
        is_list = node == Nodetype.ARRAY and (what[0][0] == Nodetype.NAME or "string" in what[0][1][0])
        if is_list and what[1] > LONGEST_ARRAY:
            raise RecordingError(f"it has an array of {what[1]} elements, more than {LONGEST_ARRAY}")
    return types


def check_fields(stored: Types, common: Mapping[str, Any], name: str) -> None:
    """Raise RecordingError if a stored type lacks a field that ROS's type of this name has, or has it of another kind.

    Only READ_TYPES are looked at, and the types that are in them.
    """
    seen: set[str] = set()
    waiting = [name] if name in READ_TYPES else []
    while waiting:
        name = waiting.pop()
        if name in seen or name not in common:
            continue
        seen.add(name)
        fields = {field.lower(): kind for field, kind in stored[name][1]}
        for field, kind in common[name][1]:
            if _kind(fields.get(field.lower())) != _kind(kind):
                raise RecordingError(f"its definition in the recording lacks the field {field} of {name}")
        waiting += _names(fields.values())


def _kind(kind: Any) -> tuple[Any, ...]:
    """What a reader of a field relies on: a message of a type, a number, a text, or a list of those."""
    if kind is None:
        return ()
    node, what = kind
    if node in (Nodetype.ARRAY, Nodetype.SEQUENCE):
        return ("list", *_kind(what[0]))
    if node == Nodetype.NAME:
        return "message", what
    return ("text",) if "string" in what[0] else ("number",)


def _names(kinds: Iterable[Any]) -> list[str]:
    inner = [what[0] if node in (Nodetype.ARRAY, Nodetype.SEQUENCE) else (node, what) for node, what in kinds]
    return [what for node, what in inner if node == Nodetype.NAME]


def _of_idl(text: str) -> Types:
    if "<<" in _IDL_TEXTS.sub("", text):  # a shifted constant can be a number of any length
        raise RecordingError("it shifts numbers")
    if not text.startswith(f"{_SEPARATOR}IDL: "):
        return get_types_from_idl(text)
    types: Types = {}
    for section in text.split(_SEPARATOR)[1:]:
        types.update(get_types_from_idl(section.split("\n", 1)[1]))
    return types
