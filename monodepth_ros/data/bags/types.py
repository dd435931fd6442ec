# SPDX-License-Identifier: Apache-2.0
"""Message types of recordings: stored definitions, translation of ROS 1 to ROS 2, CDR bytes to objects."""

from collections.abc import Callable, Iterable
from contextlib import suppress
from functools import lru_cache
from typing import Any

from rosbags.convert.converter import is_same_wireformat, migrate_bytes
from rosbags.interfaces import MessageDefinitionFormat
from rosbags.typesys import Stores, get_types_from_msg, get_typestore

from monodepth_ros.data.bags import depth_status, video_types
from monodepth_ros.data.bags.definitions import check_fields, parsed
from monodepth_ros.data.bags.recording_error import RecordingError
from monodepth_ros.data.bags.storage.bounded import PackedError, TooLargeError, uncompress
from monodepth_ros.data.bags.storage.stored_file import StoredTopic
from monodepth_ros.errors import one_line
from monodepth_ros.limits import LARGEST_MESSAGE, LARGEST_OTHER_MESSAGE

HEADER = "std_msgs/msg/Header"
IMAGE = "sensor_msgs/msg/Image"
SDK_TAIL = 4
# Types of images, points and video, whose messages are the large ones.
BULK = (IMAGE, "sensor_msgs/msg/CompressedImage", "sensor_msgs/msg/PointCloud2", *video_types.DEFINITIONS)
RENAMED = {"tf/msg/tfMessage": "tf2_msgs/msg/TFMessage"}
# How a message of compression mode "message" begins. CDR begins with a zero.
ZSTD_MAGIC = b"\x28\xb5\x2f\xfd"


@lru_cache(maxsize=1)
def common_types() -> Any:
    """The typestore of ROS 2's own packages, DepthStatus and video, for bags without definitions and for writing."""
    store = get_typestore(Stores.ROS2_JAZZY)
    store.register(get_types_from_msg(depth_status.DEFINITION, depth_status.TYPE))
    for name, definition in video_types.DEFINITIONS.items():
        store.register(get_types_from_msg(definition, name))
    return store


def normalize_type(name: str) -> str:
    """'sensor_msgs/msg/Image' for that name and for 'sensor_msgs/Image', the form of ROS 1 and of bags from 2019."""
    parts = name.split("/")
    return f"{parts[0]}/msg/{parts[1]}" if len(parts) == 2 else name


class MessageTypes:
    """The types of a recording's topics, whatever encoding each of them has."""

    def __init__(self, topics: Iterable[StoredTopic]) -> None:
        topics = list(topics)
        self._ros1 = Ros1Types([topic for topic in topics if topic.is_ros1])
        self._ros2 = Ros2Types([topic for topic in topics if not topic.is_ros1])

    def published_name(self, topic: StoredTopic) -> str:
        """The type of a topic's messages as pkg/msg/Name of ROS 2."""
        return self._ros1.published_name(topic.type) if topic.is_ros1 else normalize_type(topic.type)

    def converter(self, topic: StoredTopic) -> Callable[[bytes, int], bytes]:
        """What makes CDR bytes of a topic's stored messages and their receive times [ns]; it raises RecordingError."""
        name = topic.type
        largest = LARGEST_MESSAGE if self.published_name(topic) in BULK else LARGEST_OTHER_MESSAGE

        def to_cdr(data: bytes, received_ns: int) -> bytes:
            plain = uncompressed(data, largest)
            if topic.is_ros1:
                return self._ros1.to_cdr(plain, name)
            return plain if topic.translate is None else topic.translate(plain, received_ns)

        return to_cdr

    def deserialize(self, data: bytes, name: str) -> Any:
        """The message as an object. Raises RecordingError for an unknown type and for bytes that do not match it."""
        return self._ros1.deserialize(data, name) if self._ros1.has(name) else self._ros2.deserialize(data, name)


class Ros2Types:
    """Reader of CDR bytes, by the definitions stored in the bag or else the common ones.

    Each type has a typestore of its own, parsed on first use: one unusual or broken definition does not make the rest
    of the recording unreadable.
    """

    def __init__(self, topics: list[StoredTopic]) -> None:
        self._definitions: dict[str, Any] = {}
        for topic in topics:
            name = normalize_type(topic.type)
            if topic.definition.format != MessageDefinitionFormat.NONE or name not in self._definitions:
                self._definitions[name] = topic.definition
        self._stores: dict[str, Any] = {}

    def deserialize(self, data: bytes, name: str) -> Any:
        """The message as an object. Raises RecordingError for an unknown type and for bytes that do not match it."""
        if name not in self._stores:
            self._stores[name] = self._store(name)
        try:
            return self._stores[name].deserialize_cdr(data, name)
        except Exception as error:  # struct, Unicode and rosbags errors alike: damaged bytes
            raise RecordingError(f"a message of type {name} cannot be read: {one_line(error)}") from error

    def _store(self, name: str) -> Any:
        reason = "the recording contains no definition"
        definition = self._definitions.get(name)
        if definition is not None and definition.format != MessageDefinitionFormat.NONE:
            try:
                store = get_typestore(Stores.EMPTY)
                store.register(parsed(definition.data, name, is_idl=definition.format == MessageDefinitionFormat.IDL))
                store.get_msgdef(name)
            except Exception as error:  # rosbags raises errors of many types
                reason = f"its definition in the recording cannot be parsed ({one_line(error)})"
            else:
                check_fields(store.fielddefs, common_types().fielddefs, name)
                return store
        if name in common_types().fielddefs:
            return common_types()
        raise RecordingError(f"message type {name} is unknown: {reason}, and it is not one of ROS 2's common types")


class Ros1Types:
    """Translator of ROS 1 messages to CDR bytes of the ROS 2 type of the same name."""

    def __init__(self, topics: list[StoredTopic]) -> None:
        self._definitions = {topic.type: topic.definition for topic in topics}
        self._published = {self.published_name(topic.type) for topic in topics}
        self._translators: dict[str, Any] = {}
        self._targets: dict[str, Any] = {}
        self._migration_cache: dict[str, object] = {}
        self._tails: dict[str, int] = {}

    def published_name(self, name: str) -> str:
        name = normalize_type(name)
        return RENAMED.get(name, name)

    def has(self, name: str) -> bool:
        """Whether messages of ROS 1 are published as this type."""
        return name in self._published

    def to_cdr(self, data: bytes, name: str) -> bytes:
        """ROS 1 bytes of the recorded type `name` as CDR of `published_name(name)`."""
        try:
            if name not in self._translators:
                self._translators[name] = self._translator(name)
            return bytes(self._translators[name](self._without_tail(data, name)))
        except Exception as error:
            raise RecordingError(f"a ROS 1 message of type {name} cannot be translated: {one_line(error)}") from error

    def _without_tail(self, data: bytes, name: str) -> bytes:
        """The bytes without those that the RealSense SDK's recorder appends to images, against their definition."""
        if normalize_type(name) == IMAGE and name not in self._tails:
            for tail in (0, SDK_TAIL):
                # rosbags raises errors of several types for bytes that do not fit; a damaged message decides nothing.
                with suppress(Exception):
                    self._translators[name](data[: len(data) - tail])
                    self._tails[name] = tail
                    break
        return data[: len(data) - self._tails.get(name, 0)]

    def deserialize(self, data: bytes, name: str) -> Any:
        store = self._targets.get(name, common_types())
        try:
            return store.deserialize_cdr(data, name)
        except Exception as error:
            raise RecordingError(f"a message of type {name} cannot be read: {one_line(error)}") from error

    def _translator(self, name: str) -> Any:
        recorded = get_typestore(Stores.EMPTY)
        types = parsed(self._definitions[name].data, name)
        # ROS 1's header has an additional field (seq), which rosbags skips given ROS 2's type of two fields.
        types[HEADER] = common_types().fielddefs[HEADER]
        types.setdefault("builtin_interfaces/msg/Time", common_types().fielddefs["builtin_interfaces/msg/Time"])
        types.setdefault("builtin_interfaces/msg/Duration", common_types().fielddefs["builtin_interfaces/msg/Duration"])
        recorded.register(types)
        target_name = self.published_name(name)
        target = common_types() if target_name in common_types().fielddefs else recorded
        self._targets[target_name] = target
        if is_same_wireformat(recorded, target, name, target_name):
            return lambda data: target.ros1_to_cdr(data, target_name)
        return lambda data: migrate_bytes(
            recorded, target, name, target_name, self._migration_cache, data, src_is2=False, dst_is2=True
        )


def uncompressed(data: bytes, largest: int = LARGEST_MESSAGE) -> bytes:
    """A message as it was before a recorder compressed it. Raises RecordingError for damaged and for too many bytes."""
    if not isinstance(data, bytes | bytearray | memoryview):  # a database may hold anything
        raise RecordingError("a message holds no bytes")
    try:
        is_packed = data[:4] == ZSTD_MAGIC
        return uncompress(bytes(data), "zstd", largest) if is_packed else uncompress(data, "", largest)
    except TooLargeError:
        raise RecordingError(f"a message has more than {largest / 1e6:.0f} MB") from None
    except PackedError as error:
        raise RecordingError(f"a compressed message cannot be read: {one_line(error)}") from None
