# SPDX-License-Identifier: Apache-2.0
"""Scale from the known height of the camera above the ground."""

import numpy as np

from monodepth_ros.odometry.scale.factor_window import FactorWindow
from monodepth_ros.odometry.scale.ground_plane import UPRIGHT, GroundPlane, find_ground
from monodepth_ros.odometry.scale.source import ScaleEstimate, ScaleKind, ScaleSource, ScaleState, SeenDepth

# Error that averaging does not remove: the network's error on the ground differs from that elsewhere, and the height
# itself is measured.
SYSTEMATIC = 0.04
# Ground on this share of the lower half of the image has full weight.
FULL_SHARE = 0.2
HELD_AFTER = 1.0  # [s]
# Gain per frame of the estimated up vector, if no mount states it.
UP_GAIN = 0.1


class CameraHeightScale(ScaleSource):
    """Ratio of the camera's height in metres to its height above the visible ground in network units.

    camera_height [m]: 0 takes the height of the frames' mounts.
    """

    needs_depth = True

    def __init__(self, camera_height: float, time_constant: float):
        self._camera_height = camera_height
        self._window = FactorWindow(time_constant, SYSTEMATIC, HELD_AFTER)
        self._up: np.ndarray | None = None
        self._ground: GroundPlane | None = None
        self._has_height = camera_height > 0

    @property
    def ground(self) -> GroundPlane | None:
        return self._ground

    def observe_depth(self, depth: SeenDepth) -> None:
        self._window.advance(depth.stamp_ns)
        height = self._camera_height or depth.mount.height
        self._has_height = height > 0
        is_up_known = depth.mount.up is not None
        up = depth.mount.up if is_up_known else self._up
        self._ground = ground = find_ground(
            depth.inverse_depth, depth.camera, UPRIGHT if up is None else up, is_up_known
        )
        if ground is None:
            return
        up = ground.up if self._up is None else self._up + UP_GAIN * (ground.up - self._up)
        self._up = up / np.linalg.norm(up)
        if self._has_height:
            weight = min(1.0, ground.share / FULL_SHARE)
            self._window.measure(depth.stamp_ns, height / ground.height, weight)

    def estimate(self) -> ScaleEstimate:
        window = self._window
        if not window.factor > 0:
            reason = (
                "no ground seen yet"
                if self._has_height
                else "its height is unknown: set scale.camera_height, or let TF connect the camera to "
                "scale.ground_frame"
            )
            return ScaleEstimate(
                window.factor, ScaleKind.CAMERA_HEIGHT, f"camera height: {reason}", state=ScaleState.WAITING
            )
        state = ScaleState.HELD if window.is_held else ScaleState.MEASURED
        held = ", held: no ground seen" if window.is_held else ""
        text = f"camera height: {window.factor:.4g} m per network unit +- {100 * window.uncertainty:.0f} %{held}"
        return ScaleEstimate(window.factor, ScaleKind.CAMERA_HEIGHT, text, window.uncertainty, state)
