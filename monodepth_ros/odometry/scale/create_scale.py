# SPDX-License-Identifier: Apache-2.0
"""Creation of the scale source that the settings ask for."""

from collections.abc import Callable

from monodepth_ros.networks.checkpoints.header import CheckpointHeader
from monodepth_ros.odometry.scale.best_scale import BestScale
from monodepth_ros.odometry.scale.camera_height import CameraHeightScale
from monodepth_ros.odometry.scale.config import ScaleConfig
from monodepth_ros.odometry.scale.followed import FollowedScale
from monodepth_ros.odometry.scale.odometry_scale import OdometryScale
from monodepth_ros.odometry.scale.source import ScaleError, ScaleEstimate, ScaleSource
from monodepth_ros.odometry.scale.stated import CheckpointScale, FixedScale, RelativeScale
from monodepth_ros.odometry.scale.stereo_images import StereoImages
from monodepth_ros.odometry.scale.stereo_scale import StereoScale
from monodepth_ros.odometry.scale.travel_log import TravelLog


def create_scale(
    config: ScaleConfig,
    header: CheckpointHeader,
    *,
    has_motion: bool = True,
    travel: TravelLog | None = None,
    stereo: StereoImages | None = None,
    previous: ScaleEstimate | None = None,
    leader: Callable[[], ScaleEstimate] | None = None,
) -> ScaleSource:
    """The scale source named by `config.source`, for the checkpoint with this header.

    has_motion: frames come with motion. travel: the robot's own odometry. stereo: images of this camera and its
    partner. previous: the scale in force until now, if any. leader: the scale of the camera with motion and partner,
    for a camera without. ScaleError if the source cannot give a scale, or if none of those that `auto` may use can.
    """
    if config.source == "relative":
        return RelativeScale()
    if config.source == "fixed":
        return FixedScale(config.factor)
    if config.source == "odometry" and not has_motion:
        if leader is not None:
            return FollowedScale(leader)
        raise ScaleError(
            "scale.source 'odometry' compares the camera's own motion with the robot's, and there is no motion: set "
            "odometry.enabled to true (and odometry.source to 'features' or 'auto' if the checkpoint has no pose "
            "network)"
        )
    checkpoint = CheckpointScale(header) if header.is_metric else None
    by_height = CameraHeightScale(config.camera_height, config.time_constant)
    by_odometry = OdometryScale(travel or TravelLog(), config.time_constant)
    by_stereo = StereoScale(stereo or StereoImages(), config.time_constant)
    followed = None if leader is None else FollowedScale(leader)
    if config.source == "camera_height":
        return BestScale([by_height], config.time_constant, checkpoint, previous)
    if config.source == "odometry":
        return BestScale([by_odometry], config.time_constant, checkpoint, previous)
    if config.source == "stereo":
        return followed or BestScale([by_stereo], config.time_constant, checkpoint, previous)
    measured: list[ScaleSource] = []
    if config.source == "auto" and config.odometry_topic and has_motion:
        measured.append(by_odometry)
    if config.source == "auto" and config.stereo_camera and followed is None:
        measured.append(by_stereo)
    if config.source == "auto" and followed is not None and (config.stereo_camera or config.odometry_topic):
        measured.append(followed)
    if config.source == "auto" and (config.camera_height > 0 or config.ground_frame):
        measured.append(by_height)
    if not measured:
        return CheckpointScale(header)
    sources = measured if checkpoint is None else [*measured, checkpoint]
    return BestScale(sources, config.time_constant, previous=previous)
