# SPDX-License-Identifier: Apache-2.0
"""Scales that are stated and not measured: the checkpoint's, the user's, or none."""

from monodepth_ros.networks.checkpoints.header import CheckpointHeader
from monodepth_ros.odometry.scale.source import ScaleError, ScaleEstimate, ScaleKind, ScaleSource

# Error of a network's own metres on another day and another street of the kind it was trained on (docs/scale.md).
CHECKPOINT_UNCERTAINTY = 0.10


class CheckpointScale(ScaleSource):
    """The scale stated in the checkpoint's header; ScaleError, with the alternatives, if its depth is relative."""

    def __init__(self, header: CheckpointHeader):
        if not header.is_metric:
            raise ScaleError(
                "the checkpoint's depth is relative (it states no scale): set scale.camera_height to the camera's "
                "height above the ground, scale.odometry_topic to the robot's own odometry, or scale.source to "
                "'fixed' and scale.factor to the metres per network unit; set scale.source to 'relative' to run "
                "without metres, or use a checkpoint trained with stereo or velocity"
            )
        self._estimate = ScaleEstimate(
            header.scale_factor, ScaleKind.CHECKPOINT, f"checkpoint: {header.scale_origin}", CHECKPOINT_UNCERTAINTY
        )

    def estimate(self) -> ScaleEstimate:
        return self._estimate


class FixedScale(ScaleSource):
    """A factor given by the user [metres per network unit]."""

    def __init__(self, factor: float):
        self._estimate = ScaleEstimate(factor, ScaleKind.FIXED, f"fixed: {factor:g} m per network unit", 0.0)

    def estimate(self) -> ScaleEstimate:
        return self._estimate


class RelativeScale(ScaleSource):
    """No scale: depth stays in network units. reason: why, in words."""

    def __init__(self, reason: str = ""):
        because = f", because {reason}" if reason else ""
        self._estimate = ScaleEstimate(1.0, ScaleKind.RELATIVE, f"relative: network units, not metres{because}")

    def estimate(self) -> ScaleEstimate:
        return self._estimate
