# SPDX-License-Identifier: Apache-2.0
"""One frame: the input, the outputs that are wanted, and the results."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from monodepth_ros.data.images.image_codec import Pixels
from monodepth_ros.geometry.camera import CameraModel
from monodepth_ros.odometry.scale.source import NETWORK_UNITS, CameraMount, ScaleEstimate, SeenDepth
from monodepth_ros.odometry.visual_odometry import OdometryEstimate
from monodepth_ros.pipeline.depth_content import DepthContent
from monodepth_ros.pipeline.depth_image import DepthStatistics
from monodepth_ros.pipeline.frame_resampling import FrameResampling
from monodepth_ros.pipeline.network_view import NetworkView


@dataclass(frozen=True)
class Frame:
    """One image and the camera that took it.

    stamp_ns: time of the image, 0 if the source states none. mount: height and tilt of the camera above the ground, as
    far as known. in_order: the stamp continues those before it; if not, the frame gives depth, but neither odometry nor
    the scale uses it.
    """

    stamp_ns: int
    pixels: Pixels
    camera: CameraModel
    mount: CameraMount = CameraMount()
    in_order: bool = True


@dataclass(frozen=True)
class Demand:
    """The outputs wanted of a frame; nothing else is computed."""

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
    """The outputs of a frame; None for an output that was not wanted or cannot be computed.

    camera: pinhole model of the depth image. view: the network's view of this camera; has_new_view: it changed with
    this frame. depth: float32 (H, W) [m] (see depth_image.py), or uint16 [mm] with depth.encoding 16UC1. color: bgr
    uint8 (H, W, 3). cloud: CLOUD_DTYPE (h, w) in the optical frame, None for an uncalibrated camera; cloud_is_dense: no
    point is NaN. rectified: rgb uint8 (H, W, 3). ground: bgr uint8 (H, W, 3), the network's input with the ground found
    by the scale marked. correspondences: bgr uint8 (H, W, 3), the network's input with the tracked points.
    contradiction: what has contradicted the depth for seconds (see depth_plausibility.py), or empty. content: how much
    of the depth image holds depth. milliseconds: time per stage. failures: the errors of single stages after the depth
    network, by stage: what these would have made is missing, and everything else is there.

    `FramePipeline.track` fills odometry, correspondences and contradiction after everything else.
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
    contradiction: str = ""
    content: DepthContent | None = None
    milliseconds: dict[str, float] = field(default_factory=dict)
    failures: dict[str, Exception] = field(default_factory=dict)

    @contextmanager
    def apart(self, stage: str) -> Iterator[None]:
        """Keep an error of one stage to it: note it in `failures`, so that the others go on."""
        try:
            yield
        except Exception as error:  # a bug, or no memory for one output
            self.failures[stage] = error

    @property
    def unit(self) -> str:
        """The unit of the frame's lengths: metres need a metric scale and a calibrated camera."""
        return self.scale.unit if self.view.is_calibrated else NETWORK_UNITS


@dataclass
class PreparedFrame:
    """A frame that is ready for the depth network, alone or in a batch with frames of other cameras.

    resampling: the resamplers of its camera. rgb: the network's input, uint8 (H, W, 3), and image: the engine's handle
    of it; None if nothing needs them. motion_image: the handle of the pose network's input, which may be of another
    view (FrameResampling.motion_view). disparity: output of the depth network, (H, W) in [0, 1]; failure: the exception
    instead of it; batch_ms: time of the batch. scale_needs_depth, motion_needs_depth: the scale or the odometry needs
    the depth even if no output does; seen: that depth. wants_motion: the motion to this frame is wanted.
    """

    frame: Frame
    demand: Demand
    result: FrameResult
    resampling: FrameResampling
    rgb: np.ndarray | None = None
    image: Any = None
    motion_image: Any = None
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

    def see(self, scaled: np.ndarray) -> None:
        """Set `seen` from the inverse depth (h, w) of the network, in its own units and without a view's mask."""
        view = self.result.view
        inverse = scaled if view.depth_factor == 1.0 else scaled / np.float32(view.depth_factor)
        if view.resampler.valid is not None:
            inverse = np.where(view.resampler.valid, inverse, np.float32(np.nan))
        self.seen = SeenDepth(self.frame.stamp_ns, inverse, view.camera, self.frame.mount)
