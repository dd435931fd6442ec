# SPDX-License-Identifier: Apache-2.0
"""Settings of the odometry."""

from dataclasses import dataclass

from monodepth_ros.settings.schema import setting


@dataclass(frozen=True)
class OdometryConfig:
    """From relative motions to a trajectory."""

    enabled: bool = setting(True, "Estimate the camera's motion.", live=True)
    source: str = setting(
        "auto",
        "What the motion comes from. features: points followed through the images, and the network's depth; network: the "
        "checkpoint's pose network; auto: features, and the pose network, where there is one, for frames without them.",
        choices=("auto", "features", "network"),
        live=True,
    )
    max_points: int = setting(
        300, "Points to follow, with odometry.source features or auto.", minimum=50, maximum=2000, live=True
    )
    imu_topic: str = setting(
        "",
        "sensor_msgs/Imu whose gyro helps the rotation; empty: none. TF must connect its frame with the camera's.",
    )
    imu_time_offset: float = setting(
        0.0,
        "To be added to an image's stamp to get the gyro's stamp of that moment, as far as known.",
        unit="s",
        minimum=-10.0,
        maximum=10.0,
    )
    imu_estimate_offset: bool = setting(
        True, "Find the time offset from turns, up to 0.3 s from odometry.imu_time_offset."
    )
    imu_noise: float = setting(0.002, "Density of the gyro's noise.", unit="rad/s/sqrt(Hz)", minimum=1e-6, maximum=1.0)
    max_gap: float = setting(
        1.0,
        "A longer time between two frames breaks the trajectory.",
        unit="s",
        minimum=0.01,
        maximum=3600.0,
        live=True,
    )
    on_gap: str = setting(
        "reset",
        "After a gap: reset begins a new trajectory at the origin, hold goes on from the last pose.",
        choices=("reset", "hold"),
        live=True,
    )
    max_speed: float = setting(
        60.0,
        "A faster motion is held to be an error and ignored (lost).",
        unit="m/s",
        minimum=0.01,
        maximum=1000.0,
        live=True,
    )
    max_turn_rate: float = setting(
        3.0,
        "A faster rotation is held to be an error and ignored (lost).",
        unit="rad/s",
        minimum=0.01,
        maximum=100.0,
        live=True,
    )
    translation_noise: float = setting(
        0.05,
        "Standard deviation of the pose network's translation in a step, as a share of its length.",
        minimum=1e-4,
        maximum=10.0,
        live=True,
    )
    translation_noise_floor: float = setting(
        0.01,
        "Standard deviation of the pose network's translation at rest.",
        unit="m",
        minimum=1e-6,
        maximum=10.0,
        live=True,
    )
    rotation_noise: float = setting(
        0.05,
        "Standard deviation of the pose network's rotation in a step, as a share of its angle.",
        minimum=1e-4,
        maximum=10.0,
        live=True,
    )
    rotation_noise_floor: float = setting(
        0.002,
        "Standard deviation of the pose network's rotation at rest.",
        unit="rad",
        minimum=1e-6,
        maximum=1.0,
        live=True,
    )
