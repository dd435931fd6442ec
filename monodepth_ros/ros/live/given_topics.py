# SPDX-License-Identifier: Apache-2.0
"""Remappings and QoS overrides given at start for topics that the node does not have: ROS drops them without a word."""

import re
from collections.abc import Iterable
from typing import NamedTuple

from rclpy.node import Node
from rclpy.qos_overriding_options import QoSOverridingOptions

from monodepth_ros.foreign_text import shown
from monodepth_ros.pipeline.node_config import NodeConfig
from monodepth_ros.ros.live.inputs.video_topics import VIDEO_TRANSPORTS
from monodepth_ros.ros.live.outputs import COMPRESSED_DEPTH, TOPICS, topic_prefix
from monodepth_ros.ros.parameters.node_parameters import QOS_OVERRIDES
from monodepth_ros.ros.parameters.parameter_files import ros_arguments
from monodepth_ros.ros.parameters.unknown_names import SHOWN_NAMES, nearest

POLICIES = [policy.name.lower() for policy in QoSOverridingOptions.with_default_policies().policy_kinds]
# Topics whose QoS has no overrides, and services.
OTHERS = ("/tf", "/tf_static", "/diagnostics", "/clock", "/rosout", "/parameter_events")
SERVICES = ("reset_odometry", "enable")


class NodeTopics(NamedTuple):
    """Names of the node's topics, relative ones as in its source: outputs, images and calibrations, and the others."""

    published: tuple[str, ...]
    subscribed: tuple[str, ...]
    others: tuple[str, ...]

    @classmethod
    def of(cls, config: NodeConfig) -> "NodeTopics":
        """The topics by the settings."""
        outputs = [topic for topic, _ in (TOPICS | COMPRESSED_DEPTH).values()]
        transports = ("compressed", *VIDEO_TRANSPORTS)
        inputs = ["image", "camera_info", *(f"image/{transport}" for transport in transports)]
        prefixes = [topic_prefix(camera) for camera in config.cameras or ("",)]
        published = [prefix + topic for prefix in prefixes for topic in outputs]
        subscribed = [prefix + topic for prefix in prefixes for topic in inputs]
        robot = (config.odometry.imu_topic, config.scale.odometry_topic)
        others = [*OTHERS, *(topic for topic in robot if topic)]
        return cls((*published, "odom", "twist", "path"), tuple(subscribed), tuple(others))

    @property
    def all(self) -> list[str]:
        return [*self.published, *self.subscribed, *self.others]


def notes_on_remappings(arguments: list[str], node: Node, config: NodeConfig) -> tuple[list[str], str]:
    """A line for each remapping of a topic that does not exist and seems misspelt, and one line for others, or ''."""
    notes, others = [], []
    known = {_absolute(topic, node): topic for topic in NodeTopics.of(config).all}
    known |= {_absolute(f"~/{service}", node): f"~/{service}" for service in SERVICES}
    for option, rule in ros_arguments(arguments):
        topic = _remapped_topic(rule, node) if option in ("-r", "--remap") else ""
        if not topic or _absolute(topic, node) in known:
            continue
        if found := nearest(_absolute(topic, node), known):
            notes.append(f"{option} {shown(rule)}: there is no topic {shown(topic)}; did you mean {known[found]}?")
        elif not topic.startswith("~"):  # a service of every node
            others.append(shown(topic))
    if not others:
        return notes, ""
    more = f" and {len(others) - SHOWN_NAMES} more" if len(others) > SHOWN_NAMES else ""
    return notes, (
        f"remappings of topics that this node does not have are ignored: {', '.join(others[:SHOWN_NAMES])}{more}; "
        "docs/topics.md lists those that it has"
    )


def _remapped_topic(rule: str, node: Node) -> str:
    """The topic that a rule remaps for this node; '' for another node, a service, a node's name, or a pattern."""
    source, arrow, _ = rule.partition(":=")
    of_node, colon, topic = source.rpartition(":")
    if not arrow or (colon and of_node.strip("/") not in (node.get_name(), "rostopic")):
        return ""
    topic = topic.removeprefix("//")  # of rostopic://
    return topic if re.fullmatch(r"[~/A-Za-z0-9_]+", topic) and not topic.startswith("__") else ""


def notes_on_qos_overrides(names: Iterable[str], node: Node, config: NodeConfig) -> list[str]:
    """A line for each QoS override that takes no effect."""
    topics = NodeTopics.of(config)
    resolved = {
        "publisher": {node.resolve_topic_name(topic) for topic in topics.published},
        "subscription": {node.resolve_topic_name(topic) for topic in topics.subscribed},
    }
    notes = []
    for name in sorted(names):
        reason = _against_override(name.removeprefix(QOS_OVERRIDES), resolved, config.image.find_topic)
        if reason:
            notes.append(f"{shown(name)} is ignored: {reason}")
    return notes


def _against_override(name: str, topics: dict[str, set[str]], may_find: bool) -> str:
    """Why an override of this name, <topic>.<entity>.<policy>, takes no effect; '' if it may take one."""
    parts = name.split(".")
    if len(parts) != 3:
        return f"expected {QOS_OVERRIDES}TOPIC.publisher.POLICY or {QOS_OVERRIDES}TOPIC.subscription.POLICY"
    topic, entity, policy = parts
    kind = entity.removesuffix("_video")
    if kind not in topics:
        return f"there is no {shown(entity)}, expected publisher or subscription"
    if policy not in POLICIES:
        return f"the policy {shown(policy)} cannot be set, expected {', '.join(POLICIES)}"
    if topic in topics[kind]:
        return ""
    other = "subscription" if kind == "publisher" else "publisher"
    if topic in topics[other]:
        return f"the node has no {kind} of {shown(topic)} but a {other}"
    found = nearest(topic if topic.startswith("/") else f"/{topic}", topics[kind])
    if found:
        return f"there is no topic {shown(topic)}; did you mean {found}?"
    # The images may be searched for, and have any name then.
    return "" if may_find and kind == "subscription" else f"there is no topic {shown(topic)} with QoS to set"


def _absolute(name: str, node: Node) -> str:
    """The full name of a topic or service before it is remapped."""
    if name.startswith("/"):
        return name
    if name.startswith("~/"):
        return f"{node.get_fully_qualified_name()}/{name[2:]}"
    return f"{node.get_namespace().rstrip('/')}/{name}"
