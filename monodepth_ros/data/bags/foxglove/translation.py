# SPDX-License-Identifier: Apache-2.0
"""The choice of a translation for a channel of an MCAP file, by its encodings and its schema."""

from collections.abc import Callable, Mapping
from typing import Any

from monodepth_ros.data.bags.foxglove.json_records import decode_json, schema_title
from monodepth_ros.data.bags.foxglove.protobuf_records import protobuf_decoder
from monodepth_ros.data.bags.foxglove.records import Record, TranslationError
from monodepth_ros.data.bags.foxglove.ros_fields import to_cdr
from monodepth_ros.data.bags.foxglove.schemas import SCHEMAS
from monodepth_ros.data.bags.recording_error import RecordingError
from monodepth_ros.data.bags.types import RENAMED, common_types, normalize_type
from monodepth_ros.errors import MonodepthError, one_line

PROTOBUF, JSON = "protobuf", "json"


class MissingProtobufError(RecordingError):
    """Messages in protobuf, and no protobuf library to read them."""


class Translator:
    """Translation of one channel's messages. type: the ROS 2 type, one of `common_types`."""

    def __init__(
        self,
        type: str,
        decode: Callable[[bytes | memoryview], Record],
        ros_fields: Callable[[Record], Mapping[str, Any]] | None,
    ):
        self.type = type
        self._decode, self._ros_fields = decode, ros_fields

    def to_cdr(self, data: bytes | memoryview, log_time_ns: int = 0) -> bytes:
        """CDR bytes of a recorded message.

        log_time_ns: the time at which it was recorded, which replaces a missing stamp [ns]. Raises TranslationError
        for damaged bytes and for values that the ROS type cannot hold.
        """
        record = self._decode(data)
        try:
            fields = self._ros_fields(record) if self._ros_fields else record
        except MonodepthError:
            raise
        except Exception as error:  # JSON may hold any kind of value in any place
            raise TranslationError(f"its fields are not those of {self.type}: {one_line(error)}") from error
        return to_cdr(self.type, fields, log_time_ns)


def translator(message_encoding: str, schema_encoding: str, schema_name: str, schema_data: bytes) -> Translator | None:
    """The translator of a channel, None if its messages have no counterpart in ROS.

    Foxglove's schemas are translated from protobuf and JSON, ROS's common types from JSON. A JSON schema is known by
    its name or its title. Raises MissingProtobufError if protobuf is needed and not installed, and TranslationError if
    the stored descriptors are damaged.
    """
    if message_encoding == PROTOBUF and schema_encoding == PROTOBUF:
        schema = _foxglove_schema(schema_name)
        if not schema:
            return None
        try:
            decode = protobuf_decoder(schema_data, schema_name)
        except ImportError:
            raise MissingProtobufError(
                f"messages of {schema_name} are in protobuf, which is not installed: "
                "pip install 'monodepth_ros[foxglove]'"
            ) from None
        return Translator(SCHEMAS[schema][0], decode, SCHEMAS[schema][1])
    if message_encoding != JSON:
        return None
    for name in (schema_name, schema_title(schema_data)):
        if schema := _foxglove_schema(name):
            return Translator(SCHEMAS[schema][0], decode_json, SCHEMAS[schema][1])
        if ros_type := _ros_type(name):
            return Translator(ros_type, decode_json, None)
    return None


def _foxglove_schema(name: str) -> str:
    """RawImage for foxglove.RawImage, foxglove_msgs/RawImage and foxglove_msgs/msg/RawImage; '' for other schemas."""
    package, _, schema = name.replace("/msg/", ".").replace("/", ".").replace("::", ".").rpartition(".")
    is_foxglove = package.rpartition(".")[2] in ("foxglove", "foxglove_msgs")
    return schema if is_foxglove and schema in SCHEMAS else ""


def _ros_type(name: str) -> str:
    name = normalize_type(name)
    name = RENAMED.get(name, name)
    return name if name in common_types().fielddefs else ""
