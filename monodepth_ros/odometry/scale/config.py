# SPDX-License-Identifier: Apache-2.0
"""Settings of the metric scale."""

from dataclasses import dataclass

from monodepth_ros.settings.schema import setting


@dataclass(frozen=True)
class ScaleConfig:
    """Source of the metric scale."""

    source: str = setting(
        "auto",
        "Source of the metres. auto: the most certain of odometry (if scale.odometry_topic is set), stereo (if "
        "scale.stereo_camera is set), camera_height (if scale.camera_height or scale.ground_frame is set) and "
        "checkpoint. camera_height: the ground in the depth image. odometry: the robot's own odometry. stereo: the "
        "distance to a second camera. checkpoint: the scale stated in the checkpoint. fixed: scale.factor. relative: "
        "none, network units, NOT metres (TF stays off).",
        choices=("auto", "camera_height", "odometry", "stereo", "checkpoint", "fixed", "relative"),
        live=True,
    )
    factor: float = setting(
        1.0,
        "Metres per network unit, with scale.source fixed.",
        unit="m",
        minimum=1e-6,
        maximum=1e6,
        live=True,
    )
    camera_height: float = setting(
        0.0,
        "Height of the camera above the ground; 0 takes it from TF (see scale.ground_frame). Set it for a camera "
        "rigidly mounted on a ground vehicle.",
        unit="m",
        minimum=0.0,
        maximum=1000.0,
        live=True,
    )
    ground_frame: str = setting(
        "",
        "Frame on the ground with z up. TF from it gives the camera's tilt, and the camera's height if "
        "scale.camera_height is 0. Empty: with scale.source camera_height, base_footprint or else base_link; "
        "otherwise none.",
    )
    odometry_topic: str = setting(
        "",
        "Topic of the robot's own odometry or velocity (nav_msgs/Odometry, geometry_msgs/TwistStamped or "
        "TwistWithCovarianceStamped), for scale.source odometry or auto. Set it if the robot has wheel odometry.",
    )
    odometry_type: str = setting(
        "auto",
        "Message type on scale.odometry_topic. auto: the type of its publishers.",
        choices=("auto", "Odometry", "TwistStamped", "TwistWithCovarianceStamped"),
    )
    stereo_camera: str = setting(
        "",
        "Second camera of a stereo pair, for scale.source stereo or auto: one of cameras that sees the same as the "
        "odometry's, taken at the same time. Its place comes from P of both camera_infos, or else from TF. In a "
        "recording: its image topic, or right.",
    )
    time_constant: float = setting(
        5.0,
        "Time in which a measured scale follows a change (it is the median over twice this time), and in which one "
        "source replaces another. Raise it for a steadier scale, lower it for a faster response.",
        unit="s",
        minimum=0.1,
        maximum=3600.0,
        live=True,
    )
