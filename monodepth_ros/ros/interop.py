# SPDX-License-Identifier: Apache-2.0
"""Conversions that ROS users expect from cv_bridge, sensor_msgs_py and tf_transformations (tf2_ros: transforms.py).

Each library is used if it is installed and works here; otherwise numpy, OpenCV and transforms3d do the same. The tables
IMAGE_DECODERS, CLOUD_BUILDERS and QUATERNIONS list the implementations present, the preferred one first. The same
conformance tests run through all of them.

Outgoing images are always packed here: cv_bridge copies them twice, through `bytes`.
"""

import math
import sys
from array import array as byte_array
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import transforms3d
from sensor_msgs.msg import CompressedImage, Image, PointCloud2, PointField
from std_msgs.msg import Header

from monodepth_ros.data.images.encodings import Encoding
from monodepth_ros.data.images.image_codec import DecoderOptions, ImageDecoder, Pixels
from monodepth_ros.geometry.motion import MotionError
from monodepth_ros.limits import LARGEST_QUATERNION, SMALLEST_QUATERNION
from monodepth_ros.pipeline.point_cloud import CLOUD_DTYPE

try:
    from cv_bridge import CvBridge
    from cv_bridge.boost import cv_bridge_boost as _  # noqa: F401  its compiled half is bound to one numpy
except Exception:  # absent, the ROS 1 package of that name, or built for another numpy
    CvBridge = None
try:
    from sensor_msgs_py import point_cloud2
except ImportError:
    point_cloud2 = None
try:
    import tf_transformations
except ImportError:
    tf_transformations = None

_CLOUD_FIELDS = [
    PointField(name=name, offset=4 * i, datatype=PointField.FLOAT32, count=1)
    for i, name in enumerate(CLOUD_DTYPE.names)
]
_SYSTEM_IS_BIG_ENDIAN = sys.byteorder == "big"


def _message_bytes(values: np.ndarray) -> byte_array:
    """The array's memory, with one copy, in the only type that rclpy takes without converting element by element."""
    data = byte_array("B")
    data.frombytes(memoryview(np.ascontiguousarray(values).reshape(-1).view(np.uint8)))
    return data


# Bytes per pixel of the encodings left to cv_bridge: those that need a conversion and that all its releases support.
_CV_BRIDGE_ENCODINGS = {"yuv422": 2, "yuv422_yuy2": 2}
_CV_BRIDGE_ENCODINGS |= {f"bayer_{order}8": 1 for order in ("rggb", "bggr", "gbrg", "grbg")}


class CvBridgeDecoder(ImageDecoder):
    """Decodes Bayer and YUV with cv_bridge, and all other images with our codec.

    cv_bridge misreads rows whose step is not a multiple of the pixel size, and with numpy 2 it fails on foreign byte
    order, even for samples of one byte. Such images also go to our codec, and so do those whose bytes are not what
    their encoding says.
    """

    def to_pixels(self, message: Any, array: np.ndarray, encoding: Encoding) -> Pixels:
        is_packed = message.step == message.width * _CV_BRIDGE_ENCODINGS.get(encoding.name, 0)
        is_native = bool(message.is_bigendian) == _SYSTEM_IS_BIG_ENDIAN
        if not (is_packed and is_native and encoding.name == message.encoding):
            return super().to_pixels(message, array, encoding)
        return Pixels(CvBridge().imgmsg_to_cv2(message, "rgb8"), "rgb")


IMAGE_DECODERS: dict[str, type[ImageDecoder]] = {}
if CvBridge is not None:
    IMAGE_DECODERS["cv_bridge"] = CvBridgeDecoder
IMAGE_DECODERS["numpy"] = ImageDecoder


def image_decoder(options: DecoderOptions, remark: Callable[[str], None]) -> ImageDecoder:
    """The preferred decoder for the images of one camera; arguments as of ImageDecoder."""
    return next(iter(IMAGE_DECODERS.values()))(options, remark)


def encode_image(values: np.ndarray, encoding: str, header: Header) -> Image:
    """The sensor_msgs/Image of an array (H, W) or (H, W, C) in native byte order; copies the data once."""
    message = Image(header=header, height=values.shape[0], width=values.shape[1], encoding=encoding)
    message.is_bigendian = int(_SYSTEM_IS_BIG_ENDIAN)
    message.step = values.itemsize * int(np.prod(values.shape[1:]))
    message.data = _message_bytes(values)
    return message


def encode_compressed(format: str, data: np.ndarray, header: Header) -> CompressedImage:
    """The sensor_msgs/CompressedImage of bytes (N,); copies them once."""
    message = CompressedImage(header=header, format=format)
    message.data = _message_bytes(data)
    return message


def _build_with_sensor_msgs_py(points: np.ndarray, header: Header) -> PointCloud2:
    # It takes the H of an (H, W) array for the width: give it a flat array; build_cloud sets the sizes.
    return point_cloud2.create_cloud(header, _CLOUD_FIELDS, points.reshape(-1))


def _build_with_numpy(points: np.ndarray, header: Header) -> PointCloud2:
    cloud = PointCloud2(header=header, fields=_CLOUD_FIELDS, point_step=CLOUD_DTYPE.itemsize)
    cloud.is_bigendian = _SYSTEM_IS_BIG_ENDIAN
    cloud.data = _message_bytes(points)
    return cloud


CLOUD_BUILDERS: dict[str, Callable[[np.ndarray, Header], PointCloud2]] = {}
if point_cloud2 is not None:
    CLOUD_BUILDERS["sensor_msgs_py"] = _build_with_sensor_msgs_py
CLOUD_BUILDERS["numpy"] = _build_with_numpy


def build_cloud(points: np.ndarray, is_dense: bool, header: Header, builder: str = "") -> PointCloud2:
    """The sensor_msgs/PointCloud2 of CLOUD_DTYPE points, (H, W) for an organised cloud or (N,) for a list.

    is_dense: no point holds NaN. builder: an entry of CLOUD_BUILDERS (default: the first).
    """
    build = CLOUD_BUILDERS[builder] if builder else next(iter(CLOUD_BUILDERS.values()))
    cloud = build(points, header)
    cloud.height, cloud.width = points.shape if points.ndim == 2 else (1, points.shape[0])
    cloud.row_step = cloud.point_step * cloud.width
    cloud.is_dense = is_dense
    return cloud


class QuaternionFunctions(NamedTuple):
    """Conversions between quaternions in ROS order (x, y, z, w) and rotation matrices (3, 3)."""

    to_rotation: Callable[[np.ndarray], np.ndarray]
    from_rotation: Callable[[np.ndarray], np.ndarray]


def _homogeneous(rotation: np.ndarray) -> np.ndarray:
    matrix = np.eye(4)
    matrix[:3, :3] = rotation
    return matrix


QUATERNIONS: dict[str, QuaternionFunctions] = {}
if tf_transformations is not None:
    QUATERNIONS["tf_transformations"] = QuaternionFunctions(
        lambda q: tf_transformations.quaternion_matrix(q)[:3, :3],
        lambda rotation: np.asarray(tf_transformations.quaternion_from_matrix(_homogeneous(rotation))),
    )
QUATERNIONS["transforms3d"] = QuaternionFunctions(
    lambda q: transforms3d.quaternions.quat2mat((q[3], q[0], q[1], q[2])),
    lambda rotation: np.roll(transforms3d.quaternions.mat2quat(rotation), -1),
)


def rotation_from_quaternion(quaternion, implementation: str = "") -> np.ndarray:
    """Rotation matrix (3, 3) of a quaternion (x, y, z, w) that need not have length 1 exactly.

    MotionError if it is zero, of an absurd length or holds NaN.
    """
    functions = QUATERNIONS[implementation] if implementation else next(iter(QUATERNIONS.values()))
    values = np.asarray(quaternion, dtype=np.float64)
    norm = math.hypot(*values.tolist())
    if not SMALLEST_QUATERNION <= norm <= LARGEST_QUATERNION:
        raise MotionError(f"quaternion {tuple(values.tolist())} is not a rotation: publish a quaternion of length 1")
    return functions.to_rotation(values / norm)


def quaternion_from_rotation(rotation: np.ndarray, implementation: str = "") -> np.ndarray:
    """Unit quaternion (x, y, z, w) with w >= 0 of a rotation matrix (3, 3)."""
    functions = QUATERNIONS[implementation] if implementation else next(iter(QUATERNIONS.values()))
    quaternion = functions.from_rotation(rotation)
    quaternion = quaternion / np.linalg.norm(quaternion)
    return -quaternion if quaternion[3] < 0 else quaternion
