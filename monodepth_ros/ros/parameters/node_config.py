"""What can be set about the node, besides what can be set about a frame."""

from dataclasses import dataclass

from monodepth_ros.pipeline.config import ImageConfig, PipelineConfig
from monodepth_ros.pipeline.settings import ConfigError, section, setting


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
class NodeConfig(PipelineConfig):
    """Everything `depth_node` can be told."""

    image: SubscriptionConfig = section(SubscriptionConfig)
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
        3.0, "Silence of the image topic for this long is a warning.", unit="s", minimum=0.1, maximum=3600.0, live=True
    )
    enabled: bool = setting(True, "Process frames (also switched by the service ~/enable).", live=True)
    autostart: bool = setting(
        True, "Configure and activate at start; false leaves the lifecycle to a manager (read at start only)."
    )
    odom_frame: str = setting("odom", "Frame in which the trajectory is given.")
    base_frame: str = setting(
        "", "Moving frame of the odometry, found from the camera through TF; empty: the camera's own optical frame."
    )
    publish_tf: bool = setting(True, "Publish odom_frame -> base_frame on /tf; never done for a relative scale.", live=True)
    invert_odom_tf: bool = setting(
        False, "Publish the transform as base_frame -> odom_frame, for trees whose base has another parent.", live=True
    )
    tf_timeout: float = setting(
        0.1, "How long to wait for the camera's place on the base at an image's stamp.", unit="s", minimum=0.0, maximum=10.0, live=True
    )
    path_length: int = setting(
        1000, "Poses kept in the path; 0 keeps none.", unit="poses", minimum=0, maximum=100000, live=True
    )

    def __post_init__(self) -> None:
        if not self.odom_frame:
            raise ConfigError("odom_frame is '': it must be a frame's name, odom by convention")
        if self.base_frame == self.odom_frame:
            raise ConfigError(f"base_frame is {self.base_frame!r}: it must be another frame than odom_frame")
