# SPDX-License-Identifier: Apache-2.0
"""The gyro of a live IMU, for the odometry."""

import time
from collections import deque

import numpy as np
from rclpy.qos import HistoryPolicy, QoSProfile, ReliabilityPolicy
from sensor_msgs.msg import Imu

from monodepth_ros.foreign_text import name_fault
from monodepth_ros.odometry.gyro.gyro import Gyro
from monodepth_ros.pipeline.robot_inputs import gyro_messages
from monodepth_ros.ros.live.problems import Problems
from monodepth_ros.ros.transforms import TransformError, TransformLookup, create_transform_lookup
from monodepth_ros.stamps import nanoseconds

# An IMU sends many messages per image; best effort connects to every publisher.
IMU_QOS = QoSProfile(depth=500, history=HistoryPolicy.KEEP_LAST, reliability=ReliabilityPolicy.BEST_EFFORT)
MAX_WAITING = 5000  # messages kept until the next image
MOST_FRAMES = 8  # frame_ids of the messages between two images that are looked up
SILENCE = 2.0  # time without a message that is reported as a problem [s]


class GyroInput:
    """Subscribes to odometry.imu_topic and gives `gyro` its rates, turned into the camera's axes by TF.

    Rates that cannot be used are a problem, and the odometry goes on without them. `advance` may be called from another
    thread than the executor's.
    """

    def __init__(self, node, topic: str, gyro: Gyro, problems: Problems):
        self._node, self._topic, self._gyro, self._problems = node, topic, gyro, problems
        self._messages: deque[Imu] = deque(maxlen=MAX_WAITING)
        self._heard = time.monotonic()
        self._passed_over = 0
        self._subscription = node.create_subscription(Imu, topic, self._receive, IMU_QOS)
        self._transforms = create_transform_lookup(node, problems.note_refused_transform)

    def close(self) -> None:
        """Release the subscriptions; may be called twice."""
        if self._subscription is not None:
            self._node.destroy_subscription(self._subscription)
            self._transforms.close()
            self._subscription = None

    @property
    def transforms(self) -> TransformLookup:
        """The transforms that place the IMU."""
        return self._transforms

    @property
    def newest_stamp_ns(self) -> int | None:
        """Stamp of the newest message that waits for the next image; None if none waits."""
        return nanoseconds(self._messages[-1].header.stamp) if self._messages else None

    def _receive(self, message: Imu) -> None:
        fault = name_fault(message.header.frame_id)
        if fault:
            self._heard = time.monotonic()
            self._note_sample(f"a frame_id that {fault}")
            return
        self._messages.append(message)

    def _note_sample(self, reason: str) -> None:
        self._passed_over += 1
        self._problems.note("gyro sample", f"gyro: {self._topic}: {reason} ({self._passed_over} so far)")

    def advance(self, camera_frame: str) -> None:
        """Give the gyro the rates received since the last call, without waiting."""
        now = time.monotonic()
        if not self._messages:
            if now - self._heard > SILENCE:
                self._report_of_silence(now - self._heard)
            return
        self._heard = now
        if self._take_all(camera_frame) and self._gyro.problem:
            self._problems.note("gyro", f"gyro not used: {self._gyro.problem}", is_lasting=True)

    def _take_all(self, camera_frame: str) -> bool:
        """Whether the gyro got rates; those of frames that TF does not connect with the camera are left out."""
        rotations: dict[str, np.ndarray | None] = {}
        has_rates = False
        for _ in range(len(self._messages)):
            message = self._messages.popleft()
            frame = message.header.frame_id
            if frame not in rotations and len(rotations) < MOST_FRAMES:
                rotations[frame] = self._rotation(camera_frame, frame)
            R_camera_imu = rotations.get(frame)
            if R_camera_imu is None:
                continue
            problem = gyro_messages.add_rate(self._gyro, message, R_camera_imu)
            if problem:
                self._note_sample(problem)
            has_rates = has_rates or not problem
        return has_rates

    def _rotation(self, camera_frame: str, frame: str) -> np.ndarray | None:
        """R_camera_imu (3, 3); None, and a problem, if TF does not connect the two."""
        try:
            return self._transforms.lookup(camera_frame, frame, 0, 0.0)[:3, :3]
        except TransformError as error:
            self._problems.note("gyro transform", f"gyro not used: {error}")
            return None

    def _report_of_silence(self, seconds: float) -> None:
        topic = self._node.resolve_topic_name(self._topic)
        found = {publisher.topic_type for publisher in self._node.get_publishers_info_by_topic(topic)}
        what = (
            f"its publishers send {', '.join(sorted(found))}; name the topic of an IMU"
            if found
            else "it has no publisher; start the IMU, or name its topic"
        )
        if gyro_messages.TYPE in found:
            what = f"nothing has come for {seconds:.0f} s; start the IMU"
        self._problems.note("gyro", f"gyro not used: no {gyro_messages.TYPE} on {topic} (odometry.imu_topic): {what}")
