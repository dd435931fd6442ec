# SPDX-License-Identifier: Apache-2.0
"""What can be set about the processing of one frame, live or offline."""

from dataclasses import dataclass

from monodepth_ros.inference.config import EngineConfig
from monodepth_ros.odometry.config import OdometryConfig
from monodepth_ros.odometry.scale.config import ScaleConfig
from monodepth_ros.settings.schema import ConfigError, section, setting


@dataclass(frozen=True)
class ImageConfig:
    """How the camera's image is to be understood."""

    rectified: bool = setting(
        False,
        "The image is already rectified (an image_rect topic): its intrinsics are camera_info's P, and D is ignored.",
    )


@dataclass(frozen=True)
class DepthConfig:
    """The depth image."""

    resolution: str = setting(
        "network",
        "Size of the depth image: the network's, or that of the (rectified) camera image.",
        choices=("network", "image"),
        live=True,
    )
    encoding: str = setting(
        "32FC1",
        "32FC1: metres, NaN invalid, +Inf too far, -Inf too near; 16UC1: millimetres, 0 for all of these.",
        choices=("32FC1", "16UC1"),
    )
    min_range: float = setting(0.1, "Nearer is reported as too near.", unit="m", minimum=0.0, maximum=1000.0, live=True)
    max_range: float = setting(
        100.0, "Farther is reported as too far.", unit="m", minimum=0.0, maximum=10000.0, live=True
    )
    compressed: bool = setting(
        False, "Offer depth/image/compressedDepth too, as image_transport defines it (PNG; made when subscribed)."
    )
    compressed_quantization: float = setting(
        100.0,
        "image_transport's depth_quantization, for 32FC1: compressedDepth has steps of depth^2 / (q (q + 1)) and nothing "
        "nearer than about q (q + 1) / 65535 m; its depth_max is depth.max_range.",
        minimum=1.0,
        maximum=10000.0,
        live=True,
    )

    def __post_init__(self) -> None:
        _check_order("depth", self.min_range, self.max_range)


@dataclass(frozen=True)
class CloudConfig:
    """The coloured point cloud."""

    stride: int = setting(
        1,
        "Every stride-th pixel of every stride-th row becomes a point.",
        unit="pixels",
        minimum=1,
        maximum=64,
        live=True,
    )
    min_range: float = setting(
        0.5, "Nearer points are left out (NaN).", unit="m", minimum=0.0, maximum=1000.0, live=True
    )
    max_range: float = setting(
        60.0, "Farther points are left out (NaN).", unit="m", minimum=0.0, maximum=10000.0, live=True
    )

    def __post_init__(self) -> None:
        _check_order("cloud", self.min_range, self.max_range)


@dataclass(frozen=True)
class PipelineConfig(EngineConfig):
    """Everything the processing of a frame depends on, besides the frame."""

    calibration_file: str = setting(
        "", "Calibration in camera_calibration's YAML format, used instead of the camera_info topic."
    )
    image: ImageConfig = section(ImageConfig)
    depth: DepthConfig = section(DepthConfig)
    cloud: CloudConfig = section(CloudConfig)
    scale: ScaleConfig = section(ScaleConfig)
    odometry: OdometryConfig = section(OdometryConfig)


def _check_order(name: str, minimum: float, maximum: float) -> None:
    if minimum >= maximum:
        raise ConfigError(f"{name}.min_range {minimum:g} m must be less than {name}.max_range {maximum:g} m")
