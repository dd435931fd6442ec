# SPDX-License-Identifier: Apache-2.0
"""Settings of the node: those of a run, and its cameras, subscriptions and life cycle."""

import re
from dataclasses import dataclass, fields

from monodepth_ros.data.images.image_codec import DecoderOptions
from monodepth_ros.odometry.config import OdometryConfig
from monodepth_ros.pipeline.config import ImageConfig
from monodepth_ros.pipeline.pixel_settings import check_pixels
from monodepth_ros.pipeline.run_config import RunConfig
from monodepth_ros.settings.schema import ConfigError, replace, section, setting, values


@dataclass(frozen=True)
class SubscriptionConfig(ImageConfig):
    """The image subscription."""

    reliability: str = setting(
        "best_effort",
        "Reliability of the image subscription. best_effort connects to every publisher. Choose reliable if single "
        "images get lost on the way; it needs a reliable publisher, and does not replace the middleware's profile for "
        "large images.",
        choices=("best_effort", "reliable"),
    )
    find_topic: bool = setting(
        True,
        "If nothing is published on image, and it was not remapped, take the images of the only camera that is "
        "published (with several, they are listed). Set to false where other cameras come and go. Only without "
        "cameras.",
    )


@dataclass(frozen=True)
class CameraOdometryConfig(OdometryConfig):
    """The odometry, and its camera."""

    camera: str = setting(
        "",
        "With several cameras, the camera whose motion is estimated and published as odom, path and TF; empty: the "
        "first.",
    )
    always_on: bool = setting(
        True,
        "Follow the motion whenever the node is active, so that the trajectory begins with the first image. Set to "
        "false to save the networks' time while nobody subscribes to odom, twist or path and no TF is published.",
        live=True,
    )


@dataclass(frozen=True)
class NodeConfig(RunConfig):
    """Settings of `depth_node`."""

    cameras: tuple[str, ...] = setting(
        (),
        "Names of the cameras, to serve several with one network; the topics of each are below its name (front/image, "
        "front/depth/image). Empty: one camera, on topics without a prefix.",
    )
    image: SubscriptionConfig = section(SubscriptionConfig)
    odometry: CameraOdometryConfig = section(CameraOdometryConfig)
    image_transport: str = setting(
        "auto",
        "Subscribe to image (raw) or image/compressed (compressed). auto: raw, unless only compressed images or video "
        "(image/ffmpeg, image/foxglove) are published. Choose compressed if the camera is on another computer.",
        choices=("auto", "raw", "compressed"),
    )
    max_rate: float = setting(
        0.0,
        "Process at most this many images per second of each camera, the newest ones, and count the others as "
        "unwanted; 0 for all. Set it to leave computing time to others.",
        unit="Hz",
        minimum=0.0,
        maximum=1000.0,
        live=True,
    )
    camera_info_timeout: float = setting(
        1.0,
        "Drop images for this long while no camera_info has arrived, then process them as those of an uncalibrated "
        "camera.",
        unit="s",
        minimum=0.0,
        maximum=3600.0,
        live=True,
    )
    no_image_timeout: float = setting(
        3.0,
        "Warn if no image has arrived for this long. Raise it for cameras with a low or irregular frame rate.",
        unit="s",
        minimum=0.1,
        maximum=3600.0,
        live=True,
    )
    enabled: bool = setting(
        True,
        "Process frames; the service ~/enable changes it, too. Disable it to save power while depth is not needed.",
        live=True,
    )
    autostart: bool = setting(
        True,
        "Configure and activate at start (read at start only). Set to false if a lifecycle manager does that.",
    )
    tf_timeout: float = setting(
        0.1,
        "Maximum wait for the transform from camera to base at the stamp of an image. Raise it if that transform "
        "moves and is published late.",
        unit="s",
        minimum=0.0,
        maximum=10.0,
        live=True,
    )

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.scale.source == "odometry" and not self.scale.odometry_topic:
            raise ConfigError(
                "scale.source is 'odometry': set scale.odometry_topic to the robot's own odometry or velocity"
            )
        for name in self.cameras:
            if not re.fullmatch("[A-Za-z][A-Za-z0-9_]*", name):
                raise ConfigError(
                    f"cameras holds {name!r}: a camera's name begins its topics and settings, so it must consist of "
                    "letters, digits and underscores, with a letter first"
                )
            if name in RESERVED_NAMES:
                raise ConfigError(f"cameras holds {name!r}: settings of the node have that name, choose another")
            if self.cameras.count(name) > 1:
                raise ConfigError(f"cameras holds {name!r} twice: each camera needs its own name")
        if self.odometry.camera and self.odometry.camera not in self.cameras:
            known = ", ".join(self.cameras) or "empty"
            raise ConfigError(
                f"odometry.camera is {self.odometry.camera!r}: it must be one of cameras ({known}), or empty "
                "for the first"
            )
        self._check_stereo()

    def _check_stereo(self) -> None:
        partner, others = self.scale.stereo_camera, [name for name in self.cameras if name != self.odometry_camera]
        if self.scale.source == "stereo" and not partner:
            raise ConfigError(
                "scale.source is 'stereo': name both cameras in cameras, and the second one in scale.stereo_camera"
            )
        if partner and partner not in others:
            raise ConfigError(
                f"scale.stereo_camera is {partner!r}: it must be one of cameras besides {self.odometry_camera!r}, "
                f"whose depth is measured ({', '.join(others) or 'there is no other'})"
            )

    @property
    def odometry_camera(self) -> str:
        """Name of the camera whose motion is the odometry; empty for a single camera without a name."""
        return self.odometry.camera or next(iter(self.cameras), "")


@dataclass(frozen=True)
class CameraSubscriptionConfig:
    """One camera's image subscription."""

    reliability: str = setting(
        "",
        "Reliability of this camera's image subscription; empty: as image.reliability.",
        choices=("", "best_effort", "reliable"),
    )
    field_of_view: float = setting(
        0.0,
        "Horizontal field of view of this camera, if it has no calibration; 0: as image.field_of_view.",
        unit="degrees",
        minimum=0.0,
        maximum=170.0,
    )
    encoding: str = setting("", "What the bytes of this camera's images are; empty: as image.encoding.")

    def __post_init__(self) -> None:
        check_pixels("image", DecoderOptions(self.encoding))


@dataclass(frozen=True)
class CameraConfig:
    """Settings of one of several cameras; an empty one takes the value of the node's setting of that name."""

    calibration_file: str = setting("", "Calibration file of this camera; empty: as calibration_file.")
    image_transport: str = setting(
        "", "Transport of this camera's images; empty: as image_transport.", choices=("", "auto", "raw", "compressed")
    )
    image: CameraSubscriptionConfig = section(CameraSubscriptionConfig)


# A camera's settings begin with its name, which therefore must not be that of a setting.
RESERVED_NAMES = {field.name for field in fields(NodeConfig)} | {"qos_overrides"}


def config_of(camera: str, config: NodeConfig, own: CameraConfig) -> NodeConfig:
    """The node's settings for one camera, with the camera's own ones applied."""
    changes = {name: value for name, value in values(own).items() if value}
    if camera != config.odometry_camera:
        changes["odometry.enabled"] = False
    return replace(config, changes)
