# SPDX-License-Identifier: Apache-2.0
"""What can be set about the node, besides what can be set about a frame."""

import re
from dataclasses import dataclass, fields

from monodepth_ros.odometry.config import OdometryConfig
from monodepth_ros.pipeline.config import ImageConfig
from monodepth_ros.pipeline.run_config import RunConfig
from monodepth_ros.settings.schema import ConfigError, replace, section, setting, values


@dataclass(frozen=True)
class SubscriptionConfig(ImageConfig):
    """The image subscription."""

    reliability: str = setting(
        "best_effort",
        "Reliability of the image subscription. best_effort connects to every publisher; reliable is the cure for large "
        "images that get lost on the way, and needs a reliable publisher.",
        choices=("best_effort", "reliable"),
    )


@dataclass(frozen=True)
class CameraOdometryConfig(OdometryConfig):
    """The odometry, and whose it is."""

    camera: str = setting(
        "",
        "Of several cameras, the one whose motion is the odometry: it alone is worked out, and publishes odom, "
        "path and TF; empty: the first.",
    )


@dataclass(frozen=True)
class NodeConfig(RunConfig):
    """Everything `depth_node` can be told."""

    cameras: tuple[str, ...] = setting(
        (),
        "Names of several cameras to serve at once; each has its topics below its name (front/image, "
        "front/depth/image); none: one camera on the node's own topics.",
    )
    image: SubscriptionConfig = section(SubscriptionConfig)
    odometry: CameraOdometryConfig = section(CameraOdometryConfig)
    image_transport: str = setting(
        "raw", "Subscribe to image (raw) or image/compressed (compressed).", choices=("raw", "compressed")
    )
    camera_info_timeout: float = setting(
        1.0,
        "Images that have no camera_info for this long are taken for those of an uncalibrated camera.",
        unit="s",
        minimum=0.0,
        maximum=3600.0,
        live=True,
    )
    no_image_timeout: float = setting(
        3.0,
        "Silence of the image topic for this long is a warning.",
        unit="s",
        minimum=0.1,
        maximum=3600.0,
        live=True,
    )
    enabled: bool = setting(True, "Process frames (also switched by the service ~/enable).", live=True)
    autostart: bool = setting(
        True, "Configure and activate at start; false leaves the lifecycle to a manager (read at start only)."
    )
    tf_timeout: float = setting(
        0.1,
        "How long to wait for the camera's place on the base at an image's stamp.",
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
                    f"cameras holds {name!r}: a camera's name begins its topics and settings, so it must be letters, "
                    "digits and underscores, a letter first"
                )
            if name in RESERVED_NAMES:
                raise ConfigError(f"cameras holds {name!r}: settings of the node have that name, choose another")
            if self.cameras.count(name) > 1:
                raise ConfigError(f"cameras holds {name!r} twice: each camera needs a name of its own")
        if self.odometry.camera and self.odometry.camera not in self.cameras:
            known = ", ".join(self.cameras) or "empty"
            raise ConfigError(
                f"odometry.camera is {self.odometry.camera!r}: it must be one of cameras ({known}), or empty "
                "for the first"
            )

    @property
    def odometry_camera(self) -> str:
        """The name of the camera whose motion is the odometry; empty for the one camera without a name."""
        return self.odometry.camera or next(iter(self.cameras), "")


@dataclass(frozen=True)
class CameraSubscriptionConfig:
    """One camera's image subscription."""

    reliability: str = setting(
        "",
        "Of this camera's subscriptions; empty: as image.reliability.",
        choices=("", "best_effort", "reliable"),
    )


@dataclass(frozen=True)
class CameraConfig:
    """What one of several cameras may have of its own; where empty, the node-wide setting of that name holds."""

    calibration_file: str = setting("", "Calibration of this camera; empty: as calibration_file.")
    image_transport: str = setting(
        "", "Transport of this camera's images; empty: as image_transport.", choices=("", "raw", "compressed")
    )
    image: CameraSubscriptionConfig = section(CameraSubscriptionConfig)


# A camera's settings stand below its name, where these stand already.
RESERVED_NAMES = {field.name for field in fields(NodeConfig)} | {"qos_overrides"}


def config_of(camera: str, config: NodeConfig, own: CameraConfig) -> NodeConfig:
    """The settings as they are for one camera."""
    changes = {name: value for name, value in values(own).items() if value}
    if camera != config.odometry_camera:
        changes["odometry.enabled"] = False
    return replace(config, changes)
