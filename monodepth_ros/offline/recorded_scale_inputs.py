# SPDX-License-Identifier: Apache-2.0
"""Inputs of a measured scale from a recording: the robot's own odometry, and the camera's mount above the ground."""

import numpy as np

from monodepth_ros.data.bags.files import RecordingError
from monodepth_ros.data.bags.static_transforms import StaticTransformError
from monodepth_ros.data.sources.source import FrameSource, SourceError, SourceFrame
from monodepth_ros.geometry.motion import rotation_to_quaternion
from monodepth_ros.odometry.scale.config import ScaleConfig
from monodepth_ros.odometry.scale.source import CameraMount
from monodepth_ros.odometry.scale.travel_log import TravelLog
from monodepth_ros.offline.recorded_topic import RecordedTopic
from monodepth_ros.pipeline.robot_inputs import odometry_messages
from monodepth_ros.pipeline.robot_inputs.camera_mount import MountError, find_mount, ground_frames


class RecordedScaleInputs:
    """Gives `travel` the robot's odometry up to each frame, as a node would have received it.

    With scale.odometry_topic the messages of that topic; otherwise, for scale.source odometry, the poses of the source.
    mount: the camera's height and tilt, from the recording's static transforms. RecordingError for a topic that is
    missing or of another type, SourceError for a source without topics.
    """

    def __init__(self, source: FrameSource, settings: ScaleConfig, travel: TravelLog):
        self._travel, self._odometry = travel, odometry_messages.OdometryMessages(travel)
        self._topic: RecordedTopic | None = None
        self._source = source
        self._moving_frame: str | None = None
        self._uses_poses = settings.source == "odometry" and not settings.odometry_topic
        if self._uses_poses:
            travel.mount_camera(np.zeros(3))  # the poses are those of the camera
        self._settings_topic = settings.odometry_topic
        self.notes: list[str] = []
        self._noted: set[str] = set()
        reason = source.why_no_poses() if self._uses_poses else ""
        if reason and reason not in source.notes:
            self.notes.append(f"scale: no odometry to measure it by: {reason}; or set scale.odometry_topic")
        self.mount = self._find_mount(source, settings)
        if settings.odometry_topic and settings.source in ("auto", "odometry"):
            self._open(source, settings.odometry_topic)

    def _find_mount(self, source: FrameSource, settings: ScaleConfig) -> CameraMount:
        frames = ground_frames(settings)
        try:
            found = find_mount(frames, lambda frame: source.transforms.lookup(frame, source.frame_id))
        except MountError as error:
            self.notes.append(f"scale: the camera's height is not used: {error}")
            return CameraMount()
        if found is not None:
            frame, mount = found
            what = "tilt" if settings.camera_height else f"height ({mount.height:.3g} m) and tilt"
            self.notes.append(f"scale: the camera's {what} above {frame!r}, from the recording's transforms")
            return mount
        if frames and not settings.camera_height:
            self.notes.append(
                f"scale: no static transforms lead from {source.frame_id!r} to {' or '.join(frames)}, so the camera's "
                "height is not known: set scale.camera_height or scale.ground_frame"
            )
        return CameraMount()

    def _open(self, source: FrameSource, name: str) -> None:
        if source.recording is None:
            raise SourceError(f"scale.odometry_topic is {name!r}, but {source.description} has no topics")
        topic = RecordedTopic(source.recording, name, source.topics[0])
        if topic.type.rpartition("/")[2] not in odometry_messages.TYPES:
            topic.close()
            raise RecordingError(
                f"scale.odometry_topic {topic.name} holds {topic.type}, expected nav_msgs/msg/Odometry, "
                "geometry_msgs/msg/TwistStamped or geometry_msgs/msg/TwistWithCovarianceStamped"
            )
        self._topic = topic
        if topic.doubt:
            self.notes.append(f"scale: {topic.doubt}")

    def advance(self, frame: SourceFrame) -> None:
        """Add what a node would have received when it processes this frame."""
        if self._uses_poses and frame.T_world_camera is not None:
            T = frame.T_world_camera
            self._travel.add_pose(frame.stamp_ns, T[:3, 3], rotation_to_quaternion(T[:3, :3]))
        if self._topic is not None:
            for message in self._topic.until(frame):
                problem = self._odometry.add(message)
                if not problem:
                    self._mount_camera_on(odometry_messages.moving_frame(message))
                self._note_once("passed over", problem)
                self._note_once("twist", self._odometry.remark)

    def _note_once(self, kind: str, text: str) -> None:
        """One note of each kind, however many messages it is about."""
        if text and kind not in self._noted:
            self._noted.add(kind)
            self.notes.append(f"scale: {self._settings_topic}: {text}")

    def _mount_camera_on(self, moving_frame: str) -> None:
        if moving_frame == self._moving_frame:
            return
        self._moving_frame = moving_frame
        try:
            T_robot_camera = self._source.transforms.lookup(moving_frame, self._source.frame_id)
            self._travel.mount_camera(odometry_messages.lever_of(T_robot_camera))
        except (StaticTransformError, MountError) as error:
            if "lever" not in self._noted:
                self._noted.add("lever")
                self.notes.append(odometry_messages.without_lever(error))

    def close(self) -> None:
        """Release the file."""
        if self._topic is not None:
            self._topic.close()
            self._topic = None
