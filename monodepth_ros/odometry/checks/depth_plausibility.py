# SPDX-License-Identifier: Apache-2.0
"""Depth that contradicts the camera's motion, or the known height of the camera, for seconds."""

import math
from collections import deque

import numpy as np

from monodepth_ros.odometry.scale.ground_plane import UPRIGHT, find_ground
from monodepth_ros.odometry.scale.source import ScaleEstimate, ScaleKind, SeenDepth

LASTING = 3.0  # time over which the medians are taken, and which they must cover [s]
MIN_MEASUREMENTS = 5
# Below this rank correlation the network does not know the scene (see depth_agreement.py).
MIN_AGREEMENT = 0.3
# Heights of the camera that differ by more than this factor contradict each other.
MAX_HEIGHT_RATIO = 1.4
GROUND_PERIOD = 0.5  # between two searches for the ground, which take as long as a tenth of a network [s]

UNKNOWN_SCENE = (
    "depth contradicts the parallax of the tracked points (rank correlation {agreement:.2f} over {seconds:.0f} s; 1 is "
    "perfect): the checkpoint does not know scenes like this one; use one that does, or adapt it with a recording "
    "(monodepth adapt)"
)
WRONG_HEIGHT = (
    "depth puts the ground {seen:.3g} m below the camera, which is mounted {known:.3g} m above it: lengths are "
    "{ratio:.2g} times what they should be; set scale.source to camera_height, or correct the height"
)


class DepthPlausibility:
    """Compares depth with motion and mount, frame by frame.

    Works for every checkpoint and scale: it needs no ground truth, only odometry by features or a known height of the
    camera.
    """

    def __init__(self) -> None:
        self._agreements: deque[tuple[int, float]] = deque()
        self._log_ratios: deque[tuple[int, float]] = deque()
        self._ground_ns = 0
        self._known_height = math.nan

    def observe_agreement(self, stamp_ns: int, agreement: float) -> None:
        """Add the rank correlation of a frame's depth with the points' parallax; NaN if the points show none."""
        _forget_old(self._agreements, stamp_ns)
        if math.isfinite(agreement):
            self._agreements.append((stamp_ns, agreement))

    def observe_depth(self, depth: SeenDepth, scale: ScaleEstimate, camera_height: float) -> None:
        """Compare the ground in a frame's depth with the known height of the camera [m], 0 if unknown.

        A scale that is itself made from this height says nothing.
        """
        _forget_old(self._log_ratios, depth.stamp_ns)
        height = camera_height or depth.mount.height
        is_made_of_it = scale.kind is ScaleKind.CAMERA_HEIGHT
        if not (height > 0 and scale.is_metric and scale.is_known) or is_made_of_it:
            self._log_ratios.clear()
            return
        if 0 <= depth.stamp_ns - self._ground_ns < GROUND_PERIOD * 1e9:
            return
        self._ground_ns = depth.stamp_ns
        up = depth.mount.up
        ground = find_ground(depth.inverse_depth, depth.camera, UPRIGHT if up is None else up, up is not None)
        if ground is not None:
            self._known_height = height
            self._log_ratios.append((depth.stamp_ns, math.log(scale.factor * ground.height / height)))

    @property
    def contradiction(self) -> str:
        """What has contradicted the depth for the last seconds, and what to do; '' if nothing has."""
        agreement = _lasting_median(self._agreements)
        if agreement < MIN_AGREEMENT:
            return UNKNOWN_SCENE.format(agreement=agreement, seconds=LASTING)
        log_ratio = _lasting_median(self._log_ratios)
        if abs(log_ratio) > math.log(MAX_HEIGHT_RATIO):
            ratio, known = math.exp(log_ratio), self._known_height
            return WRONG_HEIGHT.format(seen=ratio * known, known=known, ratio=ratio)
        return ""


def _forget_old(entries: deque[tuple[int, float]], now_ns: int) -> None:
    """Drop what is older than LASTING, or from before the stamps went back."""
    while entries and not 0 <= now_ns - entries[0][0] <= LASTING * 1e9:
        entries.popleft()


def _lasting_median(entries: deque[tuple[int, float]]) -> float:
    """Median of the values; NaN, which compares as false, unless they are enough and cover nearly LASTING seconds."""
    if len(entries) < MIN_MEASUREMENTS or entries[-1][0] - entries[0][0] < 0.8 * LASTING * 1e9:
        return math.nan
    return float(np.median([value for _, value in entries]))
