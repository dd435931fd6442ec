# SPDX-License-Identifier: Apache-2.0
"""The gyro of a recorded IMU."""

from collections.abc import Iterator
from typing import Any

import numpy as np

from monodepth_ros.data.bags.recording import Recording, RecordingError
from monodepth_ros.data.bags.static_transforms import StaticTransformError
from monodepth_ros.data.sources.source import FrameSource, SourceFrame
from monodepth_ros.odometry.gyro.gyro import Gyro
from monodepth_ros.pipeline.robot_inputs import gyro_messages

# An IMU message may be recorded this much later than the image of its time.
LATE_NS = 500_000_000


class RecordedGyro:
    """Gives `gyro` the recorded rates up to each frame, turned into the camera's axes by static transforms.

    gyro: None for settings without a gyro. If the rates cannot be used, `notes` has the reason once, and the odometry
    goes on without them; RecordingError for a topic of another type.
    """

    def __init__(self, source: FrameSource, name: str, gyro: Gyro | None):
        self._source, self._gyro, self._topic = source, gyro, name
        self._recording: Recording | None = None
        self._messages: Iterator[tuple[str, int, Any]] = iter(())
        self._read_until_ns = -1
        self._frame: str | None = None
        self._R_camera_imu: np.ndarray | None = None
        self.notes: list[str] = []
        if gyro is not None:
            self._open(source)

    def _open(self, source: FrameSource) -> None:
        if source.recording is None:
            self._note(f"{source.description} has no topics")
            return
        recording = Recording(source.recording)
        try:
            topic = recording.topic(self._topic)
        except RecordingError as error:
            recording.close()
            self._note(str(error))
            return
        if topic.type != gyro_messages.TYPE:
            recording.close()
            raise RecordingError(f"odometry.imu_topic {topic.name} holds {topic.type}, expected {gyro_messages.TYPE}")
        if not topic.count:
            self._note(f"{topic.name} has no messages")
        self._recording, self._messages = recording, recording.read([topic.name])

    def advance(self, frame: SourceFrame) -> None:
        """Add the messages that a node would have received when it processes this frame."""
        while self._recording is not None and self._read_until_ns < frame.received_ns + LATE_NS:
            _, self._read_until_ns, message = next(self._messages, ("", 2**63, None))
            if message is not None:
                self._take(message)

    def _take(self, message: Any) -> None:
        if message.header.frame_id != self._frame:
            self._frame = message.header.frame_id
            self._R_camera_imu = self._rotation(message.header.frame_id)
        if self._gyro is not None and self._R_camera_imu is not None:
            problem = gyro_messages.add_rate(self._gyro, message, self._R_camera_imu)
            if problem:
                self._note(problem)

    def _rotation(self, frame: str) -> np.ndarray | None:
        try:
            return self._source.transforms.lookup(self._source.frame_id, frame)[:3, :3]
        except StaticTransformError as error:
            self._note(f"not used: {error}")
            return None

    def _note(self, text: str) -> None:
        note = f"odometry.imu_topic {self._topic}: {text}"
        if note not in self.notes:
            self.notes.append(note)

    @property
    def description(self) -> str:
        """The state of the gyro, in words; empty without one."""
        return "" if self._gyro is None else self._gyro.description

    def close(self) -> None:
        """Release the file."""
        if self._recording is not None:
            self._recording.close()
            self._recording = None
