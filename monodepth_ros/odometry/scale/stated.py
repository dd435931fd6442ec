# SPDX-License-Identifier: Apache-2.0
"""Scales that somebody states: the checkpoint, the user, or nobody."""

from monodepth_ros.odometry.scale.source import ScaleError, ScaleEstimate, ScaleKind, ScaleSource

# How far off a network's own metres are on another day and another street of the kind that it was trained on (docs/scale.md).
CHECKPOINT_UNCERTAINTY = 0.10


class CheckpointScale(ScaleSource):
    """What the checkpoint's header says; ScaleError for one whose depth is relative, with the ways out."""

    def __init__(self, scale_kind: str, scale_factor: float, scale_origin: str):
        if scale_kind != "metric":
            raise ScaleError(
                "the checkpoint's depth is relative (it states no scale): set scale.camera_height to the camera's height "
                "above the ground, scale.odometry_topic to the robot's own odometry, or scale.source to 'fixed' and "
                "scale.factor to the metres per network unit; set scale.source to 'relative' to run without metres, "
                "or use a checkpoint trained with stereo or velocity"
            )
        self._estimate = ScaleEstimate(
            scale_factor, ScaleKind.CHECKPOINT, f"checkpoint: {scale_origin}", CHECKPOINT_UNCERTAINTY
        )

    def estimate(self) -> ScaleEstimate:
        return self._estimate


class FixedScale(ScaleSource):
    """A factor that the user gives, in metres per network unit, and vouches for."""

    def __init__(self, factor: float):
        self._estimate = ScaleEstimate(factor, ScaleKind.FIXED, f"fixed: {factor:g} m per network unit", 0.0)

    def estimate(self) -> ScaleEstimate:
        return self._estimate


class RelativeScale(ScaleSource):
    """No scale at all: depth stays in network units."""

    def estimate(self) -> ScaleEstimate:
        return ScaleEstimate(1.0, ScaleKind.RELATIVE, "relative: network units, not metres")
