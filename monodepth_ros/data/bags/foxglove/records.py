# SPDX-License-Identifier: Apache-2.0
"""Records: decoded messages as nested dicts, the common form of protobuf and JSON."""

import base64
import binascii
import reprlib
from collections.abc import Mapping
from datetime import datetime, timezone
from functools import lru_cache
from typing import Any

import numpy as np

from monodepth_ros.data.bags.recording_error import RecordingError
from monodepth_ros.limits import LONGEST_NAME

Record = Mapping[str, Any]
"""Values by `key` of their field's name; nested messages are Records, repeated fields are lists."""

NANOSECONDS = 1_000_000_000
_SECONDS_NAMES, _NANOSECONDS_NAMES = ("sec", "seconds", "secs"), ("nsec", "nanosec", "nanos", "nsecs")
# What builtin_interfaces/Time can hold: seconds since the epoch in 31 bits, until 2038.
_END_OF_TIME_NS = (1 << 31) * NANOSECONDS


class TranslationError(RecordingError):
    """One message that cannot be translated: damaged bytes, or values that its ROS type cannot hold."""


def key(name: str) -> str:
    """The same key for every spelling of a field's name: frame_id and frameId (protobuf's JSON), K and k (ROS 1)."""
    return _known_key(name) if len(name) <= LONGEST_NAME else _key(name)


def _key(name: str) -> str:
    return name.replace("_", "").lower()


_known_key = lru_cache(maxsize=1024)(_key)


def nested(record: Record, name: str) -> Record:
    """A message in a field; empty if the field is missing or null. Raises TranslationError for another value."""
    value = record.get(key(name))
    if value is None:
        return {}
    if not isinstance(value, Mapping):
        raise TranslationError(f"field {name} is {short(value)}, expected an object")
    return value


def items(record: Record, name: str) -> list[Any]:
    """A repeated field; empty if it is missing or null. Raises TranslationError for another value."""
    value = record.get(key(name))
    if value is None:
        return []
    if not isinstance(value, list):
        raise TranslationError(f"field {name} is {short(value)}, expected a list")
    return value


def stamp_ns(value: Any, fallback_ns: int) -> int:
    """Time since the epoch [ns] of a stamp; fallback_ns if it is missing, unreadable or not within 1970 to 2038.

    value: a record of seconds and nanoseconds under any of their usual names, or RFC 3339 text (protobuf's JSON).
    """
    try:
        if isinstance(value, Mapping):
            seconds = next((value[name] for name in _SECONDS_NAMES if name in value), 0)
            nanoseconds = next((value[name] for name in _NANOSECONDS_NAMES if name in value), 0)
            ns = int(seconds) * NANOSECONDS + int(nanoseconds)
        elif isinstance(value, str):
            ns = _rfc3339_ns(value)
        else:
            return fallback_ns
    except (ValueError, TypeError, OverflowError):
        return fallback_ns
    return ns if 0 <= ns < _END_OF_TIME_NS else fallback_ns


def octets(value: Any) -> memoryview:
    """Bytes of a field, not copied where possible: bytes, Base64 text, a data URL or a list of numbers from 0 to 255.

    Raises TranslationError for anything else.
    """
    try:
        if value is None:
            return memoryview(b"")
        if isinstance(value, str):
            return memoryview(_from_base64(value))
        if isinstance(value, list):
            # rosbridge writes signed numbers for int8.
            return memoryview(
                np.asarray(value, np.int64).astype(np.uint8).tobytes() if _is_signed(value) else bytes(value)
            )
        return memoryview(value).cast("B")
    except (ValueError, TypeError, OverflowError, binascii.Error) as error:
        raise TranslationError(f"bytes are {short(value)}, expected Base64 text or numbers from 0 to 255") from error


def _is_signed(values: list[Any]) -> bool:
    return bool(values) and -128 <= min(values) < 0


def _from_base64(text: str) -> bytes:
    if text.startswith("data:"):
        text = text.partition(",")[2]
    if "-" in text or "_" in text:  # the alphabet of URLs
        text = text.replace("-", "+").replace("_", "/")
    try:
        return base64.b64decode(text + "=" * (-len(text) % 4), validate=True)
    except binascii.Error:  # some encoders break lines
        text = "".join(text.split()).rstrip("=")
        return base64.b64decode(text + "=" * (-len(text) % 4), validate=True)


def _rfc3339_ns(text: str) -> int:
    """2024-05-01T12:00:00.123456789Z, with up to nine digits of the second, which datetime does not read."""
    text = text.strip().upper().replace("Z", "+00:00")
    whole, dot, rest = text.partition(".")
    digits = rest[: len(rest) - len(rest.lstrip("0123456789"))] if dot else ""
    moment = datetime.fromisoformat(whole + rest[len(digits) :])
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=timezone.utc)
    since = moment - datetime(1970, 1, 1, tzinfo=timezone.utc)
    return (since.days * 86400 + since.seconds) * NANOSECONDS + int(digits[:9].ljust(9, "0") or 0)


def short(value: Any) -> str:
    """A value in a message; of a long one the beginning."""
    return reprlib.repr(value)[:40]
