# SPDX-License-Identifier: Apache-2.0
"""From the settings to the scale source."""

from collections.abc import Callable

from monodepth_ros.networks.checkpoint import CheckpointHeader
from monodepth_ros.odometry.scale.best_scale import BestScale
from monodepth_ros.odometry.scale.camera_height import CameraHeightScale
from monodepth_ros.odometry.scale.followed import FollowedScale
from monodepth_ros.odometry.scale.odometry_scale import OdometryScale
from monodepth_ros.odometry.scale.source import ScaleError, ScaleEstimate, ScaleSource
from monodepth_ros.odometry.scale.stated import CheckpointScale, FixedScale, RelativeScale
from monodepth_ros.odometry.scale.travel_log import TravelLog


def choose_scale(
    source: str,
    header: CheckpointHeader,
    *,
    factor: float = 1.0,
    camera_height: float = 0.0,
    has_ground_frame: bool = False,
    has_odometry_topic: bool = False,
    has_motion: bool = True,
    time_constant: float = 5.0,
    travel: TravelLog | None = None,
    previous: ScaleEstimate | None = None,
    leader: Callable[[], ScaleEstimate] | None = None,
) -> ScaleSource:
    """The source called `auto`, `camera_height`, `odometry`, `checkpoint`, `fixed` (with its factor) or `relative`.

    camera_height [m], 0: from the frames' mounts. has_ground_frame, has_odometry_topic: what `auto` may use besides the
    checkpoint. has_motion: whether frames come with motion. travel: the robot's own odometry. previous: the
    scale in force until now, if any. leader: the scale of the camera with motion, for one without. Raises ScaleError if the source, or each that `auto` could use, has nothing to go by.
    """
    if source == "relative":
        return RelativeScale()
    if source == "fixed":
        return FixedScale(factor)
    if source == "odometry" and not has_motion:
        if leader is not None:
            return FollowedScale(leader)
        raise ScaleError(
            "scale.source 'odometry' compares the camera's own motion with the robot's, and here is no motion: set "
            "odometry.enabled to true (and odometry.source to 'features' or 'auto' where the checkpoint has no pose network)"
        )
    stated = _stated(header) if header.is_metric else None
    by_height = CameraHeightScale(camera_height, time_constant)
    by_odometry = OdometryScale(travel or TravelLog(), time_constant)
    if source == "camera_height":
        return BestScale([by_height], time_constant, stated, previous)
    if source == "odometry":
        return BestScale([by_odometry], time_constant, stated, previous)
    measured: list[ScaleSource] = []
    if source == "auto" and has_odometry_topic and has_motion:
        measured.append(by_odometry)
    elif source == "auto" and has_odometry_topic and leader is not None:
        measured.append(FollowedScale(leader))
    if source == "auto" and (camera_height > 0 or has_ground_frame):
        measured.append(by_height)
    if not measured:
        return _stated(header)
    return BestScale([*measured, stated] if stated else measured, time_constant, previous=previous)


def _stated(header: CheckpointHeader) -> CheckpointScale:
    return CheckpointScale(header.scale_kind, header.scale_factor, header.scale_origin)
