# SPDX-License-Identifier: Apache-2.0
"""Interface of the scale sources, and the observations they measure from."""

import math
from abc import ABC, abstractmethod
from dataclasses import dataclass
from enum import IntEnum

import numpy as np

from monodepth_ros.errors import MonodepthError
from monodepth_ros.geometry.camera import CameraModel
from monodepth_ros.odometry.scale.ground_plane import GroundPlane

NETWORK_UNITS = "network units"


class ScaleError(MonodepthError):
    """A scale source that cannot give a scale."""


class ScaleKind(IntEnum):
    """Origin of the scale, numbered as in DepthStatus.msg."""

    RELATIVE = 0
    CHECKPOINT = 1
    FIXED = 2
    CAMERA_HEIGHT = 3
    ODOMETRY = 4
    METRIC_MODEL = 5
    STEREO = 6


class ScaleState(IntEnum):
    """State of the scale, numbered as in DepthStatus.msg."""

    STATED = 0  # stated by checkpoint or user, not measured
    WAITING = 1  # nothing measured yet
    MEASURED = 2  # measured recently
    HELD = 3  # measured earlier; the value stays and its uncertainty grows
    CHANGING = 4  # on the way from one source's value to another's


@dataclass(frozen=True)
class ScaleEstimate:
    """A scale, its kind, and a description in plain words.

    factor: metres per network unit (1 for RELATIVE, NaN if unknown). uncertainty: standard deviation of the factor as a
    share of it, NaN if unknown.
    """

    factor: float
    kind: ScaleKind
    description: str
    uncertainty: float = math.nan
    state: ScaleState = ScaleState.STATED

    @property
    def is_metric(self) -> bool:
        """Whether depth times the factor is in metres."""
        return self.kind is not ScaleKind.RELATIVE

    @property
    def unit(self) -> str:
        """The unit of lengths under this scale, as every file, axis and picture names it."""
        return "m" if self.is_metric else NETWORK_UNITS

    @property
    def is_known(self) -> bool:
        """Whether there is a factor."""
        return math.isfinite(self.factor)


@dataclass(frozen=True)
class CameraMount:
    """Mounting of a camera above the ground.

    height: height of its optical centre [m], 0 if unknown. up: (3,) unit vector in optical axes, None if unknown.
    """

    height: float = 0.0
    up: np.ndarray | None = None


@dataclass(frozen=True)
class SeenDepth:
    """Depth of a frame before scaling.

    inverse_depth: (H, W) in 1 / network unit, NaN if unseen. camera: its pinhole camera.
    """

    stamp_ns: int
    inverse_depth: np.ndarray
    camera: CameraModel
    mount: CameraMount


@dataclass(frozen=True)
class SeenMotion:
    """Motion of the camera between two frames before scaling: T_start_stop (4, 4), translation in network units."""

    start_ns: int
    stop_ns: int
    T_start_stop: np.ndarray


class ScaleSource(ABC):
    """A source of the metres per network unit.

    needs_depth, needs_motion: whether `observe_depth` and `observe_motion` must be called for each frame. needs_pairs:
    whether it compares the images of two cameras, which the caller hands over before the depth (`StereoImages`).
    """

    needs_depth = False
    needs_motion = False
    needs_pairs = False

    @property
    def ground(self) -> GroundPlane | None:
        """The ground in the newest depth, if the source looks for it and it is visible."""
        return None

    def observe_depth(self, depth: SeenDepth) -> None:
        """Take a frame's depth into account."""

    def observe_motion(self, motion: SeenMotion) -> None:
        """Take the motion since the frame before into account."""

    @abstractmethod
    def estimate(self) -> ScaleEstimate:
        """The scale at the newest frame observed."""
