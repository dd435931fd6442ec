"""The interface of every scale source."""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from enum import IntEnum

from monodepth_ros.errors import MonodepthError


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


@dataclass(frozen=True)
class ScaleEstimate:
    """factor: metres per network unit (1 for RELATIVE); kind: who states it; description: in plain words."""

    factor: float
    kind: ScaleKind
    description: str

    @property
    def is_metric(self) -> bool:
        """Whether depth times the factor is metres."""
        return self.kind is not ScaleKind.RELATIVE


class ScaleSource(ABC):
    """Something that knows how many metres a network unit is."""

    @abstractmethod
    def estimate(self) -> ScaleEstimate:
        """The scale as known now."""
