# SPDX-License-Identifier: Apache-2.0
"""Nested dicts with the field names of a ROS 2 type as CDR of that type."""

import struct
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

import numpy as np
from rosbags.interfaces import Nodetype

from monodepth_ros.data.bags.foxglove.records import (
    NANOSECONDS,
    TranslationError,
    key,
    octets,
    short,
    stamp_ns,
)
from monodepth_ros.data.bags.types import common_types
from monodepth_ros.errors import MonodepthError, one_line

TIME, DURATION, QUATERNION = (
    "builtin_interfaces/msg/Time",
    "builtin_interfaces/msg/Duration",
    "geometry_msgs/msg/Quaternion",
)
_OCTETS = ("uint8", "byte", "char", "octet", "int8")
_FLOATS = ("float32", "float64")
_MISSING: Any = object()


def to_cdr(type_name: str, fields: Mapping[str, Any], log_time_ns: int) -> bytes:
    """CDR bytes of a type of `common_types`.

    fields: by name, in ROS's spelling or by `key`; missing ones are zero, missing times are log_time_ns, a missing
    quaternion is no rotation, unknown fields are ignored. Raises TranslationError for values that do not fit the type.
    """
    name, kind = _fields(type_name)[-1]
    try:
        if not _is_bulk(kind):
            return bytes(_serialize(_message(type_name, fields, log_time_ns)))
        content = octets(fields.get(name, fields.get(key(name))))
        head = _serialize(_message(type_name, {**fields, name: None}, log_time_ns))
        # The bytes come last, after their count, and are copied only once.
        return b"".join((head[:-4], struct.pack("<I", len(content)), content))
    except MonodepthError:
        raise
    except Exception as error:  # rosbags raises struct and numpy errors for values out of range
        raise TranslationError(f"its values do not fit {type_name}: {one_line(error)}") from error


@lru_cache(maxsize=256)
def _fields(type_name: str) -> list[tuple[str, Any]]:
    return common_types().fielddefs[type_name][1]


def _serialize(message: Any) -> memoryview:
    return common_types().serialize_cdr(message, message.__msgtype__)


def _message(type_name: str, fields: Any, log_time_ns: int) -> Any:
    if type_name == TIME:
        return common_types().types[TIME](*divmod(stamp_ns(fields, log_time_ns), NANOSECONDS))
    if type_name == DURATION:
        return common_types().types[DURATION](*divmod(stamp_ns(fields, 0), NANOSECONDS))
    if fields is None:
        fields = {}
    if not isinstance(fields, Mapping):
        raise TranslationError(f"an object is {short(fields)}, expected the fields of {type_name}")
    if type_name == QUATERNION and not fields:
        fields = {"w": 1.0}
    values = {name: _value(kind, _lookup(fields, name), name, log_time_ns) for name, kind in _fields(type_name)}
    return common_types().types[type_name](**values)


def _lookup(fields: Mapping[str, Any], name: str) -> Any:
    return fields[name] if name in fields else fields.get(key(name), _MISSING)


def _value(kind: Any, value: Any, name: str, log_time_ns: int) -> Any:
    node, what = kind
    if value is _MISSING:
        value = 0 if node == Nodetype.BASE and what[0] in _FLOATS else None
    if node == Nodetype.BASE:
        return _scalar(what[0], value, name)
    if node == Nodetype.NAME:
        return _message(what, value, log_time_ns)
    element, count = what
    count = count if node == Nodetype.ARRAY else None
    if element[0] == Nodetype.NAME:
        found = [_message(element[1], item, log_time_ns) for item in value or []]
    else:
        found = _array(element[1][0], value, name, count)
    if count is not None and len(found) != count:
        raise TranslationError(f"field {name} has {len(found)} values, expected {count}")
    return found


def _scalar(base: str, value: Any, name: str) -> Any:
    try:
        if base in ("string", "wstring"):
            return "" if value is None else str(value)
        if base == "bool":
            return bool(value)
        if base in _FLOATS:
            return float(_nan(value))
        return int(value or 0)
    except (TypeError, ValueError, OverflowError) as error:
        raise TranslationError(f"field {name} is {short(value)}, expected {base}") from error


def _array(base: str, value: Any, name: str, count: int | None) -> Any:
    if base in ("string", "wstring"):
        return [_scalar(base, item, name) for item in value or []]
    if base in _OCTETS:
        found = np.frombuffer(octets(value), np.int8 if base == "int8" else np.uint8)
    elif isinstance(value, str):
        raise TranslationError(f"field {name} is text, expected numbers")
    else:
        try:
            found = np.array([_nan(item) for item in value or []], np.dtype(base))
        except (TypeError, ValueError, OverflowError) as error:
            raise TranslationError(f"field {name} is {short(value)}, expected {base} numbers") from error
    return np.zeros(count, found.dtype) if count and not found.size else found


def _nan(value: Any) -> Any:
    """A number, or NaN for null: JSON has no NaN."""
    return float("nan") if value is None else value


def _is_bulk(kind: Any) -> bool:
    node, what = kind
    return node == Nodetype.SEQUENCE and what[0] == (Nodetype.BASE, ("uint8", 0))
