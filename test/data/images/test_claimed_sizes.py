# SPDX-License-Identifier: Apache-2.0
"""Pictures that claim a size: judged by their headers, before anything is decoded or allocated."""

import struct
import tracemalloc
import zlib
from types import SimpleNamespace

import cv2
import numpy as np
import pytest
from image_messages import compressed, message, scene

from monodepth_ros.data.images import picture_header
from monodepth_ros.data.images.compressed_size import compressed_size
from monodepth_ros.data.images.containers import read_container
from monodepth_ros.data.images.image_codec import ImageError, decode_compressed, decode_image

PICTURE = scene(48, 32)
GREY = np.ascontiguousarray(PICTURE[..., 0])
HUGE = 30000


def encoded(extension, picture=PICTURE, *options):
    return cv2.imencode(extension, picture, list(options))[1].tobytes()


def png_chunk(name, content):
    return struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))


def chunk_inserted(png, name, content):
    """A PNG with one chunk more behind its header."""
    return png[:33] + png_chunk(name, content) + png[33:]


def tiff_tag(tag, value, tiff=None):
    """A TIFF of OpenCV whose first directory states `value` for a tag that it has."""
    data = bytearray(tiff or encoded(".tiff"))
    (start,) = struct.unpack_from("<I", data, 4)
    (count,) = struct.unpack_from("<H", data, start)
    for at in range(start + 2, start + 2 + 12 * count, 12):
        found, kind, number = struct.unpack_from("<HHI", data, at)
        if found == tag:
            assert number == 1
            struct.pack_into("<I" if kind == 4 else "<H", data, at + 8, value)
            return bytes(data)
    raise AssertionError(f"no tag {tag}")


def big_tiff(width, height):
    """A BigTIFF of grey pixels, without packing."""
    entries = [(256, 3, width), (257, 3, height), (258, 3, 8), (259, 3, 1), (262, 3, 1), (273, 16, 0), (277, 3, 1)]
    entries += [(278, 3, height), (279, 16, width * height)]
    at = 16 + 8 + 20 * len(entries) + 8
    head = b"II+\0" + struct.pack("<HHQQ", 8, 0, 16, len(entries))
    body = b"".join(struct.pack("<HHQQ", tag, kind, 1, at if tag == 273 else value) for tag, kind, value in entries)
    return head + body + bytes(8) + bytes(width * height)


FORMATS = {
    "JPEG": encoded(".jpg"),
    "progressive JPEG": encoded(".jpg", PICTURE, cv2.IMWRITE_JPEG_PROGRESSIVE, 1),
    "PNG": encoded(".png"),
    "16-bit PNG": encoded(".png", GREY.astype(np.uint16) * 257),
    "lossy WebP": encoded(".webp", PICTURE, cv2.IMWRITE_WEBP_QUALITY, 80),
    "lossless WebP": encoded(".webp", PICTURE, cv2.IMWRITE_WEBP_QUALITY, 101),
    "extended WebP": encoded(".webp", np.dstack((PICTURE, GREY)), cv2.IMWRITE_WEBP_QUALITY, 80),
    "TIFF": encoded(".tiff"),
    "BigTIFF": big_tiff(48, 32),
    "BMP": encoded(".bmp"),
    "PPM": encoded(".ppm"),
    "PPM in text": encoded(".ppm", PICTURE, cv2.IMWRITE_PXM_BINARY, 0),
    "PGM": encoded(".pgm", GREY),
    "PGM with a comment": b"P5\n# by a program\n48 32\n255\n" + GREY.tobytes(),
    "PBM": encoded(".pbm", (GREY > 99).astype(np.uint8) * 255),
    "PAM": encoded(".pam"),
    "PFM": encoded(".pfm", GREY.astype(np.float32)),
}


@pytest.mark.parametrize("name", FORMATS)
def test_the_size_of_every_format_is_read_from_its_header_and_agrees_with_the_picture(name):
    data = FORMATS[name]
    assert compressed_size(data) == (48, 32)
    array = read_container(np.frombuffer(data, np.uint8), "")
    assert array.shape[:2] == (32, 48)
    header = picture_header.picture_header(np.frombuffer(data, np.uint8))
    assert header.memory >= 2 * array.nbytes and header.least_bytes <= len(data), header


@pytest.mark.parametrize("name", FORMATS)
def test_a_picture_beyond_each_limit_is_refused_by_its_header(name, monkeypatch):
    def no_library(*_):
        raise AssertionError("decoded")

    monkeypatch.setattr(cv2, "imdecode", no_library)
    for limit, value in (("MOST_PIXELS", 48 * 32 - 1), ("LONGEST_SIDE", 47), ("LARGEST_PICTURE", 2 * 48 * 32 - 1)):
        with monkeypatch.context() as lowered, pytest.raises(ImageError, match="claims 48x32 pixels: no more than"):
            lowered.setattr(picture_header, limit, value)
            decode_compressed(compressed(FORMATS[name]))


def jpeg_of(width, height):
    data = bytearray(FORMATS["JPEG"])
    at = data.index(b"\xff\xc0")
    struct.pack_into(">HH", data, at + 5, height, width)
    return bytes(data)


def png_of(width, height):
    data = bytearray(FORMATS["PNG"])
    data[8:33] = png_chunk(b"IHDR", struct.pack(">II", width, height) + bytes(data[24:29]))
    return bytes(data)


def bmp_of(width, height):
    data = bytearray(FORMATS["BMP"])
    struct.pack_into("<ii", data, 18, width, height)
    return bytes(data)


CLAIMS = {
    "JPEG": jpeg_of,
    "PNG": png_of,
    "BMP": bmp_of,
    "BMP from the top": lambda width, height: bmp_of(width, -height),
    "PPM": lambda width, height: b"P6\n%d %d\n255\n" % (width, height) + bytes(300),
    "PGM in text": lambda width, height: b"P2 %d %d 255\n" % (width, height) + b"0 " * 300,
    "PFM": lambda width, height: b"Pf\n%d %d\n-1.0\n" % (width, height) + bytes(300),
    "TIFF": lambda width, height: tiff_tag(257, height, tiff_tag(256, width)),
}


@pytest.mark.parametrize("side", [8000, HUGE])
@pytest.mark.parametrize("name", CLAIMS)
def test_a_small_message_that_claims_a_huge_picture_costs_no_memory(name, side):
    """Beyond the limits, and within them but with fewer bytes than the format needs for the size."""
    data = CLAIMS[name](side, side)
    tracemalloc.start()
    with pytest.raises(ImageError, match="claims|truncated"):
        decode_compressed(compressed(data))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 1_000_000, peak


def test_a_black_picture_is_not_taken_for_a_damaged_one():
    """The smallest data that encoders make, of every format with a least number of bytes."""
    black = np.zeros((1500, 2000, 3), np.uint8)
    forms = [
        (".jpg", (cv2.IMWRITE_JPEG_QUALITY, 1, cv2.IMWRITE_JPEG_OPTIMIZE, 1)),
        (".jpg", (cv2.IMWRITE_JPEG_QUALITY, 1, cv2.IMWRITE_JPEG_PROGRESSIVE, 1)),
        (".png", (cv2.IMWRITE_PNG_COMPRESSION, 9)),
        (".tiff", (cv2.IMWRITE_TIFF_COMPRESSION, 5, cv2.IMWRITE_TIFF_ROWSPERSTRIP, 1500)),
        (".tiff", (cv2.IMWRITE_TIFF_COMPRESSION, 8, cv2.IMWRITE_TIFF_ROWSPERSTRIP, 1500)),
    ]
    for extension, options in forms:
        assert decode_compressed(compressed(encoded(extension, black, *options))).size == (2000, 1500)


def test_a_large_black_webp_is_not_taken_for_a_damaged_one():
    grey = np.zeros((4200, 4000), np.uint8)  # more pixels than those that are not judged by their data
    data = np.frombuffer(encoded(".webp", grey, cv2.IMWRITE_WEBP_QUALITY, 101), np.uint8)
    assert picture_header.checked_header(data, "it").pixels == grey.size


def test_forms_of_known_formats_that_cameras_do_not_write_are_named():
    jpeg, scan = FORMATS["progressive JPEG"], FORMATS["progressive JPEG"].rindex(b"\xff\xda")
    forms = {
        "animated PNG": chunk_inserted(FORMATS["PNG"], b"acTL", bytes(8)),
        "animated WebP": FORMATS["extended WebP"].replace(b"VP8X\x0a\0\0\0\x10", b"VP8X\x0a\0\0\0\x12"),
        "JPEG of the rare coding SOF9": FORMATS["JPEG"].replace(b"\xff\xc0", b"\xff\xc9"),
        "JPEG of more than 100 scans": jpeg[:-2] + jpeg[scan:-2] * 100 + jpeg[-2:],
        "TIFF of compression 34887": tiff_tag(259, 34887),
        "TIFF of 9 samples": tiff_tag(277, 9),
        "GIF, which is not read": b"GIF89a" + bytes(200),
        "JPEG 2000, which is not read": b"\0\0\0\x0cjP  " + bytes(200),
        "AVIF or HEIF, which is not read": b"\0\0\0\x20ftypavif" + bytes(200),
        "Radiance HDR, which is not read": b"#?RADIANCE\n" + bytes(200),
    }
    for words, data in forms.items():
        with pytest.raises(ImageError, match=f"is a {words}"):
            decode_compressed(compressed(data))


@pytest.mark.parametrize(
    ("name", "at"), [("PNG", 8), ("PNG", 33), ("PNG", -12)], ids=["the header", "the data", "the end"]
)
def test_a_png_whose_chunks_claim_more_than_there_is_is_refused(name, at):
    data = bytearray(FORMATS[name])
    at %= len(data)
    struct.pack_into(">I", data, at, len(data))
    with pytest.raises(ImageError, match="is a truncated PNG"):
        decode_compressed(compressed(bytes(data)))


@pytest.mark.parametrize("size", [(0, 5), (5, 0), (0, 0)])
def test_a_picture_without_pixels_is_refused(size):
    for name in ("PNG", "JPEG", "PPM", "BMP"):
        with pytest.raises(ImageError, match="the header is damaged|is a truncated"):
            decode_compressed(compressed(CLAIMS[name](*size)))


@pytest.mark.parametrize("name", FORMATS)
def test_a_header_cut_anywhere_is_refused_in_one_line(name):
    for end in range(0, 120, 3):
        data = FORMATS[name][:end]
        compressed_size(data)
        with pytest.raises(ImageError) as caught:
            decode_compressed(compressed(data))
        assert "\n" not in str(caught.value)


@pytest.mark.parametrize("name", FORMATS)
def test_damaged_headers_raise_nothing_but_an_error_in_words(name):
    draw = np.random.default_rng(3)
    extremes = np.array([0, 1, 127, 128, 255], np.uint8)
    for _ in range(300):
        data = np.frombuffer(FORMATS[name], np.uint8).copy()
        places = draw.integers(0, min(len(data), 200), draw.integers(1, 5))
        data[places] = draw.choice(extremes, len(places))
        try:
            header = picture_header.checked_header(data, "it")
        except ImageError as error:
            assert "\n" not in str(error)
        else:
            assert header.memory <= picture_header.LARGEST_PICTURE


def test_a_raw_image_that_claims_a_huge_size_is_refused():
    for width, height in ((1 << 16, 1 << 16), (1 << 17, 1), (1 << 32 - 1, 1 << 32 - 1)):
        source = SimpleNamespace(**vars(message(PICTURE, "rgb8")) | {"width": width, "height": height})
        with pytest.raises(ImageError, match=f"claims {width}x{height} pixels"):
            decode_image(source)


def test_texts_of_a_message_are_short_in_errors():
    source = message(PICTURE, "\x1b[2Jrgb" + "x" * 5000)
    with pytest.raises(ImageError) as caught:
        decode_image(source)
    assert "\x1b" not in str(caught.value) and len(str(caught.value)) < 1500
    with pytest.raises(ImageError) as caught:
        decode_compressed(compressed(b"nothing", "a \n\x1b[2J" + "b c " * 5000))
    assert "\x1b" not in str(caught.value) and len(str(caught.value)) < 500
