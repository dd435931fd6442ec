# SPDX-License-Identifier: Apache-2.0
"""Outputs of a camera that have been empty for seconds although frames are processed."""

import time

import numpy as np

from monodepth_ros.pipeline.depth_content import STEP, reason_for_no_depth
from monodepth_ros.pipeline.frame import FrameResult
from monodepth_ros.pipeline.node_config import NodeConfig

LASTING = 2.0  # time for which every frame must have been empty before it is said [s]
FRAMES = 3  # and their number


class _Lasting:
    """What every frame has shown for LASTING seconds."""

    def __init__(self) -> None:
        self._since = 0.0
        self._count = 0

    def add(self, has_failed: bool, now: float) -> bool:
        if not has_failed:
            self._count = 0
            return False
        if self._count == 0:
            self._since = now
        self._count += 1
        return self._count >= FRAMES and now - self._since >= LASTING


class DepthWatch:
    """Says what is wrong with depth or cloud that are published and hold nothing.

    A scale that is not known yet is not said here: the diagnostics of the scale do.
    """

    def __init__(self) -> None:
        self._depth, self._cloud = _Lasting(), _Lasting()

    def observe(self, result: FrameResult, config: NodeConfig) -> str:
        """Add a frame; what has been wrong for seconds, and what to do, or an empty string."""
        now, content = time.monotonic(), result.content
        if content is None or not result.scale.is_known:
            return ""
        reason = reason_for_no_depth(content, config.depth, result.scale.description, result.unit)
        if self._depth.add(bool(reason), now):
            return f"{reason} (since {LASTING:g} s or more)"
        cloud = result.cloud
        is_empty = cloud is not None and not np.isfinite(cloud["z"][:: STEP if cloud.ndim > 1 else 1]).any()
        if self._cloud.add(is_empty and not reason, now):
            limits = (
                f"cloud.min_range ({config.cloud.min_range:g} m) and cloud.max_range ({config.cloud.max_range:g} m)"
            )
            return (
                f"depth/points is empty: no pixel is between {limits}; the scene's median is {content.median:.3g} "
                f"{result.unit}; widen these, or correct the scale"
            )
        return ""
