# SPDX-License-Identifier: Apache-2.0
"""`ros2 run monodepth_ros security_policy`: the SROS2 policy of a depth_node with these parameters and remappings.

The policy is read off a real node with the given arguments, so it names the topics and services that this node has.
Form: sros2's policy.xsd, version 0.2.0; https://design.ros2.org/articles/ros2_access_control_policies.html
"""

import argparse
import os
import sys
from collections.abc import Iterable
from typing import NamedTuple
from xml.etree import ElementTree

from monodepth_ros.errors import one_line

VERSION = "0.2.0"
# What every node of rclpy has or may have, whatever the middleware says of it at this moment.
PUBLISHED_BY_ALL = ("/parameter_events", "/rosout")
SUBSCRIBED_BY_ALL = ("/clock",)


class Permissions(NamedTuple):
    """Absolute names of the topics that a node publishes and subscribes to, and of the services that it offers."""

    name: str
    namespace: str
    publishes: frozenset[str]
    subscribes: frozenset[str]
    offers: frozenset[str]


def main(arguments: list[str] | None = None) -> int:
    """Print the policy; 2 with one line for bad input."""
    arguments = sys.argv[1:] if arguments is None else arguments
    # Nobody is met: the topics are those of the arguments, whatever is published now.
    os.environ["ROS_AUTOMATIC_DISCOVERY_RANGE"] = "OFF"
    try:
        import rclpy  # noqa: PLC0415  ROS may be missing
        from rclpy.utilities import remove_ros_args  # noqa: PLC0415
    except ImportError as error:
        print(f"security_policy: ROS 2 is not in this environment ({error}): source its set-up first", file=sys.stderr)
        return 2
    try:
        options = build_parser().parse_args(remove_ros_args(arguments))
        rclpy.init(args=arguments)
        permissions = permissions_of_node()
    except Exception as error:  # ours name the parameter; rclpy's are about names, files and arguments
        print(f"security_policy: {one_line(error)}", file=sys.stderr)
        return 2
    finally:
        rclpy.try_shutdown()
    print(policy(permissions, options.enclave or f"{permissions.namespace.rstrip('/')}/{permissions.name}"), end="")
    return 0


def build_parser() -> argparse.ArgumentParser:
    """The command line of `security_policy`."""
    parser = argparse.ArgumentParser(
        prog="security_policy",
        description="Print the SROS2 policy of a depth_node that is started with the same arguments (parameters, "
        "remappings, namespace) after --ros-args. `ros2 security create_permission` makes a node's permissions of it.",
    )
    parser.add_argument("--enclave", default="", help="path of the enclave (default: the node's full name)")
    return parser


def permissions_of_node() -> Permissions:
    """The permissions of a depth node with this process's ROS arguments, which is made, activated and removed.

    Raises MonodepthError for bad parameters.
    """
    from rclpy.lifecycle import TransitionCallbackReturn  # noqa: PLC0415

    from monodepth_ros.errors import MonodepthError  # noqa: PLC0415
    from monodepth_ros.ros.live.lifecycle_node import DepthNode  # noqa: PLC0415

    node = DepthNode()
    try:
        for transition in (node.trigger_configure, node.trigger_activate):
            if transition() != TransitionCallbackReturn.SUCCESS:
                raise MonodepthError("the node does not start with these parameters: the line above says why")
        return permissions_of(node)
    finally:
        node.end()
        node.destroy_node()


def permissions_of(node) -> Permissions:
    """The permissions that an active DepthNode needs, also for what it may subscribe to later."""
    from monodepth_ros.ros.live.inputs.video_topics import VIDEO_TRANSPORTS  # noqa: PLC0415

    name, namespace = node.get_name(), node.get_namespace()
    publishes = _names(node.get_publisher_names_and_types_by_node(name, namespace))
    subscribes = _names(node.get_subscriber_names_and_types_by_node(name, namespace))
    for stream in node.streams:
        if stream.config.image_transport == "auto":  # decided when something is published
            base = stream.intake.image_topic.removesuffix("/compressed")
            subscribes |= {base, f"{base}/compressed", *(f"{base}/{video}" for video in VIDEO_TRANSPORTS)}
    return Permissions(
        name=name,
        namespace=namespace,
        publishes=frozenset(publishes | set(PUBLISHED_BY_ALL)),
        subscribes=frozenset(subscribes | set(SUBSCRIBED_BY_ALL)),
        offers=frozenset(_names(node.get_service_names_and_types_by_node(name, namespace))),
    )


def _names(names_and_types: Iterable[tuple[str, list[str]]]) -> set[str]:
    return {name for name, _ in names_and_types}


def policy(permissions: Permissions, enclave: str) -> str:
    """The policy as XML text, for one node in an enclave."""
    root = ElementTree.Element("policy", version=VERSION)
    enclaves = ElementTree.SubElement(root, "enclaves")
    profiles = ElementTree.SubElement(ElementTree.SubElement(enclaves, "enclave", path=enclave), "profiles")
    profile = ElementTree.SubElement(profiles, "profile", ns=permissions.namespace, node=permissions.name)
    for kind, qualifier, names in (
        ("topic", "publish", permissions.publishes),
        ("topic", "subscribe", permissions.subscribes),
        ("service", "reply", permissions.offers),
    ):
        group = ElementTree.SubElement(profile, f"{kind}s", {qualifier: "ALLOW"})
        for name in sorted(names):
            ElementTree.SubElement(group, kind).text = name
    ElementTree.indent(root)
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + ElementTree.tostring(root, encoding="unicode") + "\n"


if __name__ == "__main__":
    sys.exit(main())
