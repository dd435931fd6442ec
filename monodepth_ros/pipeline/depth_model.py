# SPDX-License-Identifier: Apache-2.0
"""`DepthModel`: the depth network and the odometry as a Python class, without ROS."""

import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from monodepth_ros.data.images.image_codec import Pixels
from monodepth_ros.errors import MonodepthError
from monodepth_ros.geometry.camera import CameraModel
from monodepth_ros.inference.create_engine import create_engine
from monodepth_ros.inference.engine import Engine
from monodepth_ros.networks.checkpoints.checkpoint import load_checkpoint
from monodepth_ros.networks.checkpoints.header import CheckpointHeader
from monodepth_ros.odometry.visual_odometry import OdometryEstimate, TrackingState
from monodepth_ros.pictures.color_picture import color_picture
from monodepth_ros.pipeline.config import PipelineConfig
from monodepth_ros.pipeline.frame import Demand, Frame, FrameResult
from monodepth_ros.pipeline.frame_pipeline import FramePipeline
from monodepth_ros.pipeline.moving_frame import T_ODOM_START
from monodepth_ros.pipeline.point_cloud import colored_points
from monodepth_ros.settings.schema import replace

LAYOUTS = {1: "mono", 3: "rgb", 4: "rgba"}

Image = np.ndarray | Pixels


@dataclass(frozen=True)
class DepthResult:
    """Depth of one image, and the camera's pose if it was tracked.

    depth: float32 (H, W), metres along the optical axis if `is_metric`, else network units; NaN where nothing is known,
    +Inf and -Inf beyond the settings' depth range. image: uint8 rgb (H, W, 3), rectified, pixel by pixel that of the
    depth. camera: its pinhole model. is_metric, scale: what the unit of the depth is, and why. view: how the network
    looked through the camera, in words. odometry: pose and velocity of the camera, None unless tracked.
    """

    stamp_ns: int
    depth: np.ndarray
    image: np.ndarray
    camera: CameraModel
    is_metric: bool
    scale: str
    view: str
    is_calibrated: bool
    odometry: OdometryEstimate | None = None

    @property
    def T_odom_camera(self) -> np.ndarray:
        """Pose of the camera (4, 4), optical axes, in a frame that is x forward, y left, z up where tracking began.

        Raises MonodepthError for a result that was not tracked.
        """
        if self.odometry is None:
            raise MonodepthError("this result has no pose: it comes from infer(); use track() for a sequence")
        return T_ODOM_START @ self.odometry.T_start_camera

    @property
    def is_tracking(self) -> bool:
        """Whether the pose follows from this image; a lost pose is that of the last image that was tracked."""
        return self.odometry is not None and self.odometry.state is TrackingState.TRACKING

    def cloud(self, stride: int = 1, min_range: float = 0.5, max_range: float = 60.0) -> tuple[np.ndarray, np.ndarray]:
        """Points (N, 3) float32 in optical axes, in the unit of the depth, and their colours (N, 3) uint8 rgb.

        Every stride-th pixel of every stride-th row whose depth is finite and between the ranges gives a point. Raises
        MonodepthError for a camera without calibration, whose rays are not known.
        """
        if not self.is_calibrated:
            raise MonodepthError("no cloud without calibration: give infer() the CameraModel of the image")
        points, _ = colored_points(self.depth, self.image, self.camera, stride, min_range, max_range)
        xyz = np.stack([points[axis] for axis in "xyz"], axis=-1)
        is_known = np.isfinite(xyz).all(axis=-1)
        return xyz[is_known], self.image[::stride, ::stride][is_known]

    def picture(self) -> np.ndarray:
        """The depth as a picture for people, uint8 bgr (H, W, 3): near is bright, far is dark, unknown is black."""
        return color_picture(self.depth)


class DepthModel:
    """A checkpoint's networks, ready to be asked: `DepthModel.load("demonstration").infer(image, camera)`.

    Depth and odometry are those of the ROS node and of `monodepth run`. Not safe for use by several threads at a time.
    """

    def __init__(self, engine: Engine, header: CheckpointHeader, config: PipelineConfig):
        self._engine, self._header, self._config = engine, header, config
        self._single = FramePipeline(engine, header, replace(config, {"odometry.enabled": False}))

    @classmethod
    def load(
        cls,
        checkpoint: str | Path = "demonstration",
        *,
        device: str = "auto",
        settings: Mapping[str, Any] | None = None,
        warn: Callable[[str], None] | None = None,
    ) -> "DepthModel":
        """Load a checkpoint: a .safetensors file, a folder of weights in monodepth2's format, or a name.

        "demonstration" is the checkpoint that comes with the package. device: auto (CUDA where there is one), cpu, cuda
        or cuda:N. settings: any of the node's settings of a frame by dotted name, such as
        {"depth.resolution": "image"}; see docs/parameters.md. warn: called with a line where an engine is refused;
        default: Python's warnings. Raises MonodepthError for a checkpoint, device or setting that does not fit.
        """
        config = replace(PipelineConfig(), {"checkpoint": str(checkpoint), "device": device, **(settings or {})})
        loaded = load_checkpoint(config.checkpoint)
        engine = create_engine(loaded, config, warn or _warn)
        return cls(engine, loaded.header, config)

    @property
    def description(self) -> str:
        """Networks, their input and scale, and what runs them, in words."""
        engine = self._engine
        return f"{self._header.summary()}; {engine.name} on {engine.device} ({engine.precision})"

    def infer(self, image: Image, camera: CameraModel | None = None) -> DepthResult:
        """Depth of one image.

        image: uint8 (H, W, 3) rgb, (H, W, 4) rgba or (H, W) grey, or `Pixels`. camera: the model of this image,
        distortion included; None assumes the field of view of the setting image.field_of_view: depth is then in
        network units, and there is no cloud.
        Raises MonodepthError for an image of another type, or whose size is not the camera's.
        """
        return self._process(self._single, 0, image, camera, wants_odometry=False)

    def track(self, frames: Iterable[tuple[float, Image]], camera: CameraModel | None = None) -> Iterator[DepthResult]:
        """Depth of every image of a sequence, and the pose of the camera, from a new origin.

        frames: (stamp [s], image), in the order of their stamps. Raises MonodepthError as `infer` does, and before the
        first image if these settings give no odometry.
        """
        pipeline = FramePipeline(self._engine, self._header, self._config)
        if not pipeline.has_odometry:
            raise MonodepthError(
                "no odometry with these settings: set odometry.enabled to true, and odometry.source to auto or features"
            )
        for stamp, image in frames:
            yield self._process(pipeline, round(stamp * 1e9), image, camera, wants_odometry=True)

    def close(self) -> None:
        """Release the networks and their memory on the device."""
        self._engine.release()

    def __enter__(self) -> "DepthModel":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _process(
        self, pipeline: FramePipeline, stamp_ns: int, image: Image, camera: CameraModel | None, wants_odometry: bool
    ) -> DepthResult:
        pixels = image if isinstance(image, Pixels) else _pixels(image)
        if camera is None:
            camera = CameraModel.uncalibrated(*pixels.size, self._config.image.field_of_view)
        demand = Demand(depth=True, rectified=True, odometry=wants_odometry)
        return _result(pipeline.process(Frame(stamp_ns, pixels, camera), demand))


def _result(found: FrameResult) -> DepthResult:
    assert found.depth is not None and found.rectified is not None  # both were asked for
    return DepthResult(
        stamp_ns=found.stamp_ns,
        depth=found.depth,
        image=found.rectified,
        camera=found.camera,
        is_metric=found.scale.is_metric,
        scale=found.scale.description,
        view=found.view.summary,
        is_calibrated=found.view.is_calibrated,
        odometry=found.odometry,
    )


def _pixels(image: np.ndarray) -> Pixels:
    channels = 1 if image.ndim == 2 else image.shape[-1]
    if image.dtype != np.uint8 or image.ndim not in (2, 3) or channels not in LAYOUTS or not image.size:
        raise MonodepthError(
            f"an image of shape {image.shape} and type {image.dtype}: "
            "expected uint8 (H, W), (H, W, 3) rgb or (H, W, 4) rgba"
        )
    return Pixels(image.reshape(image.shape[:2]) if channels == 1 else image, LAYOUTS[channels])


def _warn(line: str) -> None:
    warnings.warn(line, stacklevel=3)
