# SPDX-License-Identifier: Apache-2.0
"""Raw image messages of every encoding, well-formed and malformed."""

import numpy as np
import pytest
from image_messages import message, random_image, rgb

from monodepth_ros.data.images.image_codec import ENCODINGS, DecoderOptions, ImageDecoder, ImageError, decode_image


@pytest.mark.parametrize("padding", [0, 1, 5, 64])
@pytest.mark.parametrize(
    "encoding, channels, order",
    [
        ("rgb8", 3, (0, 1, 2)),
        ("bgr8", 3, (2, 1, 0)),
        ("8UC3", 3, (2, 1, 0)),
        ("rgba8", 4, (0, 1, 2)),
        ("bgra8", 4, (2, 1, 0)),
        ("8UC4", 4, (2, 1, 0)),
        ("RGB8", 3, (0, 1, 2)),
        ("rgb888", 3, (0, 1, 2)),
        ("CV_8UC3", 3, (2, 1, 0)),
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
        (broken(height=2**31, width=1), "claims 1x2147483648 pixels"),
        (broken(height=2**16, width=1), "too short"),
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
        wide = random_image(12, 4, 4, dtype=np.uint16)
        source = message(wide, encoding)
        source.height = 4
        assert rgb(decode_image(source)).shape == (4, 4, 3), encoding


@pytest.mark.parametrize("padding", [0, 6])
@pytest.mark.parametrize(
    ("encoding", "channels", "order"),
    [
        ("rgb16", 3, (0, 1, 2)),
        ("bgr16", 3, (2, 1, 0)),
        ("16UC3", 3, (2, 1, 0)),
        ("rgba16", 4, (0, 1, 2)),
        ("bgra16", 4, (2, 1, 0)),
        ("16UC4", 4, (2, 1, 0)),
    ],
)
def test_colours_of_16_bits_become_those_of_8(encoding, channels, order, padding):
    image = random_image(7, 5, channels)
    for big_endian in (False, True):
        source = message(image.astype(np.uint16) * 257, encoding, padding, big_endian)
        np.testing.assert_array_equal(rgb(decode_image(source)), image[..., order])


def planes(name, y, u, v, stacked, padding=0):
    """An image of a plane of Y (H, W) and one of both chroma channels; stacked: `height` counts the rows of both."""
    pair = np.stack((v, u) if name == "nv21" else (u, v), -1)
    rows = np.concatenate((y, pair.reshape(-1, y.shape[1])))
    source = message(rows, name, padding)
    source.height = len(rows) if stacked else len(y)
    return source


@pytest.mark.parametrize("padding", [0, 10])
@pytest.mark.parametrize("stacked", [False, True])
@pytest.mark.parametrize("name", ["nv12", "nv21", "nv24", "NV12"])
def test_two_planes_of_yuv_give_colours_whatever_the_height_counts(name, stacked, padding):
    step = 1 if name == "nv24" else 2
    y = np.full((12, 16), 82, np.uint8)
    u, v = np.full((12 // step, 16 // step), 90, np.uint8), np.full((12 // step, 16 // step), 240, np.uint8)
    y[:6], u[: 6 // step], v[: 6 // step] = 126, 128, 128
    decoded = rgb(decode_image(planes(name, y, u, v, stacked, padding))).astype(int)
    assert decoded.shape == (12, 16, 3)
    assert np.abs(decoded[:6] - (128, 128, 128)).max() <= 2 and np.abs(decoded[6:] - (255, 0, 0)).max() <= 2


def test_an_image_of_two_planes_may_state_a_step_that_counts_both():
    gray, chroma = np.full((12, 16), 126, np.uint8), np.full((6, 8), 128, np.uint8)
    source = planes("nv12", gray, chroma, chroma, False)
    source.step = 24
    assert rgb(decode_image(source)).shape == (12, 16, 3)
    source.data = source.data[:-1]
    with pytest.raises(ImageError, match="too short: nv12 of 16x12 needs 18 rows"):
        decode_image(source)
    with pytest.raises(ImageError, match="nv21 image of 5x8: four pixels share their colour"):
        decode_image(message(random_image(12, 5), "nv21"))


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("MONO8", "mono8"),
        ("GRAY8", "mono8"),
        ("BayerRG8", "bayer_rggb8"),
        ("bayer_gbrg", "bayer_gbrg8"),
        ("BGR8", "bgr8"),
        ("YUYV", "yuyv"),
        ("YUY2", "yuyv"),
        ("UYVY", "uyvy"),
        ("SGRBG10", "bayer_grbg16"),
        ("mono12", "mono16"),
        ("rggb8", "bayer_rggb8"),
        ("YUV422_YUY2", "yuv422_yuy2"),
        ("rgb8\x00", "rgb8"),
    ],
)
def test_a_drivers_other_name_of_an_encoding_is_understood(name, meant):
    image = random_image(8, 12, 6)
    decoded, expected = decode_image(message(image, name)), decode_image(message(image, meant))
    np.testing.assert_array_equal(decoded.array, expected.array)


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("32FC1", "holds depth or another measurement, not a picture"),
        ("64FC1", "holds depth or another measurement"),
        ("8UC2", "yuv422 \\(UYVY\\) or yuv422_yuy2 \\(YUYV\\), by --encoding"),
        ("8SC3", "holds values that are no colours: publish one of rgb8, bgr8"),
        ("16SC1", "no colours"),
        ("32FC3", "no colours"),
        ("rgb12", "the nearest is rgb1?[68]"),
        ("mono8s", "the nearest is mono8"),
        ("mono12p", "packs several pixels into shared bytes"),
        ("BayerRG10Packed", "set the camera's pixel format to one of 8 or 16 bits"),
        ("h264", "a video stream"),
    ],
)
def test_what_is_no_picture_is_refused_with_the_reason(name, words):
    with pytest.raises(ImageError, match=words) as caught:
        decode_image(message(random_image(4, 8, 4), name))
    assert repr(name) in str(caught.value)


def test_a_stated_encoding_replaces_that_of_the_messages():
    image = random_image(8, 12, 3)
    decoder = ImageDecoder(DecoderOptions(encoding="BGR8"))
    np.testing.assert_array_equal(rgb(decoder.decode(message(image, "rgb8"))), image[..., ::-1])
    np.testing.assert_array_equal(rgb(decoder.decode(message(image, "strange"))), image[..., ::-1])
    with pytest.raises(ImageError, match="unknown image encoding 'rgb9'"):
        ImageDecoder(DecoderOptions(encoding="rgb9"))


def test_a_step_of_zero_or_of_pixels_is_mended_where_the_data_has_no_padding():
    image = random_image(4, 6, 3)
    for step in (0, 6):
        source = message(image, "rgb8")
        source.step = step
        np.testing.assert_array_equal(rgb(decode_image(source)), image)


def test_bytes_behind_the_image_are_ignored():
    source = message(random_image(4, 6, 3), "rgb8")
    expected = rgb(decode_image(source))
    source.data += b"\1\2\3\4"
    np.testing.assert_array_equal(rgb(decode_image(source)), expected)
    eight_bits = message(random_image(4, 6, 3), "rgb8", big_endian=True)
    np.testing.assert_array_equal(rgb(decode_image(eight_bits)), expected)
