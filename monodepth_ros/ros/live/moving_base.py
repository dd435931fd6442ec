# SPDX-License-Identifier: Apache-2.0
"""The moving frame of the live odometry, as TF arrives."""

import time
from collections import Counter
from collections.abc import Sequence

from geometry_msgs.msg import TransformStamped

from monodepth_ros.foreign_text import shown
from monodepth_ros.pipeline.base_choice import BaseChoice, choose_base
from monodepth_ros.pipeline.moving_frame import loop, odometry_link, rival, second_parent
from monodepth_ros.pipeline.node_config import NodeConfig
from monodepth_ros.ros.frame_tree import FrameTree, ParentInForce
from monodepth_ros.ros.live.inputs.publishers import node_name
from monodepth_ros.ros.node_log import node_log

# Drivers and robots publish their trees when they start. A tree that may grow gets this much time to do so before the
# first transform of the odometry: a listener may never get rid of a wrong parent [s].
SETTLING = 2.0
SHOWN_NODES = 5


class MovingBase:
    """Chooses the moving frame (base_frame), says so once, and says whether odom_frame -> base may be published.

    config: its base_frame and odom_frame apply; they cannot change while the node is configured.
    """

    def __init__(self, config: NodeConfig, tree: FrameTree, node):
        self._base_frame, self._odom_frame = config.base_frame, config.odom_frame
        self._tree = tree
        self._node = node
        self._log = node_log(node)
        self._choice: BaseChoice | None = None
        self._changed = 0.0
        self._said: BaseChoice | None = None
        self._published: tuple[str, str] | None = None

    @property
    def description(self) -> str:
        """The moving frame in plain words; empty before the first image."""
        return "" if self._choice is None else self._choice.description

    def choose(self, camera: str) -> tuple[BaseChoice, bool]:
        """The moving frame for the camera's frame, and whether it is another one than before."""
        choice = choose_base(self._base_frame, camera, self._tree.parent_of, self._odom_frame)
        has_changed = self._choice is None or choice[:2] != self._choice[:2]
        self._choice = choice
        if has_changed:
            self._changed = time.monotonic()
        is_new = self._is_settled and (self._said is None or self._said[:2] != choice[:2])
        if is_new and self._log.is_due("base", most=2):
            self._say(choice)
        return choice, has_changed

    @property
    def _is_settled(self) -> bool:
        choice = self._choice
        return choice is not None and (choice.is_certain or time.monotonic() - self._changed >= SETTLING)

    def _say(self, choice: BaseChoice) -> None:
        if self._said is None or self._said.frame == choice.frame:
            by = "" if self._said is None else f", now by the camera of frame {shown(choice.camera)}"
            self._log.info(f"odometry of {choice.description}{by}")
        else:
            listeners = "; restart the listeners of /tf that saw the old parent" if self._published else ""
            self._log.warning(
                f"odometry now of {choice.description}, and no longer of {self._said.frame}: TF has changed, or came "
                f"late; the trajectory goes on in the new frame{listeners}"
            )
        self._said = choice

    def reason_against_tf(self, config: NodeConfig) -> str | None:
        """Why the odometry's transform must not be published; empty if it may be, None while it must wait for the tree.

        Call it for every transform: another node's may come at any time.
        """
        if self._choice is None or not self._is_settled:
            return None
        frame = self._choice.frame
        own, child = odometry_link(config, frame)
        others = self._tree.parents_of(child)
        if same := next((parent for parent in others if parent.name == own), None):
            return rival(config, frame, self._by([same]))
        if others:
            names = " and ".join(sorted({shown(parent.name) for parent in others}))
            return second_parent(config, frame, names, self._by(others))
        if way := self._tree.way_up(own, child):
            links = [parent for name in way[:-1] for parent in self._tree.parents_of(name)]
            return loop(config, frame, [shown(name) for name in way], self._by(links))
        return ""

    def dispute(self) -> str:
        """The frames from the camera upwards with two parents, whose place is therefore unsure; or an empty string."""
        if self._choice is None:
            return ""
        disputed = list(self._tree.disputed(self._choice.camera))
        if disputed and self._node.count_publishers("/tf_static") < 2:  # its only publisher has replaced a parent
            disputed = [(frame, parents) for frame, parents in disputed if not all(one.is_static for one in parents)]
        found = [
            f"{shown(frame)!r} has {len(parents)} parents in TF, {' and '.join(map(str, parents))}, published "
            f"{self._by(parents)}: the camera's place is unsure; stop one of the nodes, or rename its frames"
            for frame, parents in disputed
        ]
        return "; ".join(found)

    def _by(self, parents: Sequence[ParentInForce]) -> str:
        """Who publishes these, in words: TF itself does not tell."""
        texts = []
        for is_static in sorted({parent.is_static for parent in parents}):
            topic = "/tf_static" if is_static else "/tf"
            found = self._node.get_publishers_info_by_topic(topic)
            names = Counter(node_name(info) for info in found)
            if not is_static:
                names[self._node.get_fully_qualified_name()] -= 1  # this node's own publisher
            known = sorted(shown(name) for name, count in names.items() if count > 0)
            several = "one of " if len(known) > 1 else ""
            texts.append(f"on {topic} by {several}{' and '.join(known[:SHOWN_NODES]) or 'a node that has ended'}")
        return ", ".join(texts)

    def note_published(self, item: TransformStamped) -> None:
        """Announce a transform of our own, before it is published."""
        link = item.header.frame_id, item.child_frame_id
        if self._published == link[::-1]:
            self._log.warning(
                f"/tf now has {link[0]!r} -> {link[1]!r} and no longer its inverse, for invert_odom_tf has changed; "
                "restart the listeners of /tf that saw the old parent"
            )
        self._published = link
        self._tree.note_own(item)
