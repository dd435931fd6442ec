# SPDX-License-Identifier: Apache-2.0
"""The gyro of a live IMU, for the odometry."""

import math
import time
from collections import deque

import numpy as np
from rclpy.qos import HistoryPolicy, QoSProfile, ReliabilityPolicy
from sensor_msgs.msg import Imu

from monodepth_ros.odometry.gyro.gyro import Gyro
from monodepth_ros.ros.live.problems import Problems
from monodepth_ros.ros.transforms import TransformError, TransformLookup, create_transform_lookup
from monodepth_ros.stamps import nanoseconds

# An IMU speaks many times per image; best effort connects to every publisher.
IMU_QOS = QoSProfile(depth=500, history=HistoryPolicy.KEEP_LAST, reliability=ReliabilityPolicy.BEST_EFFORT)
MAX_WAITING = 5000  # messages kept until the next image
SILENCE = 2.0  # after so long without a message somebody should know [s]


class GyroInput:
    """Subscribes to odometry.imu_topic and gives `gyro` its rates in the camera's axes, by TF.

    Whatever is wrong with them is a problem, and the odometry goes on without. `advance` may be called on another thread
    than the executor's.
    """

    def __init__(self, node, topic: str, gyro: Gyro, problems: Problems):
        self._node, self._topic, self._gyro, self._problems = node, topic, gyro, problems
        self._messages: deque[Imu] = deque(maxlen=MAX_WAITING)
        self._heard = time.monotonic()
        self._subscription = node.create_subscription(Imu, topic, self._receive, IMU_QOS)
        self._transforms = create_transform_lookup(node)

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
        self._messages.append(message)

    def advance(self, camera_frame: str) -> None:
        """Give the gyro what has come since the last call; never waits."""
        now = time.monotonic()
        if not self._messages:
            if now - self._heard > SILENCE:
                self._report_of_silence()
            return
        self._heard = now
        try:
            has_rates = self._take_all(camera_frame)
        except TransformError as error:
            self._problems.note("gyro", f"gyro not used: {error}")
            return
        if has_rates and self._gyro.problem:
            self._problems.note("gyro", f"gyro not used: {self._gyro.problem}")

    def _take_all(self, camera_frame: str) -> bool:
        """Whether there were rates among the messages; TransformError where the IMU's place is not known."""
        rotations: dict[str, np.ndarray] = {}
        for _ in range(len(self._messages)):
            message = self._messages.popleft()
            frame, rate = message.header.frame_id, message.angular_velocity
            if not all(map(math.isfinite, (rate.x, rate.y, rate.z))):
                self._problems.note("gyro", f"gyro: rates on {self._topic} are not finite: passed over")
                continue
            if frame not in rotations:
                rotations[frame] = self._transforms.lookup(camera_frame, frame, 0, 0.0)[:3, :3]
            stamp = message.header.stamp
            stamp_ns = nanoseconds(stamp)
            self._gyro.add(stamp_ns, rotations[frame] @ np.array((rate.x, rate.y, rate.z)))
        return bool(rotations)

    def _report_of_silence(self) -> None:
        topic = self._node.resolve_topic_name(self._topic)
        found = {publisher.topic_type for publisher in self._node.get_publishers_info_by_topic(topic)}
        what = f"its publishers send {', '.join(sorted(found))}" if found else "nobody publishes it"
        self._problems.note("gyro", f"gyro not used: no sensor_msgs/msg/Imu on {topic} (odometry.imu_topic): {what}")
