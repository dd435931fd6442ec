# SPDX-License-Identifier: Apache-2.0
"""Nodes that have the same full name as this one, at start or later."""

import time

from rclpy.node import Node

# The entry of a node that has just been restarted may still be there; that of one that was killed stays for 20 s [s].
LASTING = 2.0


class Namesakes:
    """Looks for other nodes of this node's full name. Call `problem` about once a second."""

    def __init__(self, node: Node):
        self._node = node
        self._since: float | None = None

    def problem(self) -> str:
        """That there are others, and what to do; empty if there are none."""
        own = self._node.get_name(), self._node.get_namespace()
        count = self._node.get_node_names_and_namespaces().count(own)
        now = time.monotonic()
        if count < 2:
            self._since = None
            return ""
        if self._since is None:
            self._since = now
        if now - self._since < LASTING:
            return ""
        return (
            f"{count} nodes are named {self._node.get_fully_qualified_name()}: services, parameters and outputs get "
            "mixed; end all but one, or give it another name or namespace (-r __node:=NAME or -r __ns:=/NAMESPACE, "
            "with launch namespace:=NAME); the entry of a node that was killed goes away by itself within half a minute"
        )
