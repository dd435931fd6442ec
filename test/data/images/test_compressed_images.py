# SPDX-License-Identifier: Apache-2.0
"""Compressed images: whole, padded, truncated, turned, and what they are called."""

import struct

import cv2
import numpy as np
import pytest
from image_messages import compressed, mosaic, random_image, rgb, scene

from monodepth_ros.data.images.image_codec import DecoderOptions, ImageDecoder, ImageError, decode_compressed


def encoded(extension, picture):
    """A picture (RGB or grey) in a format, as a camera would write it."""
    return cv2.imencode(extension, picture if picture.ndim == 2 else picture[..., ::-1])[1].tobytes()


JPEG = encoded(".jpg", scene())


@pytest.mark.parametrize("extension", [".jpg", ".png", ".webp", ".tiff", ".bmp"])
def test_colour_and_grey_are_read(extension):
    for shape, layout in (((32, 48, 3), "bgr"), ((32, 48), "mono")):
        image = cv2.GaussianBlur(random_image(*shape), (0, 0), 4)
        decoded = decode_compressed(compressed(cv2.imencode(extension, image)[1].tobytes()))
        if extension != ".webp":  # it has no grey pictures
            assert decoded.layout == layout
        assert decoded.size == (48, 32)
        assert np.abs(rgb(decoded)[..., ::-1].astype(int) - np.atleast_3d(image)).mean() < 4


@pytest.mark.parametrize("form", ["", "jpg", "JPEG", "image/jpeg", "png", "rgb8; png compressed bgr8", "bgr8; jpeg"])
def test_the_bytes_count_whatever_the_format_is_called(form):
    np.testing.assert_array_equal(
        rgb(decode_compressed(compressed(JPEG, form))), rgb(decode_compressed(compressed(JPEG)))
    )


@pytest.mark.parametrize(
    "padding", [b"\0" * 20000, b"\0", b"\xff" * 5000, bytes(range(200)) * 60, b"\0" * 9000 + b"time: 12.5 s", JPEG[:-9]]
)
def test_whatever_follows_the_end_marker_of_a_jpeg_is_ignored(padding):
    np.testing.assert_array_equal(
        decode_compressed(compressed(JPEG + padding)).array, decode_compressed(compressed(JPEG)).array
    )


def with_thumbnail(picture):
    """A JPEG with a small JPEG in its EXIF segment."""
    small = b"Exif\0\0" + encoded(".jpg", scene(16, 16))
    return picture[:2] + b"\xff\xe1" + struct.pack(">H", len(small) + 2) + small + picture[2:]


@pytest.mark.parametrize("padding", [0, 1, 30000])
def test_a_truncated_jpeg_is_refused_even_if_it_is_padded_or_has_a_thumbnail(padding):
    for whole in (JPEG, with_thumbnail(JPEG)):
        assert decode_compressed(compressed(whole + bytes(padding))).size == (96, 64)
        with pytest.raises(ImageError, match="is a truncated JPEG"):
            decode_compressed(compressed(whole[:-40] + bytes(padding)))


def test_a_truncated_png_is_refused():
    png = encoded(".png", scene())
    assert decode_compressed(compressed(png + bytes(5000))).size == (96, 64)
    with pytest.raises(ImageError, match="is a truncated PNG"):
        decode_compressed(compressed(png[: len(png) // 2]))


@pytest.mark.parametrize(
    "data", [b"", b"not an image", JPEG[:20], JPEG[:-30], b"\xff\xd8" + b"\0" * 500, b"\x89PNG\r\n\x1a\n" + b"\0" * 50]
)
def test_broken_data_is_refused_in_one_line(data):
    with pytest.raises(ImageError) as caught:
        decode_compressed(compressed(data))
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("form", ["nv12", "NV21", "yuyv", "rgb8", "i420", "yuv420p"])
def test_raw_bytes_in_a_compressed_image_are_named(form):
    with pytest.raises(ImageError, match=f"^CompressedImage holds raw {form}.*: publish sensor_msgs/Image"):
        decode_compressed(compressed(bytes(1000), form))


@pytest.mark.parametrize(("form", "data"), [("h264", b"\0\0\0\1\x67"), ("hevc", b"\0\0\1\x40"), ("", b"\0\0\0\1\x67")])
def test_a_video_stream_is_named(form, data):
    remedy = "image by image" if form else "whose publisher has to state the codec"
    with pytest.raises(ImageError, match=f"is part of a video stream, .*{remedy}"):
        decode_compressed(compressed(data + bytes(100), form))


def test_png_of_16_bits_is_read_in_grey_and_colours():
    gray = random_image(8, 8, dtype=np.uint16)
    decoded = decode_compressed(compressed(encoded(".png", gray), "mono16; png compressed ")).array
    np.testing.assert_array_equal(decoded, np.rint(gray * (255 / 65535)).astype(np.uint8))
    colors = random_image(8, 8, 3)
    decoded = decode_compressed(
        compressed(encoded(".png", colors.astype(np.uint16) * 257), "rgb16; png compressed bgr16")
    )
    np.testing.assert_array_equal(rgb(decoded), colors)


@pytest.mark.parametrize("name", ["rgb8", "bgr8", "rgba8", "bgra8", "rgb16", "mono8"])
def test_tiff_of_image_transport_has_its_colours_in_the_order_of_the_message(name):
    picture = scene(40, 24)
    array = picture if name.startswith("rgb") else picture[..., ::-1]
    if "a" in name:
        array = np.dstack((array, np.full(array.shape[:2], 255, np.uint8)))
    if name == "mono8":
        array, picture = picture[..., 0], np.repeat(picture[..., :1], 3, 2)
    array = array.astype(np.uint16) * 257 if name.endswith("16") else array
    # The array as it is, which OpenCV's encoder takes for BGR.
    stored = cv2.imencode(".tiff", np.ascontiguousarray(array))[1].tobytes()
    np.testing.assert_array_equal(rgb(decode_compressed(compressed(stored, f"{name}; tiff compressed "))), picture)


def test_tiff_of_another_writer_has_its_own_colours():
    picture = scene(40, 24)
    np.testing.assert_array_equal(rgb(decode_compressed(compressed(encoded(".tiff", picture), "tiff"))), picture)


def turned(tiff, orientation):
    """A TIFF with an orientation: its directory, with one entry more, at the end."""
    (start,) = struct.unpack_from("<I", tiff, 4)
    (count,) = struct.unpack_from("<H", tiff, start)
    entries = [tiff[start + 2 + 12 * i : start + 14 + 12 * i] for i in range(count)]
    entries = [entry for entry in entries if entry[:2] != b"\x12\x01"]
    entries = sorted([*entries, struct.pack("<HHIHH", 0x0112, 3, 1, orientation, 0)], key=lambda e: e[1::-1])
    changed = bytearray(tiff) + struct.pack("<H", len(entries)) + b"".join(entries) + bytes(4)
    struct.pack_into("<I", changed, 4, len(tiff))
    return bytes(changed)


@pytest.mark.parametrize("orientation", [3, 6, 8])
def test_an_orientation_does_not_turn_the_image_of_a_calibrated_camera(orientation):
    picture = scene(40, 24)
    tiff = encoded(".tiff", picture)
    stored = np.frombuffer(turned(tiff, orientation), np.uint8)
    assert not np.array_equal(cv2.imdecode(stored, cv2.IMREAD_UNCHANGED), picture[..., ::-1]), "OpenCV turns it"
    np.testing.assert_array_equal(rgb(decode_compressed(compressed(stored.tobytes(), "tiff"))), picture)
    exif = b"Exif\0\0II*\0\x08\0\0\0\x01\0" + struct.pack("<HHIHH", 0x0112, 3, 1, orientation, 0) + bytes(4)
    jpeg = JPEG[:2] + b"\xff\xe1" + struct.pack(">H", len(exif) + 2) + exif + JPEG[2:]
    np.testing.assert_array_equal(decode_compressed(compressed(jpeg)).array, decode_compressed(compressed(JPEG)).array)


BAYER_FORMS = [
    "bayer_{0}8; jpeg compressed ",
    "bayer_{0}8; jpeg compressed bayer_{0}8",
    "bayer_{0}8",
    "BAYER_{0}8; jpeg",
]


@pytest.mark.parametrize("extension", [".jpg", ".png", ".tiff"])
@pytest.mark.parametrize("pattern", ["rggb", "bggr", "gbrg", "grbg"])
def test_a_mosaic_in_a_compressed_image_is_demosaiced(pattern, extension):
    picture = scene()
    data = cv2.imencode(extension, mosaic(picture, pattern), [cv2.IMWRITE_JPEG_QUALITY, 95])[1].tobytes()
    for form in BAYER_FORMS:
        decoded = decode_compressed(compressed(data, form.format(pattern)))
        assert np.abs(rgb(decoded).astype(int) - picture).mean() < 6, (form, decoded.layout)


def test_a_mosaic_of_16_bits_in_a_png_is_demosaiced_and_stretched():
    picture = scene()
    data = encoded(".png", mosaic(picture.astype(np.uint16) << 4))
    decoded = decode_compressed(compressed(data, "bayer_rggb16; png compressed "))
    assert np.abs(rgb(decoded).astype(int) - picture).mean() < 6


def test_a_bayer_image_that_became_colours_or_grey_is_left_as_it_is():
    picture = scene()
    decoded = decode_compressed(compressed(JPEG, "bayer_rggb8; jpeg compressed bgr8"))
    assert decoded.layout == "bgr" and np.abs(rgb(decoded).astype(int) - picture).mean() < 6
    gray = cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY)
    form = "bayer_rggb8; jpeg compressed mono8"
    assert decode_compressed(compressed(encoded(".jpg", gray), form)).layout == "mono"
    decoded = decode_compressed(compressed(encoded(".png", mosaic(picture)), form))
    assert np.abs(rgb(decoded).astype(int) - picture).mean() < 6, "the mosaic under the name of a grey image"


def test_a_stated_encoding_says_what_a_compressed_array_is():
    picture, remarks = scene(), []
    data = encoded(".png", mosaic(picture, "gbrg"))
    decoder = ImageDecoder(DecoderOptions(encoding="bayer_gbrg8"), remarks.append)
    assert np.abs(rgb(decoder.decode(compressed(data, "png"))).astype(int) - picture).mean() < 6
    with pytest.raises(ImageError, match="has 3 channels, and bayer_gbrg8 was stated"):
        decoder.decode(compressed(JPEG))
    swapped = encoded(".png", picture[..., ::-1])
    decoder = ImageDecoder(DecoderOptions(encoding="rgb8"), remarks.append)
    np.testing.assert_array_equal(rgb(decoder.decode(compressed(swapped, "png"))), picture)
    assert remarks == []


def test_a_mosaic_under_the_name_of_a_grey_image_is_warned_about_once():
    remarks = []
    decoder = ImageDecoder(remark=remarks.append)
    for _ in range(3):
        assert decoder.decode(compressed(encoded(".png", mosaic(scene())), "mono8; png compressed ")).layout == "mono"
    (remark,) = remarks
    assert "look like the mosaic of a colour camera: state its pattern, such as bayer_rggb8, by --encoding" in remark
    ImageDecoder(remark=remarks.append).decode(compressed(encoded(".png", scene()[..., 0]), "mono8; png compressed "))
    assert len(remarks) == 1
