# SPDX-License-Identifier: Apache-2.0
"""Reference for the images of a recording: depth images or a LiDAR's clouds, and poses."""

from typing import Any

import numpy as np

from monodepth_ros.data.bags.recording import Recording, RecordingError
from monodepth_ros.data.bags.static_transforms import StaticTransformError
from monodepth_ros.data.bags.topics import ground_truth_depth, ground_truth_odometry, lidar_clouds, odometry_topic
from monodepth_ros.data.cloud_depth import CloudError, cloud_points, depth_of_points
from monodepth_ros.data.depth_codec import decode_depth
from monodepth_ros.data.sources.source import FrameSource
from monodepth_ros.geometry.camera import CameraModel
from monodepth_ros.geometry.motion import interpolate, make_transform, quaternion_to_rotation
from monodepth_ros.stamps import nanoseconds

# The reference may be recorded this much later than its image.
LATE_NS = 500_000_000
# Poses further apart than this are not interpolated.
POSE_GAP_NS = 250_000_000
# Largest difference of the stamps of a cloud and its image: half the period of a LiDAR that turns at 10 Hz.
CLOUD_GAP_NS = 50_000_000


class BagReference:
    """Reference depth and poses of a recording, read in step with its images by a reader of its own.

    Depth comes from the ground-truth depth image of the same stamp and frame, or else from the only LiDAR that static
    transforms connect to the camera. Poses come from the topic `odometry`, or else from odometry named as ground truth.
    Unusable topics are listed in the source's notes. Raises RecordingError if `odometry` is not an odometry topic.
    """

    def __init__(self, source: FrameSource, recording: Recording, start_ns: int, stop_ns: int, odometry: str = ""):
        self._recording = None
        self._source = source
        camera_frame = source.frame_id
        self._depth_topic = ground_truth_depth(recording)
        self._odometry_topic = odometry_topic(recording, odometry) if odometry else ground_truth_odometry(recording)
        if self._depth_topic and recording.first(self._depth_topic).header.frame_id != camera_frame:
            self._depth_topic = ""
        self._cloud_topic = "" if self._depth_topic else self._lidar(recording)
        if self._odometry_topic:
            child = recording.first(self._odometry_topic).child_frame_id
            try:
                self._T_child_camera = source.transforms.lookup(child, camera_frame)
            except StaticTransformError as error:
                source.notes.append(f"{self._odometry_topic} gives the pose of {child!r} and is not used: {error}")
                self._odometry_topic = ""
        topics = [topic for topic in (self._depth_topic, self._cloud_topic, self._odometry_topic) if topic]
        self._depths: dict[int, Any] = {}
        self._poses: list[tuple[int, np.ndarray]] = []
        self._recording = Recording(recording.path) if topics else None
        window = start_ns - LATE_NS, stop_ns + LATE_NS
        self._messages = self._recording.messages(topics, *window) if topics else iter(())
        self._read_until_ns = -1

    def _lidar(self, recording: Recording) -> str:
        """The cloud topic to use, '' if there is none. Sets `_T_camera_cloud`."""
        camera_frame, notes = self._source.frame_id, self._source.notes
        usable = {}
        for topic in lidar_clouds(recording, camera_frame):
            frame = recording.first(topic).header.frame_id
            try:
                usable[topic] = self._source.transforms.lookup(camera_frame, frame)
            except StaticTransformError as error:
                notes.append(f"{topic} is in {frame!r} and not used as reference depth: {error}")
        if len(usable) > 1:
            notes.append(f"no reference depth: several point clouds are possible ({', '.join(usable)})")
        if len(usable) != 1:
            return ""
        (topic, self._T_camera_cloud), *_ = usable.items()
        notes.append(f"reference depth: the points of {topic}, not corrected for motion within a sweep")
        return topic

    def close(self) -> None:
        """Release the file."""
        if self._recording is not None:
            self._recording.close()

    def at(self, stamp_ns: int, received_ns: int, camera: CameraModel) -> tuple[np.ndarray | None, np.ndarray | None]:
        """Depth (H, W) [m] in the camera's image and T_world_camera; None for either if it is not known.

        stamp_ns, received_ns: the image's times, which must not decrease from call to call.
        """
        while self._read_until_ns < received_ns + LATE_NS:
            try:
                message = next(self._messages, None)
                content = None if message is None else self._recording.deserialize(message)
            except RecordingError:  # damaged from here on: reading the images raises it again
                self._messages = iter(())
                break
            if message is None:
                break
            self._read_until_ns = message.stamp_ns
            if message.topic == self._odometry_topic:
                self._poses.append((nanoseconds(content.header.stamp), _pose(content) @ self._T_child_camera))
            else:
                self._depths[nanoseconds(content.header.stamp)] = content
        return self._depth_at(stamp_ns, camera), self._pose_at(stamp_ns)

    def _depth_at(self, stamp_ns: int, camera: CameraModel) -> np.ndarray | None:
        gap = CLOUD_GAP_NS if self._cloud_topic else 0
        self._depths = {stamp: depth for stamp, depth in self._depths.items() if stamp >= stamp_ns - gap}
        nearest = min(self._depths, key=lambda stamp: abs(stamp - stamp_ns), default=None)
        if nearest is None or abs(nearest - stamp_ns) > gap:
            return None
        if not self._cloud_topic:
            return decode_depth(self._depths[nearest])
        if not camera.is_calibrated:
            return None
        try:
            return depth_of_points(cloud_points(self._depths[nearest]), self._T_camera_cloud, camera)
        except CloudError as error:
            note = f"{self._cloud_topic}: {error}"
            if note not in self._source.notes:
                self._source.notes.append(note)
            return None

    def _pose_at(self, stamp_ns: int) -> np.ndarray | None:
        while len(self._poses) > 1 and self._poses[1][0] <= stamp_ns:
            self._poses.pop(0)
        if not self._poses or self._poses[0][0] > stamp_ns:
            return None
        (before_ns, before), *later = self._poses[:2]
        if before_ns == stamp_ns:
            return before
        if not later or later[0][0] - before_ns > POSE_GAP_NS:
            return None
        after_ns, after = later[0]
        return interpolate(before, after, (stamp_ns - before_ns) / (after_ns - before_ns))


def _pose(odometry: Any) -> np.ndarray:
    p, q = odometry.pose.pose.position, odometry.pose.pose.orientation
    return make_transform(quaternion_to_rotation((q.x, q.y, q.z, q.w)), (p.x, p.y, p.z))
