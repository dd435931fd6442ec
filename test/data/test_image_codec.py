# SPDX-License-Identifier: Apache-2.0
"""Image messages of every encoding, well-formed and malformed."""

from types import SimpleNamespace

import cv2
import numpy as np
import pytest

from monodepth_ros.data.image_codec import ENCODINGS, ImageError, decode_compressed, decode_image, to_rgb


def message(array, encoding, padding=0, big_endian=False):
    """An image message of an array, its rows padded with garbage."""
    if array.dtype == np.uint16:
        array = array.astype(">u2" if big_endian else "<u2")
    rows = np.ascontiguousarray(array).reshape(array.shape[0], -1).view(np.uint8)
    step = rows.shape[1] + padding
    data = np.full((array.shape[0], step), 0xAB, np.uint8)
    data[:, : rows.shape[1]] = rows
    return SimpleNamespace(
        height=array.shape[0],
        width=array.shape[1],
        encoding=encoding,
        step=step,
        is_bigendian=int(big_endian),
        data=data.tobytes(),
    )


def random_image(*shape, dtype=np.uint8):
    return np.random.default_rng(1).integers(0, np.iinfo(dtype).max, shape, dtype, endpoint=True)


def rgb(pixels):
    return to_rgb(pixels.array, pixels.layout)


@pytest.mark.parametrize("padding", [0, 1, 5, 64])
@pytest.mark.parametrize(
    "encoding, channels, order",
    [
        ("rgb8", 3, (0, 1, 2)),
        ("bgr8", 3, (2, 1, 0)),
        ("8UC3", 3, (2, 1, 0)),
        ("rgba8", 4, (0, 1, 2)),
        ("bgra8", 4, (2, 1, 0)),
    ],
)
def test_colour_encodings_give_rgb_with_any_row_padding(encoding, channels, order, padding):
    image = random_image(7, 5, channels)
    np.testing.assert_array_equal(rgb(decode_image(message(image, encoding, padding))), image[..., order])


@pytest.mark.parametrize("padding", [0, 3])
def test_mono8_is_grey(padding):
    image = random_image(7, 5)
    np.testing.assert_array_equal(
        rgb(decode_image(message(image, "mono8", padding))), np.repeat(image[..., None], 3, 2)
    )


@pytest.mark.parametrize("big_endian", [False, True])
@pytest.mark.parametrize("padding", [0, 2, 6, 7])
def test_mono16_is_scaled_to_8_bit_in_either_byte_order(big_endian, padding):
    image = random_image(7, 5, dtype=np.uint16)
    expected = np.rint(image * (255 / 65535)).astype(np.uint8)
    decoded = decode_image(message(image, "mono16", padding, big_endian)).array
    np.testing.assert_array_equal(decoded, expected)


@pytest.mark.parametrize("bits", [8, 16])
@pytest.mark.parametrize("pattern", ["rggb", "bggr", "gbrg", "grbg"])
def test_bayer_patterns_give_back_a_flat_colour(pattern, bits):
    color = {"r": 200, "g": 120, "b": 40}
    tile = np.array([[color[pattern[0]], color[pattern[1]]], [color[pattern[2]], color[pattern[3]]]])
    mosaic = np.tile(tile, (6, 6)) * (257 if bits == 16 else 1)
    dtype = np.uint16 if bits == 16 else np.uint8
    decoded = rgb(decode_image(message(mosaic.astype(dtype), f"bayer_{pattern}{bits}", padding=4)))
    np.testing.assert_array_equal(decoded[2:-2, 2:-2], np.broadcast_to((200, 120, 40), (8, 8, 3)))


@pytest.mark.parametrize(
    "encoding, order", [("yuv422", "uyvy"), ("uyvy", "uyvy"), ("yuv422_yuy2", "yuyv"), ("yuyv", "yuyv")]
)
def test_yuv_grey_and_red_are_decoded(encoding, order):
    for y, u, v, expected in ((126, 128, 128, (128, 128, 128)), (82, 90, 240, (255, 0, 0))):
        pair = {"uyvy": [u, y, v, y], "yuyv": [y, u, y, v]}[order]
        image = np.tile(np.array(pair, np.uint8), (4, 3)).reshape(4, 6, 2)
        decoded = rgb(decode_image(message(image, encoding, padding=2))).astype(int)
        assert np.abs(decoded - expected).max() <= 2, decoded[0, 0]


def test_eight_bit_pixels_are_not_copied():
    source = message(random_image(7, 5, 3), "rgb8", 3)
    assert decode_image(source).array.base is not None


def test_one_pixel_images_are_read():
    for encoding, channels in (("rgb8", 3), ("mono8", 1), ("bgra8", 4)):
        image = random_image(1, 1, channels) if channels > 1 else random_image(1, 1)
        assert rgb(decode_image(message(image, encoding))).shape == (1, 1, 3)


def test_the_last_row_may_come_without_its_padding():
    source = message(random_image(4, 5, 3), "rgb8", 10)
    source.data = source.data[:-10]
    assert decode_image(source).array.shape == (4, 5, 3)


def broken(**changes):
    source = message(random_image(4, 6, 3), "rgb8")
    for name, value in changes.items():
        setattr(source, name, value)
    return source


@pytest.mark.parametrize(
    "source, words",
    [
        (broken(encoding="rgb12"), "'rgb12'"),
        (broken(encoding=""), "''"),
        (broken(encoding="32FC1"), "'32FC1'"),
        (broken(step=17), "step 17"),
        (broken(step=0, data=b"\0" * 70), "step 0"),
        (broken(data=b""), "0 bytes"),
        (broken(data=b"\0" * 71), "71 bytes"),
        (broken(height=0), "6x0"),
        (broken(width=0), "0x4"),
        (broken(height=2**31, width=1), "too short"),
        (broken(encoding="yuv422", width=5), "odd width"),
        (broken(encoding="bayer_rggb8", width=1), "Bayer"),
    ],
)
def test_malformed_messages_are_refused_with_the_fault_in_one_line(source, words):
    with pytest.raises(ImageError) as caught:
        decode_image(source)
    assert words in str(caught.value) and "\n" not in str(caught.value)


def test_every_listed_encoding_decodes():
    for encoding in ENCODINGS:
        wide = random_image(4, 4, 4, dtype=np.uint16)
        source = message(wide, encoding)
        assert rgb(decode_image(source)).shape == (4, 4, 3), encoding


def compressed(data, form="jpeg"):
    return SimpleNamespace(data=data, format=form)


@pytest.mark.parametrize("extension", [".jpg", ".png"])
def test_compressed_colour_and_grey_are_read(extension):
    for shape, layout in (((32, 48, 3), "bgr"), ((32, 48), "mono")):
        image = cv2.GaussianBlur(random_image(*shape), (0, 0), 4)
        decoded = decode_compressed(compressed(cv2.imencode(extension, image)[1].tobytes()))
        assert decoded.layout == layout and decoded.size == (48, 32)
        assert np.abs(decoded.array.astype(int) - image).mean() < 4


def test_a_16_bit_png_is_scaled_like_a_raw_image():
    image = random_image(8, 8, dtype=np.uint16)
    decoded = decode_compressed(compressed(cv2.imencode(".png", image)[1].tobytes(), "png")).array
    np.testing.assert_array_equal(decoded, np.rint(image * (255 / 65535)).astype(np.uint8))


JPEG = cv2.imencode(".jpg", np.zeros((64, 64, 3), np.uint8))[1].tobytes()


@pytest.mark.parametrize(
    "data", [b"", b"not an image", JPEG[:20], JPEG[:-30], b"\xff\xd8" + b"\0" * 500, b"\x89PNG\r\n\x1a\n" + b"\0" * 50]
)
def test_broken_compressed_data_is_refused_in_one_line(data):
    with pytest.raises(ImageError) as caught:
        decode_compressed(compressed(data))
    assert "\n" not in str(caught.value)
