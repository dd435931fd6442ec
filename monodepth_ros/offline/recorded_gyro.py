# SPDX-License-Identifier: Apache-2.0
"""The gyro of a recorded IMU."""

from typing import Any

import numpy as np

from monodepth_ros.data.bags.files import RecordingError
from monodepth_ros.data.bags.static_transforms import StaticTransformError
from monodepth_ros.data.sources.source import FrameSource, SourceFrame
from monodepth_ros.odometry.gyro.gyro import Gyro
from monodepth_ros.offline.recorded_topic import RecordedTopic
from monodepth_ros.pipeline.robot_inputs import gyro_messages

MOST_NOTES = 8


class RecordedGyro:
    """Gives `gyro` the recorded rates up to each frame, turned into the camera's axes by static transforms.

    gyro: None for settings without a gyro. If the rates cannot be used, `notes` has the reason once, and the odometry
    goes on without them; RecordingError for a topic of another type.
    """

    def __init__(self, source: FrameSource, name: str, gyro: Gyro | None):
        self._source, self._gyro, self._name = source, gyro, name
        self._topic: RecordedTopic | None = None
        self._frame: str | None = None
        self._has_passed_over = False
        self._R_camera_imu: np.ndarray | None = None
        self.notes: list[str] = []
        if gyro is not None:
            self._open(source)

    def _open(self, source: FrameSource) -> None:
        if source.recording is None:
            self._note(f"{source.description} has no topics")
            return
        try:
            topic = RecordedTopic(source.recording, self._name, source.topics[0])
        except RecordingError as error:
            self._note(str(error))
            return
        if topic.type != gyro_messages.TYPE:
            topic.close()
            raise RecordingError(f"odometry.imu_topic {topic.name} holds {topic.type}, expected {gyro_messages.TYPE}")
        if topic.doubt:
            self._note(topic.doubt)
        if not topic.count:
            self._note(f"{topic.name} has no messages")
        self._topic = topic

    def advance(self, frame: SourceFrame) -> None:
        """Add the messages that a node would have received when it processes this frame."""
        if self._topic is not None:
            for message in self._topic.until(frame):
                self._take(message)

    def _take(self, message: Any) -> None:
        if message.header.frame_id != self._frame:
            self._frame = message.header.frame_id
            self._R_camera_imu = self._rotation(message.header.frame_id)
        if self._gyro is not None and self._R_camera_imu is not None:
            problem = gyro_messages.add_rate(self._gyro, message, self._R_camera_imu)
            if problem and not self._has_passed_over:  # one note, however many there are
                self._has_passed_over = True
                self._note(problem)

    def _rotation(self, frame: str) -> np.ndarray | None:
        try:
            return self._source.transforms.lookup(self._source.frame_id, frame)[:3, :3]
        except StaticTransformError as error:
            self._note(f"not used: {error}")
            return None

    def _note(self, text: str) -> None:
        note = f"odometry.imu_topic {self._name}: {text}"
        if note not in self.notes and len(self.notes) < MOST_NOTES:
            self.notes.append(note)

    @property
    def description(self) -> str:
        """The state of the gyro, in words; empty without one."""
        return "" if self._gyro is None else self._gyro.description

    def close(self) -> None:
        """Release the file."""
        if self._topic is not None:
            self._topic.close()
            self._topic = None
