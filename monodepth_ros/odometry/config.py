# SPDX-License-Identifier: Apache-2.0
"""Settings of the odometry."""

from dataclasses import dataclass

from monodepth_ros.settings.schema import setting

MOTION_SOURCES = ("auto", "features", "network")


@dataclass(frozen=True)
class OdometryConfig:
    """Estimation of the camera's motion and of the trajectory."""

    enabled: bool = setting(
        True, "Estimate the camera's motion. Set to false if only depth is needed: it saves time.", live=True
    )
    source: str = setting(
        "auto",
        "Source of the motion. features: points tracked through the images, with the network's depth. network: the "
        "checkpoint's pose network; use it to judge that network. auto: features, and the pose network (if the "
        "checkpoint has one) for frames in which features fail.",
        choices=MOTION_SOURCES,
        live=True,
    )
    max_points: int = setting(
        300,
        "Maximum number of points to track, with odometry.source features or auto. Lower it to save time.",
        minimum=50,
        maximum=2000,
        live=True,
    )
    imu_topic: str = setting(
        "",
        "sensor_msgs/Imu topic whose gyro supports the rotation; empty for none. Useful in fast turns and for images "
        "with few corners. TF must connect the IMU's frame to the camera's.",
    )
    imu_time_offset: float = setting(
        0.0,
        "Time to add to an image's stamp to get the gyro's stamp of the same moment. Set it to a calibrated value, if "
        "known.",
        unit="s",
        minimum=-10.0,
        maximum=10.0,
    )
    imu_estimate_offset: bool = setting(
        True,
        "Estimate the time offset from turns, within 0.3 s of odometry.imu_time_offset. Set to false if both sensors "
        "are synchronised in hardware.",
    )
    imu_noise: float = setting(
        0.002,
        "Noise density of the gyro, from its data sheet. The default suits low-cost IMUs.",
        unit="rad/s/sqrt(Hz)",
        minimum=1e-6,
        maximum=1.0,
    )
    max_gap: float = setting(
        1.0,
        "Longest time between two frames of one trajectory. Raise it for cameras slower than 1 Hz.",
        unit="s",
        minimum=0.01,
        maximum=3600.0,
        live=True,
    )
    on_gap: str = setting(
        "reset",
        "Action after a gap longer than odometry.max_gap. reset: begin a new trajectory at the origin. hold: continue "
        "from the last pose.",
        choices=("reset", "hold"),
        live=True,
    )
    max_speed: float = setting(
        60.0,
        "Highest credible speed: a faster motion is ignored, and the odometry is lost for that frame. Set it a little "
        "above the robot's top speed.",
        unit="m/s",
        minimum=0.01,
        maximum=1000.0,
        live=True,
    )
    max_turn_rate: float = setting(
        3.0,
        "Highest credible turn rate: a faster rotation is ignored, and the odometry is lost for that frame. Raise it "
        "for drones and hand-held cameras.",
        unit="rad/s",
        minimum=0.01,
        maximum=100.0,
        live=True,
    )
    scale_in_covariance: bool = setting(
        True,
        "Include the uncertainty of the metric scale in the covariances of twist and pose. Set to false if your filter "
        "estimates the scale of this odometry itself.",
        live=True,
    )
    translation_noise: float = setting(
        0.05,
        "Standard deviation of a step's translation by the pose network, as a share of the step's length. Sets the "
        "published covariance; does not affect features.",
        minimum=1e-4,
        maximum=10.0,
        live=True,
    )
    translation_noise_floor: float = setting(
        0.01,
        "Standard deviation of a step's translation by the pose network at standstill.",
        unit="m",
        minimum=1e-6,
        maximum=10.0,
        live=True,
    )
    rotation_noise: float = setting(
        0.05,
        "Standard deviation of a step's rotation by the pose network, as a share of the step's angle. Also weighs the "
        "pose network against the gyro.",
        minimum=1e-4,
        maximum=10.0,
        live=True,
    )
    rotation_noise_floor: float = setting(
        0.002,
        "Standard deviation of a step's rotation by the pose network at standstill.",
        unit="rad",
        minimum=1e-6,
        maximum=1.0,
        live=True,
    )
