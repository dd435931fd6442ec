# SPDX-License-Identifier: Apache-2.0
"""What a recording tells a measured scale: the robot's own odometry, and the camera's place above the ground."""

from collections.abc import Iterator
from typing import Any

import numpy as np

from monodepth_ros.data.bags.recording import Recording, RecordingError
from monodepth_ros.data.bags.static_transforms import StaticTransformError
from monodepth_ros.data.sources.source import FrameSource, SourceError, SourceFrame
from monodepth_ros.geometry.motion import rotation_to_quaternion
from monodepth_ros.odometry.scale.config import ScaleConfig
from monodepth_ros.odometry.scale.source import CameraMount
from monodepth_ros.odometry.scale.travel_log import TravelLog
from monodepth_ros.pipeline.robot_inputs.camera_mount import ground_frames, mount_in
from monodepth_ros.stamps import nanoseconds

# Odometry may be recorded this much later than the image of its time.
LATE_NS = 500_000_000


class RecordedScaleInputs:
    """Gives `travel` what is known when a frame comes, as the node would have it.

    With scale.odometry_topic the messages of that topic; else, for scale.source odometry, the poses that the source has.
    mount: how the camera stands, by the recording's static transforms; notes: what a user should know. RecordingError
    for a topic that is not there or holds no odometry, SourceError for a source without topics.
    """

    def __init__(self, source: FrameSource, settings: ScaleConfig, travel: TravelLog):
        self._travel = travel
        self._recording: Recording | None = None
        self._source = source
        self._moving_frame: str | None = None
        self._uses_poses = settings.source == "odometry" and not settings.odometry_topic
        if self._uses_poses:
            travel.mount_camera(np.zeros(3))  # they are the camera's
        self._messages: Iterator[tuple[str, int, Any]] = iter(())
        self._read_until_ns = -1
        self.notes: list[str] = []
        self.mount = self._find_mount(source, settings)
        if settings.odometry_topic and settings.source in ("auto", "odometry"):
            self._open(source, settings.odometry_topic)

    def _find_mount(self, source: FrameSource, settings: ScaleConfig) -> CameraMount:
        frames = ground_frames(settings)
        for frame in frames:
            try:
                mount = mount_in(source.transforms.lookup(frame, source.frame_id))
            except StaticTransformError:
                continue
            what = "tilt" if settings.camera_height else f"height ({mount.height:.3g} m) and tilt"
            self.notes.append(f"scale: the camera's {what} above {frame!r}, from the recording's transforms")
            return mount
        if frames and not settings.camera_height:
            self.notes.append(
                f"scale: no static transforms lead from {source.frame_id!r} to {' or '.join(frames)}, so the camera's height is "
                "not known: set scale.camera_height or scale.ground_frame"
            )
        return CameraMount()

    def _open(self, source: FrameSource, name: str) -> None:
        if source.recording is None:
            raise SourceError(f"scale.odometry_topic is {name!r}, but {source.description} has no topics")
        self._recording = Recording(source.recording)
        topic = self._recording.topic(name)
        if topic.type.rpartition("/")[2] not in ("Odometry", "TwistStamped", "TwistWithCovarianceStamped"):
            self._recording.close()
            raise RecordingError(
                f"scale.odometry_topic {topic.name} holds {topic.type}, expected nav_msgs/msg/Odometry, "
                "geometry_msgs/msg/TwistStamped or geometry_msgs/msg/TwistWithCovarianceStamped"
            )
        self._messages = self._recording.read([topic.name])

    def advance(self, frame: SourceFrame) -> None:
        """Take in what is known when this frame is processed."""
        if self._uses_poses and frame.T_world_camera is not None:
            T = frame.T_world_camera
            self._travel.add_pose(frame.stamp_ns, T[:3, 3], rotation_to_quaternion(T[:3, :3]))
        while self._recording is not None and self._read_until_ns < frame.received_ns + LATE_NS:
            _, self._read_until_ns, message = next(self._messages, ("", 2**63, None))
            if message is not None:
                self._take(message)

    def _take(self, message: Any) -> None:
        stamp_ns = nanoseconds(message.header.stamp)
        self._mount_camera_on(message.child_frame_id if hasattr(message, "pose") else message.header.frame_id)
        if hasattr(message, "pose"):
            p, q = message.pose.pose.position, message.pose.pose.orientation
            self._travel.add_pose(stamp_ns, (p.x, p.y, p.z), (q.x, q.y, q.z, q.w))
            return
        twist = message.twist.twist if hasattr(message.twist, "twist") else message.twist
        v, w = twist.linear, twist.angular
        self._travel.add_velocity(stamp_ns, (v.x, v.y, v.z), (w.x, w.y, w.z))

    def _mount_camera_on(self, moving_frame: str) -> None:
        if moving_frame == self._moving_frame:
            return
        self._moving_frame = moving_frame
        try:
            self._travel.mount_camera(self._source.transforms.lookup(moving_frame, self._source.frame_id)[:3, 3])
        except StaticTransformError as error:
            self.notes.append(f"scale: turns are left out, since the camera's place on the robot is not known: {error}")

    def close(self) -> None:
        """Release the file."""
        if self._recording is not None:
            self._recording.close()
            self._recording = None
