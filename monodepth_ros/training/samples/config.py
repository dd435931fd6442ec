# SPDX-License-Identifier: Apache-2.0
"""Settings of the recordings and frames that a training learns from."""

from dataclasses import dataclass

from monodepth_ros.settings.schema import ConfigError, setting

SOURCES = ("mono", "stereo", "both")
MOTIONS = ("network", "features", "recorded")


@dataclass(frozen=True)
class DataConfig:
    """Which frames are learned from."""

    recordings: tuple[str, ...] = setting((), "Bags, image folders, KITTI folders and videos. Required.")
    sources: str = setting(
        "mono",
        "What the target is reconstructed from: its neighbours in time (mono), the other camera of a stereo pair, or both.",
        choices=SOURCES,
    )
    motion: str = setting(
        "network",
        "What tells the motion between neighbours in time: a pose network that learns it (network); features followed through the "
        "images, with the depth of networks.start_from, once before the training (features); or the recording's own odometry, "
        "which makes depth metric (recorded). With the latter two only depth is learned, or with networks.keep_depth only motion.",
        choices=MOTIONS,
    )
    topic: str = setting(
        "", "Image topic of a bag; empty: the only one there is (with stereo: the left one of a pair)."
    )
    camera_info: str = setting("", "Its camera_info topic; empty: the one beside it.")
    odometry: str = setting(
        "", "Topic of nav_msgs/Odometry that says how the camera moves; empty: the one that is named as ground truth."
    )
    stereo_topic: str = setting("", "Image topic of the right camera, for stereo; empty: the one beside the left one.")
    camera: str = setting("", "Camera of a folder that has several: left, right or the sub-folder's name.")
    calibration_file: str = setting(
        "", "Calibration in camera_calibration's YAML format, instead of the recordings' own."
    )
    rectified: bool = setting(False, "The images are rectified already: P counts, D does not.")
    rate: float = setting(
        0.0,
        "Frames per second of recordings that state no times; 0: their reader's default.",
        unit="Hz",
        minimum=0.0,
        maximum=1000.0,
    )
    frame_step: int = setting(
        0,
        "Frames from the target to its neighbours; 0: so many that the image moves visibly.",
        unit="frames",
        minimum=0,
        maximum=100,
    )
    min_motion: float = setting(
        0.001,
        "Frames between which the image moves less than this share of its width (the median of its optical flow) are static and left out.",
        minimum=0.0,
        maximum=1.0,
    )
    validation_share: float = setting(
        0.1, "Share of the time that is kept for validation, in blocks.", minimum=0.0, maximum=0.5
    )
    validation_frames: int = setting(
        60, "At most so many frames are validated on.", unit="frames", minimum=1, maximum=10000
    )
    hood: float = setting(
        0.0,
        "Share of the image's height, from the bottom, that shows the vehicle itself and is left out.",
        minimum=0.0,
        maximum=0.9,
    )
    mask_file: str = setting("", "Picture of the camera's image in which black is left out of the loss.")
    cache_mb: int = setting(2000, "Memory for frames that have been prepared.", unit="MB", minimum=0, maximum=1000000)
    workers: int = setting(2, "Threads that read, decode and rectify.", unit="threads", minimum=1, maximum=64)

    def __post_init__(self) -> None:
        if self.motion != "network" and self.sources == "stereo":
            raise ConfigError(f"data.motion {self.motion} is for neighbours in time: set data.sources to mono or both")
