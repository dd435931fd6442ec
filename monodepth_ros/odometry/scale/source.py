# SPDX-License-Identifier: Apache-2.0
"""The interface of every scale source, and what frames tell it."""

import math
from abc import ABC, abstractmethod
from dataclasses import dataclass
from enum import IntEnum

import numpy as np

from monodepth_ros.errors import MonodepthError
from monodepth_ros.geometry.camera import CameraModel
from monodepth_ros.odometry.scale.ground_plane import GroundPlane


class ScaleError(MonodepthError):
    """No scale can be had from the source that was asked for."""


class ScaleKind(IntEnum):
    """Who states the scale; the numbers are those of DepthStatus.msg."""

    RELATIVE = 0
    CHECKPOINT = 1
    FIXED = 2
    CAMERA_HEIGHT = 3
    ODOMETRY = 4
    METRIC_MODEL = 5


class ScaleState(IntEnum):
    """How the scale stands; the numbers are those of DepthStatus.msg."""

    STATED = 0  # nothing is measured: somebody says so
    WAITING = 1  # nothing has been measured yet
    MEASURED = 2  # measured within the last moments
    HELD = 3  # measured earlier; the value stays and its uncertainty grows
    CHANGING = 4  # on its way from one source's value to another's


@dataclass(frozen=True)
class ScaleEstimate:
    """factor: metres per network unit (1 for RELATIVE, NaN while unknown); kind: who states it; description: in plain words.

    uncertainty: one standard deviation of the factor as a share of it, NaN where nobody knows.
    """

    factor: float
    kind: ScaleKind
    description: str
    uncertainty: float = math.nan
    state: ScaleState = ScaleState.STATED

    @property
    def is_metric(self) -> bool:
        """Whether depth times the factor is metres."""
        return self.kind is not ScaleKind.RELATIVE

    @property
    def is_known(self) -> bool:
        """Whether there is a factor at all."""
        return math.isfinite(self.factor)


@dataclass(frozen=True)
class CameraMount:
    """How a camera stands above the ground.

    height: of its optical centre [m], 0 where not known; up: (3,) unit vector in optical axes, None where not known.
    """

    height: float = 0.0
    up: np.ndarray | None = None


@dataclass(frozen=True)
class SeenDepth:
    """A frame's depth before any scale: inverse depth (H, W) in 1/network units, NaN where unseen, and its pinhole camera."""

    stamp_ns: int
    inverse_depth: np.ndarray
    camera: CameraModel
    mount: CameraMount


@dataclass(frozen=True)
class SeenMotion:
    """The camera's motion between two frames, before any scale: T_start_stop (4, 4), translation in network units."""

    start_ns: int
    stop_ns: int
    T_start_stop: np.ndarray


class ScaleSource(ABC):
    """Something that knows how many metres a network unit is.

    needs_depth, needs_motion: what of each frame it must be shown by `observe_depth` and `observe_motion`. ground: what it
    took for the ground in the newest depth, if anything.
    """

    needs_depth = False
    needs_motion = False
    ground: GroundPlane | None = None

    def observe_depth(self, depth: SeenDepth) -> None:
        """Take a frame's depth into account."""

    def observe_motion(self, motion: SeenMotion) -> None:
        """Take the motion since the frame before into account."""

    @abstractmethod
    def estimate(self) -> ScaleEstimate:
        """The scale as known now, that is at the newest frame observed."""
