# SPDX-License-Identifier: Apache-2.0
"""The node's outputs compared with a recording's ground-truth depth and reference odometry."""

from dataclasses import dataclass

import numpy as np

from monodepth_ros.data.bags.recording import Recording
from monodepth_ros.data.depth.depth_codec import decode_depth
from monodepth_ros.evaluation.depth_in_camera import DepthInCamera
from monodepth_ros.evaluation.depth_metrics import DepthMetrics, EvaluationError, evaluate_depth
from monodepth_ros.geometry.camera import CameraModel
from monodepth_ros.geometry.motion import invert, make_transform, quaternion_to_rotation
from monodepth_ros.ros.demonstration.output_listener import stamp_of

MAX_DEPTH = 80.0  # metres; ground truth beyond it is not compared, as in KITTI's tables


@dataclass(frozen=True)
class DepthComparison:
    """One frame's depth [m]: ground truth, and the prediction at its pixels, both float32 (H, W).

    factor: scale applied to the prediction (1 for a metric checkpoint, else the ratio of the medians).
    """

    truth: np.ndarray
    predicted: np.ndarray
    factor: float
    metrics: DepthMetrics


def compare_depth(
    bag: str, topic: str, camera_info_topic: str, outputs: dict[int, dict], is_metric: bool
) -> dict[int, DepthComparison]:
    """Comparisons by stamp [ns] of the frames whose messages are in `outputs`.

    topic: ground-truth depth; if empty, the result is empty. camera_info_topic: its calibration; if empty, the depth
    images are assumed to show the same field of view as the ground truth.
    """
    found: dict[int, DepthComparison] = {}
    if not topic:
        return found
    scaling = "none" if is_metric else "median"
    with Recording(bag) as recording:
        camera = None
        if camera_info_topic:
            camera = CameraModel.from_camera_info(recording.first(camera_info_topic))
        sampler, sampler_key = None, None
        for message in recording.messages([topic]):
            image = recording.deserialize(message)
            messages = outputs.get(stamp_of(image.header), {})
            if "depth/image" not in messages or "depth/camera_info" not in messages:
                continue
            truth, depth = decode_depth(image), decode_depth(messages["depth/image"])
            source = CameraModel.from_camera_info(messages["depth/camera_info"])
            if sampler_key != source.key:
                target = camera
                if target is None or (target.height, target.width) != truth.shape:
                    target = uncalibrated(*truth.shape)
                sampler, sampler_key = DepthInCamera(source, target), source.key
            predicted = sampler(depth)
            try:
                metrics = evaluate_depth(truth, predicted, max_depth=MAX_DEPTH, crop="none", scaling=scaling)
            except EvaluationError:  # nothing to compare in this frame
                continue
            factor = 1.0 if is_metric else metrics.scale_ratio
            predicted = predicted * np.float32(factor)
            found[stamp_of(image.header)] = DepthComparison(truth, predicted, factor, metrics)
    return found


def uncalibrated(height: int, width: int) -> CameraModel:
    """A camera model without calibration."""
    return CameraModel(width, height, K=np.zeros((3, 3)))


@dataclass(frozen=True)
class Trajectories:
    """Estimated positions (N, 3), their stamps [ns], and the reference positions (M, 3) in the same frame, if any.

    factor: scale applied to the estimate so that it fits the reference (1 for a metric estimate, or without reference).
    """

    positions: np.ndarray
    stamps: np.ndarray
    reference: np.ndarray | None = None
    factor: float = 1.0


def compare_trajectories(path, child_frame: str, bag: str, topic: str, is_metric: bool) -> Trajectories | None:
    """The odometry's path with the reference aligned to its first pose; None for a path of fewer than two poses.

    path: nav_msgs/Path or None. topic: reference odometry, or empty. The reference is left out if it is the motion of
    another frame than child_frame.
    """
    if path is None or len(path.poses) < 2:
        return None
    stamps = np.array([stamp_of(pose.header) for pose in path.poses])
    poses = [pose_matrix(pose.pose) for pose in path.poses]
    positions = np.array([T[:3, 3] for T in poses])
    if not topic:
        return Trajectories(positions, stamps)
    with Recording(bag) as recording:
        messages = [message for _, _, message in recording.read([topic])]
    reference_stamps = np.array([stamp_of(message.header) for message in messages])
    within = (reference_stamps >= stamps[0]) & (reference_stamps <= stamps[-1])
    if messages[0].child_frame_id != child_frame or within.sum() < 2:
        return Trajectories(positions, stamps)
    reference = [pose_matrix(message.pose.pose) for message, is_within in zip(messages, within) if is_within]
    T_odom_world = poses[0] @ invert(reference[0])
    aligned = np.array([(T_odom_world @ T)[:3, 3] for T in reference])
    factor = 1.0
    if not is_metric:  # least squares over the displacements from the first pose
        partners = aligned[np.abs(reference_stamps[within][:, None] - stamps[None]).argmin(axis=0)] - positions[0]
        moved = positions - positions[0]
        factor = float((moved * partners).sum() / max((moved * moved).sum(), 1e-12))
        positions = positions[0] + factor * moved
    return Trajectories(positions, stamps, aligned, factor)


def pose_matrix(pose) -> np.ndarray:
    """(4, 4) of a geometry_msgs/Pose."""
    q, p = pose.orientation, pose.position
    return make_transform(quaternion_to_rotation((q.x, q.y, q.z, q.w)), (p.x, p.y, p.z))
