# SPDX-License-Identifier: Apache-2.0
"""Static transforms between coordinate frames, as published on /tf_static."""

from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np

from monodepth_ros.data.transform_messages import TransformMessageError, read_transform
from monodepth_ros.errors import MonodepthError
from monodepth_ros.foreign_text import few
from monodepth_ros.geometry.motion import invert

# Names of REP-105 and REP-120, with or without a prefix (robot1/base_link).
ROBOT_BASES = ("base_link", "base_footprint")
FIXED_FRAMES = ("odom", "map", "world", "earth")


class StaticTransformError(MonodepthError):
    """Two frames without a chain of static transforms between them."""


def ends_in(frame: str, names: tuple[str, ...]) -> bool:
    """Whether a frame has one of these names, with or without a prefix."""
    return frame.rpartition("/")[2] in names


class StaticTransforms:
    """A tree of frames. The last transform added for a child frame counts."""

    def __init__(self) -> None:
        self._parents: dict[str, tuple[str, np.ndarray]] = {}

    def add(self, transforms: Iterable[Any]) -> None:
        """Add geometry_msgs/TransformStamped; those that read_transform refuses are skipped."""
        for item in transforms:
            try:
                parent, child, T_parent_child = read_transform(item)
            except TransformMessageError:
                continue
            self._parents[child] = parent, T_parent_child

    def __iter__(self) -> Iterator[tuple[str, str, np.ndarray]]:
        """Parent, child and T_parent_child (4, 4) of every transform."""
        return iter((parent, child, T) for child, (parent, T) in self._parents.items())

    def parent_of(self, frame: str) -> str:
        """Parent of a frame, '' if it has none."""
        return self._parents.get(frame.lstrip("/"), ("", None))[0]

    def root_of(self, frame: str) -> str:
        """The frame at the top of the transforms above `frame`; itself if there are none."""
        frame = frame.lstrip("/")
        seen = {frame}
        while (parent := self.parent_of(frame)) and parent not in seen:
            seen.add(parent)
            frame = parent
        return frame

    def lookup(self, target: str, source: str) -> np.ndarray:
        """T_target_source (4, 4). Raises StaticTransformError if the two frames are not connected."""
        target, source = target.lstrip("/"), source.lstrip("/")
        above_target, above_source = self._above(target), self._above(source)
        for frame, T_frame_source in above_source.items():
            if frame in above_target:
                return invert(above_target[frame]) @ T_frame_source
        known = sorted({*self._parents, *(parent for parent, _ in self._parents.values())})
        raise StaticTransformError(
            f"no static transforms lead from {source!r} to {target!r}: the recording connects "
            f"{few(known) or 'no frames'}"
        )

    def _above(self, frame: str) -> dict[str, np.ndarray]:
        """The frame and all frames above it in the tree, with T_above_frame."""
        found, T = {frame: np.eye(4)}, np.eye(4)
        while frame in self._parents:
            frame, T_parent_child = self._parents[frame]
            if frame in found:  # a cycle
                break
            T = T_parent_child @ T
            found[frame] = T
        return found
