# SPDX-License-Identifier: Apache-2.0
"""The messages of the soak test's camera: images, their calibration, a gyro, transforms."""

from array import array

import numpy as np
from geometry_msgs.msg import TransformStamped
from sensor_msgs.msg import CameraInfo, Image, Imu
from std_msgs.msg import Header

from monodepth_ros.geometry.camera import CameraModel
from monodepth_ros.ros.live.outputs import camera_info

FRAME, BASE = "soak_camera_optical", "soak_base_link"
WIDTH, HEIGHT = 320, 96
# Normalised focal lengths and principal point of the bundled checkpoint's camera.
INTRINSICS = (0.58, 1.92, 0.5, 0.5)
# Camera (x right, y down, z forward) on a robot (x forward, y left, z up), as a quaternion (x, y, z, w).
OPTICAL = (-0.5, 0.5, -0.5, 0.5)


def stamped(header: Header, stamp_ns: int) -> None:
    """Set a header's stamp [ns]."""
    header.stamp.sec, header.stamp.nanosec = divmod(stamp_ns, 1_000_000_000)


def header_of(frame: str, stamp_ns: int) -> Header:
    """A header of a frame and a stamp [ns]."""
    header = Header(frame_id=frame)
    stamped(header, stamp_ns)
    return header


def data_of(values: bytes) -> array:
    """Bytes in the form that rclpy does not convert element by element."""
    data = array("B")
    data.frombytes(values)
    return data


def image(data: array, stamp_ns: int, frame: str = FRAME, width: int = WIDTH, height: int = HEIGHT) -> Image:
    """An rgb8 image of these bytes."""
    message = Image(header=header_of(frame, stamp_ns), width=width, height=height, encoding="rgb8")
    message.step, message.data = 3 * width, data
    return message


def calibration(stamp_ns: int, frame: str = FRAME, width: int = WIDTH, height: int = HEIGHT) -> CameraInfo:
    """The camera_info of images of this size."""
    model = CameraModel.from_normalized(width, height, INTRINSICS)
    return camera_info(model, True, header_of(frame, stamp_ns))


def gyro(stamp_ns: int, rate: tuple[float, float, float] = (0.0, 0.0, 0.0)) -> Imu:
    """A gyro's message of a turn rate [rad/s] in the camera's frame."""
    message = Imu(header=header_of(FRAME, stamp_ns))
    message.angular_velocity.x, message.angular_velocity.y, message.angular_velocity.z = rate
    message.orientation_covariance[0] = message.linear_acceleration_covariance[0] = -1.0
    return message


def transform(parent: str, child: str, stamp_ns: int, place=(0.0, 0.0, 0.0), turn=(0.0, 0.0, 0.0, 1.0)):
    """A TransformStamped. place: metres. turn: quaternion (x, y, z, w)."""
    message = TransformStamped(header=header_of(parent, stamp_ns), child_frame_id=child)
    translation, rotation = message.transform.translation, message.transform.rotation
    translation.x, translation.y, translation.z = map(float, place)
    rotation.x, rotation.y, rotation.z, rotation.w = map(float, turn)
    return message


def noise(random: np.random.Generator, count: int) -> array:
    """Random bytes."""
    return data_of(random.bytes(count))
