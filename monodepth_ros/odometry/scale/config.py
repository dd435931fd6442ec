# SPDX-License-Identifier: Apache-2.0
"""Settings of the metric scale."""

from dataclasses import dataclass

from monodepth_ros.settings.schema import setting


@dataclass(frozen=True)
class ScaleConfig:
    """Where metres come from."""

    source: str = setting(
        "auto",
        "auto: the most certain of scale.odometry_topic, scale.camera_height or scale.ground_frame (as far as they are set) "
        "and what the checkpoint states; camera_height: from the ground in the depth image; odometry: from "
        "the robot's own odometry; checkpoint: what it states; fixed: scale.factor; relative: network units, NOT metres (TF "
        "stays off).",
        choices=("auto", "camera_height", "odometry", "checkpoint", "fixed", "relative"),
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
        "Height of the camera above the ground; 0: from TF (see scale.ground_frame).",
        unit="m",
        minimum=0.0,
        maximum=1000.0,
        live=True,
    )
    ground_frame: str = setting(
        "",
        "Frame that lies on the ground with z up: TF from it gives the camera's tilt, and its height where "
        "scale.camera_height is 0; empty: base_footprint, else base_link, with scale.source camera_height alone.",
    )
    odometry_topic: str = setting(
        "",
        "The robot's own odometry or velocity (nav_msgs/Odometry, geometry_msgs/TwistStamped, TwistWithCovarianceStamped), "
        "for scale.source odometry or auto.",
    )
    odometry_type: str = setting(
        "auto",
        "Message type on scale.odometry_topic; auto: that of its publishers.",
        choices=("auto", "Odometry", "TwistStamped", "TwistWithCovarianceStamped"),
    )
    time_constant: float = setting(
        5.0,
        "How slowly a measured scale follows (it is the median of twice this time), and a change of source takes place.",
        unit="s",
        minimum=0.1,
        maximum=3600.0,
        live=True,
    )
