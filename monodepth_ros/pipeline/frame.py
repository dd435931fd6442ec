# SPDX-License-Identifier: Apache-2.0
"""A frame, what is wanted of it, and what comes out."""

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from monodepth_ros.data.image_codec import Pixels
from monodepth_ros.errors import MonodepthError
from monodepth_ros.geometry.camera import CameraModel
from monodepth_ros.odometry.scale.source import CameraMount, ScaleEstimate, SeenDepth
from monodepth_ros.odometry.visual_odometry import OdometryEstimate
from monodepth_ros.pipeline.depth_image import DepthStatistics
from monodepth_ros.pipeline.network_view import NetworkView


class FrameError(MonodepthError):
    """A frame that does not fit its camera model."""


@dataclass(frozen=True)
class Frame:
    """One image with the camera it was taken by. stamp_ns: when (0 where the source states none).

    mount: how that camera stands above the ground, as far as known.
    """

    stamp_ns: int
    pixels: Pixels
    camera: CameraModel
    mount: CameraMount = CameraMount()


@dataclass(frozen=True)
class Demand:
    """Which outputs somebody wants of a frame; the rest is not computed."""

    depth: bool = False
    color: bool = False
    cloud: bool = False
    rectified: bool = False
    statistics: bool = False
    odometry: bool = False
    ground: bool = False
    correspondences: bool = False

    @property
    def needs_depth(self) -> bool:
        return self.depth or self.color or self.cloud or self.statistics or self.ground

    def __bool__(self) -> bool:
        return self.needs_depth or self.rectified or self.odometry


@dataclass
class FrameResult:
    """What was asked for; None where it was not, or where it cannot be had.

    camera: pinhole model of the depth image; view: how the network looked; has_new_view: it changed with this
    frame. depth: float32 (H, W) [m] (see depth_image.py), or uint16 [mm] if so configured. color: bgr uint8
    (H, W, 3). cloud: CLOUD_DTYPE (h, w) in the optical frame, None for an uncalibrated camera;
    cloud_is_dense: none is NaN. rectified: rgb uint8 (H, W, 3). ground: bgr uint8 (H, W, 3) of the network's input,
    what the scale takes for ground marked. correspondences: the same, with the points that the odometry follows.
    milliseconds: time spent by stage.

    odometry and correspondences come last, and the rest does not wait for them (`FramePipeline.track`).
    """

    stamp_ns: int
    camera: CameraModel
    view: NetworkView
    has_new_view: bool
    scale: ScaleEstimate
    depth: np.ndarray | None = None
    color: np.ndarray | None = None
    cloud: np.ndarray | None = None
    cloud_is_dense: bool = False
    rectified: np.ndarray | None = None
    statistics: DepthStatistics | None = None
    odometry: OdometryEstimate | None = None
    ground: np.ndarray | None = None
    correspondences: np.ndarray | None = None
    milliseconds: dict[str, float] = field(default_factory=dict)


@dataclass
class PreparedFrame:
    """A frame that is ready for the depth network, in a batch with other cameras' frames or alone.

    rgb: the network's input, uint8 (H, W, 3), and image: the engine's handle of it; None where nothing asks
    for them. disparity: what the depth network said, (H, W) in [0, 1]; failure: why it could not. batch_ms:
    how long it took. scale_needs_depth, motion_needs_depth: the scale, or the odometry, must
    see it, whoever else wants it; seen: what they see. wants_motion: its motion is asked for.
    """

    frame: Frame
    demand: Demand
    result: FrameResult
    rgb: np.ndarray | None = None
    image: Any = None
    disparity: np.ndarray | None = None
    failure: Exception | None = None
    batch_ms: float = 0.0
    seen: SeenDepth | None = None
    scale_needs_depth: bool = False
    wants_motion: bool = False
    motion_needs_depth: bool = False

    @property
    def needs_depth(self) -> bool:
        return self.demand.needs_depth or self.scale_needs_depth or self.motion_needs_depth
