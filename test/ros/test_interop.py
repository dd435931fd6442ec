# SPDX-License-Identifier: Apache-2.0
"""The same conformance tests for every implementation of the conversions that is installed here."""

import numpy as np
import pytest
from sensor_msgs.msg import Image
from std_msgs.msg import Header

from monodepth_ros.data.images.image_codec import ENCODINGS, ImageError, to_rgb
from monodepth_ros.geometry.motion import MotionError, axis_angle_to_rotation
from monodepth_ros.pipeline.point_cloud import CLOUD_DTYPE
from monodepth_ros.ros.interop import (
    CLOUD_BUILDERS,
    IMAGE_DECODERS,
    QUATERNIONS,
    build_cloud,
    encode_image,
    quaternion_from_rotation,
    rotation_from_quaternion,
)

HEADER = Header(frame_id="camera_optical")
RNG = np.random.default_rng(3)


def image_message(encoding, height, width, padding, big_endian):
    depth = 2 if "16" in encoding else 1
    channels = 4 if "a" in encoding[:5] or "C4" in encoding else 3 if encoding[:3] in ("rgb", "bgr") else 1
    channels = 3 if "C3" in encoding else 1 if encoding.startswith("bayer") else channels
    if encoding.startswith(("yuv", "uyvy", "yuyv")):
        channels = 2
    step = width * channels * depth + padding
    rows = {"nv12": height * 3 // 2, "nv21": height * 3 // 2, "nv24": height * 3}.get(encoding, height)
    data = RNG.integers(0, 255, (rows, step), np.uint8)
    message = Image(header=HEADER, height=height, width=width, encoding=encoding, step=step)
    message.is_bigendian = int(big_endian)
    message.data.frombytes(data.tobytes())
    return message


def sizes(encoding):
    return [(6, 8)] if encoding.startswith(("bayer", "yuv", "uyvy", "yuyv", "nv")) else [(6, 8), (1, 1), (5, 7)]


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_all_decoders_agree_on_every_encoding_padding_and_byte_order(encoding):
    for height, width in sizes(encoding):
        for padding in (0, 1, 4, 7):
            for big_endian in (False, True):
                message = image_message(encoding, height, width, padding, big_endian)
                results = {}
                for name, decoder in IMAGE_DECODERS.items():
                    pixels = decoder().decode(message)
                    assert pixels.size == (width, height) and pixels.array.dtype == np.uint8
                    results[name] = to_rgb(pixels.array, pixels.layout)
                for name, result in results.items():
                    np.testing.assert_array_equal(result, results["numpy"], err_msg=f"{name}, padding {padding}")


@pytest.mark.parametrize("decoder", IMAGE_DECODERS)
def test_every_decoder_refuses_malformed_images(decoder):
    for change in ({"encoding": "nonsense"}, {"step": 3}, {"height": 100}, {"width": 0, "step": 0}):
        for encoding in ("rgb8", "bayer_rggb8", "yuv422"):
            message = image_message(encoding, 6, 8, 0, False)
            for name, value in change.items():
                setattr(message, name, value)
            with pytest.raises(ImageError):
                IMAGE_DECODERS[decoder]().decode(message)


@pytest.mark.parametrize("decoder", IMAGE_DECODERS)
@pytest.mark.parametrize(
    "array, encoding",
    [
        (RNG.integers(0, 255, (6, 8, 3), np.uint8), "rgb8"),
        (RNG.integers(0, 255, (1, 1, 3), np.uint8), "bgr8"),
        (RNG.integers(0, 255, (5, 7), np.uint8), "mono8"),
    ],
)
def test_encoding_and_decoding_are_inverse(decoder, array, encoding):
    message = encode_image(array, encoding, HEADER)
    assert message.step == array.strides[0] and len(message.data) == array.nbytes
    np.testing.assert_array_equal(IMAGE_DECODERS[decoder]().decode(message).array, array)


def test_depth_images_keep_their_bits():
    depth = np.array([[1.5, np.nan], [np.inf, -np.inf]], np.float32)
    message = encode_image(depth, "32FC1", HEADER)
    assert (message.height, message.width, message.step) == (2, 2, 8)
    assert bytes(message.data) == depth.tobytes()
    sliced = np.arange(48, dtype=np.uint16).reshape(6, 8)[::2, ::2]
    message = encode_image(sliced, "16UC1", HEADER)
    np.testing.assert_array_equal(np.frombuffer(message.data, np.uint16).reshape(3, 4), sliced)


def points(*shape):
    cloud = np.zeros(shape, CLOUD_DTYPE)
    for i, name in enumerate(CLOUD_DTYPE.names):
        cloud[name] = np.arange(cloud.size).reshape(shape) + i / 4
    return cloud


@pytest.mark.parametrize("builder", CLOUD_BUILDERS)
@pytest.mark.parametrize("shape", [(3, 5), (1, 1), (7,), (0,)])
def test_clouds_have_the_right_sizes_steps_and_bytes(builder, shape):
    cloud = points(*shape)
    message = build_cloud(cloud, True, HEADER, builder)
    height, width = shape if len(shape) == 2 else (1, shape[0])
    assert (message.height, message.width) == (height, width)
    assert (message.point_step, message.row_step) == (16, 16 * width)
    assert [(f.name, f.offset, f.datatype, f.count) for f in message.fields] == [
        ("x", 0, 7, 1),
        ("y", 4, 7, 1),
        ("z", 8, 7, 1),
        ("rgb", 12, 7, 1),
    ]
    assert message.is_dense and not message.is_bigendian
    assert bytes(message.data) == cloud.tobytes()


@pytest.mark.parametrize("implementation", QUATERNIONS)
def test_quaternions_are_those_of_ros(implementation):
    quarter = np.sqrt(0.5)
    np.testing.assert_allclose(
        rotation_from_quaternion((0, 0, quarter, quarter), implementation),
        [[0, -1, 0], [1, 0, 0], [0, 0, 1]],
        atol=1e-12,
    )
    for axis_angle in ((0.1, -0.2, 0.3), (3.1, 0.0, 0.1), (0.0, 0.0, 0.0), (0.0, np.pi, 0.0)):
        rotation = axis_angle_to_rotation(axis_angle)
        quaternion = quaternion_from_rotation(rotation, implementation)
        assert abs(np.linalg.norm(quaternion) - 1) < 1e-12 and quaternion[3] >= 0
        np.testing.assert_allclose(rotation_from_quaternion(quaternion, implementation), rotation, atol=1e-9)


@pytest.mark.parametrize("implementation", QUATERNIONS)
def test_quaternions_are_normalised_and_invalid_ones_refused(implementation):
    one = rotation_from_quaternion((0.1, 0.2, 0.3, 0.9), implementation)
    np.testing.assert_allclose(rotation_from_quaternion((0.2, 0.4, 0.6, 1.8), implementation), one, atol=1e-12)
    np.testing.assert_allclose(one @ one.T, np.eye(3), atol=1e-12)
    for useless in ((0, 0, 0, 0), (np.nan, 0, 0, 1), (np.inf, 0, 0, 1)):
        with pytest.raises(MotionError):
            rotation_from_quaternion(useless, implementation)
