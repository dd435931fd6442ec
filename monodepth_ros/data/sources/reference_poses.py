# SPDX-License-Identifier: Apache-2.0
"""The choice of a recording's reference poses for the images of one camera: a topic of odometry or poses."""

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from monodepth_ros.data.bags.odometry_path import OdometryPath
from monodepth_ros.data.bags.recording import Recording, RecordingError
from monodepth_ros.data.bags.static_transforms import ROBOT_BASES, StaticTransformError, StaticTransforms, ends_in
from monodepth_ros.data.sources.reference_topics import (
    NONE,
    ODOMETRY,
    PATH,
    POSE,
    POSE_TYPES,
    POSE_WITH_COVARIANCE,
    TF,
    TRANSFORM,
    is_ground_truth,
    pose_topics,
)
from monodepth_ros.foreign_text import few, shown
from monodepth_ros.geometry.motion import MotionError, make_transform, quaternion_to_rotation
from monodepth_ros.limits import LARGEST_POSITION
from monodepth_ros.stamps import nanoseconds

StampedPose = tuple[int, np.ndarray]
"""Stamp [ns] and T_world_camera (4, 4)."""

SAME_POSE = 1e-6  # metres and elements of the rotation


@dataclass(frozen=True)
class ReferencePoses:
    """Reference poses of a camera from one topic.

    moving: the frame whose poses it holds. T_moving_camera: (4, 4). by_twist: of odometry whose poses never move; its
    twists are integrated instead. unusable: number of poses that are none, by reason.
    """

    topic: str
    type: str
    count: int
    moving: str
    is_stated: bool
    T_moving_camera: np.ndarray
    by_twist: OdometryPath | None = None
    unusable: Counter[str] = field(default_factory=Counter)

    @property
    def description(self) -> str:
        """The topic, the frame whose poses it holds, and the number of messages."""
        frame = f"of {self.moving!r}" + ("" if self.is_stated else ", the root of the camera's static transforms")
        how = ", integrated twists: its poses never move" if self.by_twist else ""
        return f"{shown(self.topic)} ({self.type.rpartition('/')[2]} {frame}{how}, {self.count} messages)"

    def poses(self, message: Any, received_ns: int) -> list[StampedPose]:
        """The camera's poses in one message, in its order. received_ns: replaces a stamp of 0 [ns].

        Poses that are not finite, or whose quaternion is zero, are left out and counted.
        """
        if self.by_twist is not None:
            self.by_twist.add(message)
            return [(nanoseconds(message.header.stamp) or received_ns, self.by_twist.T @ self.T_moving_camera)]
        if self.type == PATH:
            found = [(item.header.stamp, item.pose) for item in message.poses]
        elif self.type == TF:
            items = [item for item in message.transforms if item.child_frame_id.lstrip("/") == self.moving]
            found = [(item.header.stamp, item.transform) for item in items]
        elif self.type == TRANSFORM:
            found = [(message.header.stamp, message.transform)]
        else:
            nested = self.type in (ODOMETRY, POSE_WITH_COVARIANCE)
            found = [(message.header.stamp, message.pose.pose if nested else message.pose)]
        poses = []
        for stamp, pose in found:
            try:
                poses.append((nanoseconds(stamp) or received_ns, _matrix(pose) @ self.T_moving_camera))
            except MotionError:
                self.unusable["not finite or beyond all bounds, or with a quaternion of zeros"] += 1
        return poses

    def unusable_notes(self) -> list[str]:
        """What was left out of the messages so far, in words."""
        return [f"{count} poses of {self.topic} are {reason}: left out" for reason, count in self.unusable.items()]

    def all_at_once(self, recording: Recording) -> list[StampedPose]:
        """The poses of the last message of a path, which holds them all, in the order of their stamps."""
        last = None
        for message in recording.messages([self.topic]):
            last = message
        poses = [] if last is None else self.poses(recording.deserialize(last), last.stamp_ns)
        return sorted(poses, key=lambda item: item[0])


@dataclass(frozen=True)
class PosesChoice:
    """The reference poses to use, None for none. others: topics to choose instead. notes: why one cannot be used."""

    chosen: ReferencePoses | None
    others: list[str]
    notes: list[str]


def choose_poses(recording: Recording, name: str, camera_frame: str, transforms: StaticTransforms) -> PosesChoice:
    """Choose the reference poses of a camera.

    name: a topic, NONE, or '' for a topic that is named as ground truth. Messages that do not name their moving frame
    hold the poses of the root of the camera's static transforms.

    Raises RecordingError for a named topic that does not exist, is of another type, has an unconnected frame, or holds
    one pose in a frame of the robot.
    """
    if name == NONE:
        return PosesChoice(None, [], [])
    candidates = [topic for topic in pose_topics(recording) if not _stays_on_board(recording, topic, transforms)]
    topic = _named(recording, name, candidates) if name else next(filter(is_ground_truth, candidates), "")
    if not topic:
        return PosesChoice(None, candidates, [])
    if _stays_on_board(recording, topic, transforms):
        raise RecordingError(
            f"{topic} gives one pose throughout, in a frame of the robot itself: name a topic with poses in the world"
            f" (there: {few(candidates) or 'none, but perhaps /tf'})"
        )
    others = [other for other in candidates if other != topic]
    moving = _moving_frame(recording, topic)
    is_stated = bool(moving) or recording.topics[topic].type == TF
    moving = moving or transforms.root_of(camera_frame)
    try:
        T_moving_camera = transforms.lookup(moving, camera_frame)
    except StaticTransformError as error:
        reason = f"{topic} gives the pose of {moving!r} and is not used: {error}"
        if name:
            raise RecordingError(reason) from None
        return PosesChoice(None, others, [reason])
    kind, count = recording.topics[topic].type, recording.topics[topic].count
    by_twist = OdometryPath() if kind == ODOMETRY and _moves_by_twist_only(recording, topic) else None
    chosen = ReferencePoses(
        topic, kind, count, moving, is_stated=is_stated, T_moving_camera=T_moving_camera, by_twist=by_twist
    )
    return PosesChoice(chosen, others, [])


def _stays_on_board(recording: Recording, topic: str, transforms: StaticTransforms) -> bool:
    """Whether a topic holds one pose throughout, in a frame that is mounted on a robot: its place in its own frame."""
    if recording.topics[topic].type not in (POSE, POSE_WITH_COVARIANCE):
        return False
    if not ends_in(transforms.root_of(recording.first(topic).header.frame_id), ROBOT_BASES):
        return False
    first = None
    for _, _, message in recording.read([topic]):
        try:
            T = _matrix(message.pose.pose if hasattr(message.pose, "pose") else message.pose)
        except MotionError:
            continue
        first = T if first is None else first
        if np.abs(T - first).max() > SAME_POSE:
            return False
    return True


def _moves_by_twist_only(recording: Recording, topic: str) -> bool:
    """Whether the poses of odometry never move though its twists do, by the first messages that move."""
    path = OdometryPath()
    for _, _, message in recording.read([topic]):
        path.add(message)
        if path.is_decided:
            break
    return path.is_of_twist


def _named(recording: Recording, name: str, candidates: list[str]) -> str:
    topic = recording.topic(name)
    if topic.type not in POSE_TYPES or not topic.count:
        names = ", ".join(kind.replace("/msg/", "/") for kind in POSE_TYPES)
        raise RecordingError(
            f"topic {topic.name} holds {topic.count} {topic.type}, expected {names} (there:"
            f" {few(candidates) or 'none'})"
        )
    return topic.name


def _moving_frame(recording: Recording, topic: str) -> str:
    if recording.topics[topic].type not in (ODOMETRY, TRANSFORM):
        return ""
    return recording.first(topic).child_frame_id.lstrip("/")


def _matrix(pose: Any) -> np.ndarray:
    """(4, 4) of a geometry_msgs/Pose or Transform."""
    position, q = (pose.position, pose.orientation) if hasattr(pose, "position") else (pose.translation, pose.rotation)
    T = make_transform(quaternion_to_rotation((q.x, q.y, q.z, q.w)), (position.x, position.y, position.z))
    if np.abs(T[:3, 3]).max() > LARGEST_POSITION:
        raise MotionError(f"position is beyond {LARGEST_POSITION:g} m")
    return T
