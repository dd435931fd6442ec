# SPDX-License-Identifier: Apache-2.0
"""The log line for a publisher and a subscription whose QoS do not match."""

from collections.abc import Callable, Mapping

from rclpy.node import Node
from rclpy.qos import qos_policy_name_from_kind

from monodepth_ros.ros.node_log import node_log


def log_incompatible_qos(node: Node, who: str, effect: str, remedies: Mapping[str, str]) -> Callable:
    """An event callback that logs an incompatible QoS, its effect and a remedy.

    who: subject and verb, e.g. "a publisher of /image offers". remedies: by policy (lower case); other policies get a
    general remedy.
    """

    log = node_log(node)

    def report(event) -> None:
        policy = qos_policy_name_from_kind(event.last_policy_kind).lower()
        remedy = remedies.get(policy, "change its QoS or qos_overrides")
        log.error(f"{who} an incompatible QoS ({policy}): {effect}; {remedy}", cause=f"qos of {who}")

    return report
