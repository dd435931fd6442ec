# SPDX-License-Identifier: Apache-2.0
"""Settings of the processing of one frame, live or offline."""

from dataclasses import dataclass

from monodepth_ros.data.images.image_codec import DecoderOptions
from monodepth_ros.inference.config import EngineConfig
from monodepth_ros.odometry.config import OdometryConfig
from monodepth_ros.odometry.scale.config import ScaleConfig
from monodepth_ros.pipeline.compressed_depth import FORMATS
from monodepth_ros.pipeline.pixel_settings import (
    check_pixels,
    check_rectification,
    encoding_setting,
    intensity_range_setting,
)
from monodepth_ros.pipeline.view_choice import VIEWS
from monodepth_ros.settings.schema import ConfigError, section, setting


@dataclass(frozen=True)
class ImageConfig:
    """Interpretation of the camera image."""

    rectified: bool = setting(
        False,
        "Set to true for an image that is already rectified (an image_rect topic): its intrinsics are then P of "
        "camera_info, and D is ignored. An image_rect topic is recognised by its name.",
    )
    unrectified: bool = setting(
        False,
        "Set to true for an image that is not rectified although its topic is named image_rect, or only P fits it: K "
        "and D of camera_info then apply.",
    )
    field_of_view: float = setting(
        0.0,
        "Horizontal field of view of a camera without calibration, whose lengths are not metres. 0 assumes 60 degrees "
        "across the longer side of the image, or takes the EXIF data of image files. Set it to the value of the lens's "
        "data sheet if you cannot calibrate the camera.",
        unit="degrees",
        minimum=0.0,
        maximum=170.0,
    )
    view: str = setting(
        "whole",
        "The part of the image that gets depth. whole: all of it, scaled to the network's number of rows if the camera "
        "of the training saw less than 80 % of it. training: only what that camera saw, at its scale; set it if the "
        "accuracy in the middle of the image matters more than its edges.",
        choices=VIEWS,
    )
    encoding: str = encoding_setting()
    intensity_range: str = intensity_range_setting()

    def __post_init__(self) -> None:
        check_pixels("image", self.decoder_options)
        check_rectification("image", self.rectified, self.unrectified)

    @property
    def decoder_options(self) -> DecoderOptions:
        """The options of the images' decoder."""
        return DecoderOptions(self.encoding, self.intensity_range)


@dataclass(frozen=True)
class DepthConfig:
    """The depth image."""

    resolution: str = setting(
        "network",
        "Size of the depth image and the cloud: the network's input size, or the size of the (rectified) camera image. "
        "image costs time and adds no detail; use it for software that expects depth and image of one size.",
        choices=("network", "image"),
        live=True,
    )
    encoding: str = setting(
        "32FC1",
        "32FC1: metres, with NaN for invalid, +Inf for too far and -Inf for too near; 16UC1: millimetres, with 0 for "
        "all of these.",
        choices=("32FC1", "16UC1"),
    )
    min_range: float = setting(
        0.1, "Depth below this is reported as too near.", unit="m", minimum=0.0, maximum=1000.0, live=True
    )
    max_range: float = setting(
        100.0, "Depth above this is reported as too far.", unit="m", minimum=0.0, maximum=10000.0, live=True
    )
    compressed: bool = setting(
        False,
        "Also offer depth/image/compressedDepth, in image_transport's format (encoded only while subscribed). "
        "Enable it to view or record depth over a slow network.",
    )
    compressed_format: str = setting(
        "png",
        "png: smaller. rvl: image_transport's other code, which its subscribers decode faster.",
        choices=FORMATS,
        live=True,
    )
    compressed_quantization: float = setting(
        100.0,
        "image_transport's depth_quantization q, for encoding 32FC1: the steps of compressedDepth are depth^2 / (q (q "
        "+ 1)), and its smallest depth is about q (q + 1) / 65535 m; its depth_max is depth.max_range. Raise it for "
        "finer steps far away, at the cost of depth near the camera.",
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
        "Make a point of every stride-th pixel in every stride-th row. Raise it to save bandwidth.",
        unit="pixels",
        minimum=1,
        maximum=64,
        live=True,
    )
    min_range: float = setting(
        0.5, "Points nearer than this are left out (NaN).", unit="m", minimum=0.0, maximum=1000.0, live=True
    )
    max_range: float = setting(
        60.0,
        "Points farther than this are left out (NaN): the error of a depth grows with its square.",
        unit="m",
        minimum=0.0,
        maximum=10000.0,
        live=True,
    )

    def __post_init__(self) -> None:
        _check_order("cloud", self.min_range, self.max_range)


@dataclass(frozen=True)
class PipelineConfig(EngineConfig):
    """Settings of the whole pipeline, from the image to depth and odometry."""

    calibration_file: str = setting(
        "",
        "Calibration file of ROS, OpenCV, Kalibr or another tool, used instead of the camera_info topic; FILE#NAME for"
        " one camera of several.",
    )
    image: ImageConfig = section(ImageConfig)
    depth: DepthConfig = section(DepthConfig)
    cloud: CloudConfig = section(CloudConfig)
    scale: ScaleConfig = section(ScaleConfig)
    odometry: OdometryConfig = section(OdometryConfig)


def _check_order(name: str, minimum: float, maximum: float) -> None:
    if minimum >= maximum:
        raise ConfigError(f"{name}.min_range {minimum:g} m must be less than {name}.max_range {maximum:g} m")
