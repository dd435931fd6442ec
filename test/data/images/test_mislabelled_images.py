# SPDX-License-Identifier: Apache-2.0
"""Bytes that are not what the encoding says are recognised where that is certain, and named with the remedy else."""

import cv2
import numpy as np
import pytest
from image_messages import message, mosaic, random_image, rgb, scene, yuv_pairs

from monodepth_ros.data.images.image_codec import DecoderOptions, ImageDecoder, ImageError


def decoder_with_remarks(**options):
    remarks = []
    return ImageDecoder(DecoderOptions(**options), remarks.append), remarks


def error(first, second):
    return np.abs(rgb(first).astype(int) - second).mean()


@pytest.mark.parametrize("learned", [False, True])
@pytest.mark.parametrize(
    ("called", "order", "meant"),
    [
        ("yuv422", "yuyv", "yuv422_yuy2"),
        ("uyvy", "yuyv", "yuyv"),
        ("yuv422_yuy2", "uyvy", "yuv422"),
        ("yuyv", "uyvy", "uyvy"),
    ],
)
def test_yuv_bytes_in_the_other_order_are_read_rightly_and_remarked_once(called, order, meant, learned):
    decoder, remarks = decoder_with_remarks()
    source = message(yuv_pairs(scene(), order), called, padding=6)
    assert decoder.needs_sample(source)
    if learned:
        decoder.learn([source] * 3)
    for _ in range(3):
        assert error(decoder.decode(source), scene()) < 4
    (remark,) = remarks
    assert f"call the images {called}, but their bytes are in the order of {meant}" in remark
    assert f"state {called} by --encoding" in remark


@pytest.mark.parametrize(("called", "order"), [("yuv422", "uyvy"), ("yuyv", "yuyv"), ("yuv422_yuy2", "yuyv")])
def test_yuv_bytes_in_the_stated_order_are_left_so(called, order):
    decoder, remarks = decoder_with_remarks()
    for picture in (np.full((64, 96, 3), 90, np.uint8), scene()):
        assert error(decoder.decode(message(yuv_pairs(picture, order), called)), picture) < 4
    assert remarks == []


def test_a_gray_wall_does_not_decide_and_a_later_image_does():
    decoder, remarks = decoder_with_remarks()
    wall = np.full((64, 96, 3), 128, np.uint8)
    decoder.decode(message(yuv_pairs(wall, "yuyv"), "yuv422"))
    assert remarks == []
    assert error(decoder.decode(message(yuv_pairs(scene(), "yuyv"), "yuv422")), scene()) < 4 and len(remarks) == 1


@pytest.mark.parametrize("grey", [30, 90, 250])
def test_a_camera_without_colours_tells_the_order_by_its_chroma_of_128(grey):
    decoder, remarks = decoder_with_remarks()
    fog = np.full((64, 96, 3), grey, np.uint8)
    fog[20:40, 30:50] -= 6
    assert error(decoder.decode(message(yuv_pairs(fog, "yuyv"), "yuv422")), fog) < 2
    assert len(remarks) == 1 and "in the order of yuv422_yuy2" in remarks[0]


def test_a_stated_encoding_is_not_doubted():
    decoder, remarks = decoder_with_remarks(encoding="yuv422")
    assert error(decoder.decode(message(yuv_pairs(scene(), "yuyv"), "yuv422")), scene()) > 20
    decoder, remarks = decoder_with_remarks(encoding="yuyv")
    assert error(decoder.decode(message(yuv_pairs(scene(), "yuyv"), "yuv422")), scene()) < 4 and remarks == []


@pytest.mark.parametrize("learned", [False, True])
def test_16_bit_values_in_the_byte_order_that_is_not_stated_are_read_rightly(learned):
    decoder, remarks = decoder_with_remarks()
    gray = cv2.cvtColor(scene(), cv2.COLOR_RGB2GRAY)
    noise = random_image(*gray.shape) % 4
    values = (gray.astype(np.uint16) << 4) + noise
    source = message(values, "mono16", big_endian=True)
    source.is_bigendian = 0
    if learned:
        decoder.learn([source] * 3)
    assert np.abs(decoder.decode(source).array.astype(int) - gray).max() <= 1
    assert len([remark for remark in remarks if "byte order that is_bigendian denies" in remark]) == 1
    rightly, remarks = decoder_with_remarks()
    rightly.decode(message(values, "mono16", big_endian=True))
    assert not any("is_bigendian" in remark for remark in remarks)


@pytest.mark.parametrize("extension", [".jpg", ".png", ".webp", ".tiff"])
@pytest.mark.parametrize("encoding", ["rgb8", "jpeg", "MJPEG", "bgr8"])
def test_a_compressed_picture_in_a_raw_image_is_read_and_remarked_once(extension, encoding):
    decoder, remarks = decoder_with_remarks()
    source = message(scene(), encoding)
    source.data = cv2.imencode(extension, scene()[..., ::-1])[1].tobytes()
    for _ in range(2):
        assert error(decoder.decode(source), scene()) < 4
    (remark,) = remarks
    assert f"of encoding {encoding!r} holds" in remark and "publish them as sensor_msgs/CompressedImage" in remark
    # In a buffer of the raw image's size, too.
    source.data = source.data.ljust(96 * 64 * 3, b"\0")
    assert error(decoder.decode(source), scene()) < 4 and len(remarks) == 1


def test_a_raw_image_that_begins_like_a_jpeg_is_raw():
    decoder, remarks = decoder_with_remarks()
    picture = scene()
    picture[0, 0] = (0xFF, 0xD8, 0xFF)
    np.testing.assert_array_equal(rgb(decoder.decode(message(picture, "rgb8"))), picture)
    assert remarks == []


def test_an_image_that_should_be_compressed_and_is_not_is_refused():
    for data in (bytes(300), b"\xff\xd8\xff" + bytes(300)):
        source = message(scene(), "jpeg")
        source.data = data
        with pytest.raises(ImageError, match="is not a compressed picture|is a truncated JPEG"):
            ImageDecoder().decode(source)


@pytest.mark.parametrize("called", ["rgb8", "bgr8", "bgra8", "mono16", "yuv422"])
def test_one_byte_for_each_pixel_is_grey(called):
    decoder, remarks = decoder_with_remarks()
    gray = cv2.cvtColor(scene(), cv2.COLOR_RGB2GRAY)
    source = message(gray, called)
    for step in (96, 96 * 3):
        source.step = step
        np.testing.assert_array_equal(decoder.decode(source).array, gray)
    (remark,) = remarks
    assert f"{called} images with one byte for each pixel are read as mono8; state another one by --encoding" in remark


def test_one_byte_for_each_pixel_of_a_mosaic_of_16_bits_is_one_of_8():
    decoder, remarks = decoder_with_remarks()
    assert error(decoder.decode(message(mosaic(scene(), "gbrg"), "bayer_gbrg16")), scene()) < 6
    assert "are read as bayer_gbrg8" in remarks[0]


@pytest.mark.parametrize(
    ("called", "picture", "words"),
    [
        ("mono8", scene(), "mono8 image with 3 bytes for each pixel; the bytes fit rgb8 or bgr8: state the right one"),
        ("mono8", np.dstack((scene(), scene()[..., 0])), "4 bytes for each pixel; the bytes fit rgba8 or bgra8"),
        ("bayer_rggb8", scene(), "bayer_rggb8 image with 3 bytes for each pixel"),
        ("rgb8", yuv_pairs(scene(), "uyvy"), "the bytes fit yuv422 or yuv422_yuy2 or mono16"),
        ("rgb8", np.dstack((scene(), np.full((64, 96), 255, np.uint8))), "rgb8 image with 4 bytes for each pixel"),
    ],
)
def test_data_of_another_number_of_bytes_is_refused_with_what_it_fits(called, picture, words):
    with pytest.raises(ImageError, match=words) as caught:
        ImageDecoder().decode(message(picture, called))
    assert "--encoding (the node's image.encoding)" in str(caught.value)
    # The same without a row's step, which some drivers compute from the encoding.
    source = message(picture, called)
    source.step = 96 * (1 if called in ("mono8", "bayer_rggb8") else 3)
    if called != "rgb8" or picture.shape[2] == 2:
        with pytest.raises(ImageError, match="the bytes fit"):
            ImageDecoder().decode(source)


def test_a_part_of_a_wider_image_is_no_other_encoding():
    wide = random_image(64, 128, 3)
    part = message(wide[:, :96], "rgb8", padding=96)
    np.testing.assert_array_equal(rgb(ImageDecoder().decode(part)), wide[:, :96])


def test_a_mosaic_that_is_called_mono8_is_remarked():
    decoder, remarks = decoder_with_remarks()
    decoder.decode(message(mosaic(scene()), "mono8"))
    assert "the mono8 images look like the mosaic of a colour camera" in remarks[0] and len(remarks) == 1
    decoder, remarks = decoder_with_remarks()
    decoder.decode(message(scene()[..., 1], "mono8"))
    assert remarks == []


def test_texts_of_a_sender_of_nonsense_do_not_fill_the_memory():
    decoder, remarks = decoder_with_remarks()
    for number in range(1000):
        decoder._remark(f"remark {number}")
        decoder._array(f"rgb8; jpeg {number}" + "x" * 5000)
    assert len(remarks) == len(decoder._told) <= 100
    assert sum(map(len, decoder._arrays)) < 20_000
