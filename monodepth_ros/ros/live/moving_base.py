# SPDX-License-Identifier: Apache-2.0
"""The moving frame of the live odometry, as TF arrives."""

import time

from monodepth_ros.pipeline.base_choice import BaseChoice, choose_base
from monodepth_ros.pipeline.moving_frame import rival, second_parent
from monodepth_ros.pipeline.node_config import NodeConfig
from monodepth_ros.ros.frame_tree import FrameTree
from monodepth_ros.ros.node_log import NodeLog

# Drivers and robots publish their trees when they start. A tree that may grow gets this much time to do so before the
# first transform of the odometry: a listener may never get rid of a wrong parent [s].
SETTLING = 2.0


class MovingBase:
    """Chooses the moving frame (base_frame), says so once, and says whether odom_frame -> base may be published.

    config: its base_frame and odom_frame apply; they cannot change while the node is configured.
    """

    def __init__(self, config: NodeConfig, tree: FrameTree, log: NodeLog):
        self._base_frame, self._odom_frame = config.base_frame, config.odom_frame
        self._tree = tree
        self._log = log
        self._choice: BaseChoice | None = None
        self._changed = 0.0
        self._said: BaseChoice | None = None
        self._has_published = False

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
        if self._said is None:
            self._log.info(f"odometry of {choice.description}")
        else:
            listeners = "; restart the listeners of /tf that saw the old parent" if self._has_published else ""
            self._log.warning(
                f"odometry now of {choice.description}, and no longer of {self._said.frame}: transforms came late; the "
                f"trajectory goes on in the new frame{listeners}"
            )
        self._said = choice

    def reason_against_tf(self, config: NodeConfig) -> str | None:
        """Why odom_frame -> base must not be published; empty if it may be, None while it must wait for the tree."""
        if self._choice is None or not self._is_settled:
            return None
        frame = self._choice.frame
        if self._tree.has_rival(self._odom_frame, frame):
            return rival(config, frame)
        parent = self._tree.parent_of(frame)
        return second_parent(config, frame, parent.name if parent is not None else "")

    def note_published(self, stamp_ns: int) -> None:
        """Announce a transform of our own, before it is published."""
        self._has_published = True
        self._tree.note_own(stamp_ns)
