# SPDX-License-Identifier: Apache-2.0
"""Messages of the package foxglove_msgs, which have the fields of Foxglove's schemas, in ROS 2's own encoding."""

from collections.abc import Callable
from dataclasses import fields, is_dataclass, replace
from functools import lru_cache
from typing import Any

import numpy as np
from rosbags.interfaces import MessageDefinitionFormat
from rosbags.typesys import Stores, get_typestore

from monodepth_ros.data.bags.definitions import parsed
from monodepth_ros.data.bags.foxglove.records import Record, TranslationError, key
from monodepth_ros.data.bags.foxglove.schemas import SCHEMAS
from monodepth_ros.data.bags.foxglove.translation import Translator
from monodepth_ros.data.bags.storage.stored_file import NO_DEFINITION, StoredTopic
from monodepth_ros.data.bags.types import common_types
from monodepth_ros.errors import one_line

PACKAGE = "foxglove_msgs/msg/"


def as_ros_type(topic: StoredTopic) -> StoredTopic:
    """The topic, with a translation if it holds messages of foxglove_msgs that a common type of ROS corresponds to.

    Only with the definition of the messages in the file. CompressedVideo is used as it is.
    """
    type_name, mapper = SCHEMAS.get(topic.type.removeprefix(PACKAGE), ("", None))
    is_text = topic.definition.format == MessageDefinitionFormat.MSG
    is_foreign = not topic.type.startswith(PACKAGE) or type_name == topic.type
    if mapper is None or is_foreign or not is_text or topic.is_ros1 or topic.translate is not None:
        return topic
    translator = Translator(type_name, _decoder(topic.definition.data, topic.type), mapper)
    return replace(topic, type=type_name, definition=NO_DEFINITION, translate=translator.to_cdr)


def _decoder(definition: str, name: str) -> Callable[[bytes | memoryview], Record]:
    def decode(data: bytes | memoryview) -> Record:
        try:
            message = _store(definition, name).deserialize_cdr(bytes(data), name)
        except Exception as error:  # struct, Unicode and rosbags errors alike: damaged bytes or definitions
            raise TranslationError(f"a message of type {name} cannot be read: {one_line(error)}") from error
        found: Record = _value(message)
        return found

    return decode


@lru_cache(maxsize=32)
def _store(definition: str, name: str) -> Any:
    types = parsed(definition, name)
    for part in ("Time", "Duration"):
        part = f"builtin_interfaces/msg/{part}"
        types.setdefault(part, common_types().fielddefs[part])
    store = get_typestore(Stores.EMPTY)
    store.register(types)
    return store


def _value(value: Any) -> Any:
    if is_dataclass(value):
        return {key(item.name): _value(getattr(value, item.name)) for item in fields(value) if item.name[0] != "_"}
    if isinstance(value, list):
        return [_value(item) for item in value]
    if isinstance(value, np.ndarray):
        return value.tobytes() if value.dtype == np.uint8 else value.tolist()
    return value
