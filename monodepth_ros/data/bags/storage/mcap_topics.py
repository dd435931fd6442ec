# SPDX-License-Identifier: Apache-2.0
"""The topics of an MCAP file: the channel's encoding decides what its messages are, not the profile of the file."""

from collections.abc import Mapping

from mcap.records import Channel, Schema
from rosbags.interfaces import MessageDefinition, MessageDefinitionFormat

from monodepth_ros.data.bags.foxglove import translator
from monodepth_ros.data.bags.storage.mcap_index import McapIndex
from monodepth_ros.data.bags.storage.stored_file import NO_DEFINITION, StoredTopic, is_transient_local
from monodepth_ros.data.bags.types import normalize_type
from monodepth_ros.errors import MonodepthError, one_line

CDR_FORMATS = {
    "ros2msg": MessageDefinitionFormat.MSG,
    "ros2idl": MessageDefinitionFormat.IDL,
    "omgidl": MessageDefinitionFormat.IDL,
}
ROS1_FORMAT = "ros1msg"


def stored_topics(index: McapIndex, types: Mapping[str, str]) -> tuple[list[StoredTopic], dict[str, str]]:
    """The topics that can be read, and what the others hold. types: of topics whose channel has no schema."""
    topics, foreign = [], {}
    for channel in index.channels.values():
        schema = index.schemas.get(channel.schema_id)
        if schema is None and channel.topic in types:
            schema = Schema(0, b"", "", types[channel.topic])
        topic = _topic(channel, schema, index.counts.get(channel.id, 0))
        if isinstance(topic, StoredTopic):
            topics.append(topic)
        else:
            foreign[channel.topic] = topic
    return topics, foreign


def _topic(channel: Channel, schema: Schema | None, count: int) -> StoredTopic | str:
    encoding, described = channel.message_encoding.lower(), schema.encoding if schema else ""
    if encoding == "ros1" or (not encoding and described == ROS1_FORMAT):
        format = MessageDefinitionFormat.MSG
    elif encoding == "cdr" or (not encoding and described in CDR_FORMATS):
        # 'unknown' is what recorders write for a type whose definition they did not find, e.g. an action's.
        format = CDR_FORMATS.get(described, MessageDefinitionFormat.NONE)
    else:
        return _translated(channel, schema, count)
    if schema is None:
        return f"{encoding} messages without a schema that names their type"
    definition = NO_DEFINITION
    if format != MessageDefinitionFormat.NONE and schema.data:
        definition = MessageDefinition(format, schema.data.decode(errors="replace"))
    is_ros1 = encoding == "ros1" or described == ROS1_FORMAT
    type_name = normalize_type(schema.name)
    latched = _is_latched(channel)
    return StoredTopic(channel.id, channel.topic, type_name, count, definition, latched=latched, is_ros1=is_ros1)


def _translated(channel: Channel, schema: Schema | None, count: int) -> StoredTopic | str:
    """A topic of protobuf or JSON messages that have a ROS type, else what it holds."""
    name, described = (schema.name, schema.encoding) if schema else ("", "")
    words = " ".join(filter(None, (channel.message_encoding or "unknown encoding", name)))
    try:
        found = translator(channel.message_encoding, described, name, schema.data if schema else b"")
    except MonodepthError as error:
        return f"{words}: {one_line(error)}"
    if found is None:
        return words
    return StoredTopic(channel.id, channel.topic, found.type, count, translate=found.to_cdr)


def _is_latched(channel: Channel) -> bool | None:
    if "offered_qos_profiles" in channel.metadata:
        return is_transient_local(channel.metadata["offered_qos_profiles"])
    if "latching" in channel.metadata:
        return channel.metadata["latching"].lower() in ("1", "true")
    return None
