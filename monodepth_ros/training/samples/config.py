# SPDX-License-Identifier: Apache-2.0
"""Settings of the recordings and frames that a training learns from."""

from dataclasses import dataclass

from monodepth_ros.data.images.image_codec import DecoderOptions
from monodepth_ros.pipeline.pixel_settings import (
    check_pixels,
    check_rectification,
    encoding_setting,
    intensity_range_setting,
)
from monodepth_ros.settings.schema import ConfigError, setting

SOURCES = ("mono", "stereo", "both", "none")
MOTIONS = ("network", "features", "recorded")


@dataclass(frozen=True)
class DataConfig:
    """Recordings, and the frames of them that are learned from."""

    recordings: tuple[str, ...] = setting(
        (), "Bags, folders of images and of data sets, and videos to learn from. Required."
    )
    sources: str = setting(
        "mono",
        "Images that the target is reconstructed from: its neighbours in time (mono), the other camera of a stereo pair"
        " (stereo), or both. A stereo pair makes depth metric. With none, reference depth alone teaches"
        " (objective.depth.weight).",
        choices=SOURCES,
    )
    motion: str = setting(
        "network",
        "Source of the motion between neighbours in time: a pose network that is trained with the depth network"
        " (network); features tracked once before the training, with the depth of networks.start_from (features); or"
        " the recording's odometry, which makes depth metric (recorded). The latter two train the depth network only,"
        " or with networks.keep_depth the pose network only.",
        choices=MOTIONS,
    )
    topic: str = setting("", "Image topic of a bag; empty: the only one (with stereo, the left one of the pair).")
    camera_info: str = setting("", "Topic of the calibration; empty: the one beside the image topic.")
    depth_topic: str = setting(
        "",
        "Topic of the reference depth of a bag: depth images or a LiDAR's PointCloud2. Empty: found; none: unused.",
    )
    odometry_topic: str = setting(
        "",
        "Topic of the camera's poses in a bag: nav_msgs/Odometry, nav_msgs/Path, poses of geometry_msgs, or TF."
        " Empty: the topic that is named as ground truth; none: unused.",
    )
    stereo_topic: str = setting(
        "", "Image topic of the right camera for stereo; empty: the one beside the left camera's."
    )
    camera: str = setting("", "Camera of a folder that has several: left, right or the name of the sub-folder.")
    calibration_file: str = setting(
        "",
        "Calibration file of ROS, OpenCV, Kalibr or another tool (FILE#NAME for one camera of several); replaces the"
        " calibration of the recordings.",
    )
    rectified: bool = setting(False, "Take the images as rectified: P applies, D is ignored.")
    unrectified: bool = setting(
        False, "Take the images as not rectified, although their topic is named image_rect or only P fits them."
    )
    field_of_view: float = setting(
        0.0,
        "Horizontal field of view of recordings without calibration, which teach relative depth. 0 takes that of EXIF"
        " data, or assumes 60 degrees across the longer side of the image.",
        unit="degrees",
        minimum=0.0,
        maximum=170.0,
    )
    encoding: str = encoding_setting()
    intensity_range: str = intensity_range_setting()
    rate: float = setting(
        0.0,
        "Frame rate of images and films, instead of their times; 0 takes their times, or the default of their format.",
        unit="Hz",
        minimum=0.0,
        maximum=1000.0,
    )
    start: float = setting(0.0, "Time to skip at the start of each recording.", unit="s", minimum=0.0, maximum=1e6)
    duration: float = setting(
        0.0, "Time to use of each recording; 0 uses all of it.", unit="s", minimum=0.0, maximum=1e6
    )
    frame_step: int = setting(
        0,
        "Distance from the target to its neighbours; 0 chooses the smallest one at which the image moves visibly.",
        unit="frames",
        minimum=0,
        maximum=100,
    )
    min_motion: float = setting(
        0.001,
        "Smallest image motion between neighbours (median optical flow as a share of the image's width). Frames with"
        " less are static and left out.",
        minimum=0.0,
        maximum=1.0,
    )
    validation_share: float = setting(
        0.1, "Share of the recorded time that is held out for validation, in blocks.", minimum=0.0, maximum=0.5
    )
    validation_frames: int = setting(
        60, "Maximum number of frames to validate on.", unit="frames", minimum=1, maximum=10000
    )
    hood: float = setting(
        0.0,
        "Share of the image's height, from the bottom, that shows the vehicle itself and is left out of the loss.",
        minimum=0.0,
        maximum=0.9,
    )
    mask_file: str = setting(
        "", "Picture of the size of the camera's images; its black pixels are left out of the loss."
    )
    index_beside: bool = setting(
        False,
        "Keep the index of the frames in a hidden file beside each recording, for other users of the same disk, instead"
        " of in the user's cache.",
    )
    cache_mb: int = setting(
        2000, "Memory for frames that have been read and rectified.", unit="MB", minimum=0, maximum=1000000
    )
    workers: int = setting(2, "Threads that read, decode and rectify frames.", unit="threads", minimum=1, maximum=64)

    @property
    def has_neighbours(self) -> bool:
        """Whether samples have neighbours in time."""
        return self.sources in ("mono", "both")

    def __post_init__(self) -> None:
        check_pixels("data", DecoderOptions(self.encoding, self.intensity_range))
        check_rectification("data", self.rectified, self.unrectified)
        if self.motion != "network" and not self.has_neighbours:
            raise ConfigError(f"data.motion {self.motion} is for neighbours in time: set data.sources to mono or both")
