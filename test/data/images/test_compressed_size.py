# SPDX-License-Identifier: Apache-2.0
"""The size of compressed images from their headers."""

from array import array

import cv2
import numpy as np
import pytest

from monodepth_ros.data.images.compressed_size import compressed_size

IMAGE = np.random.default_rng(0).integers(0, 255, (37, 61, 3), np.uint8)
JPEG = cv2.imencode(".jpg", IMAGE)[1].tobytes()
PROGRESSIVE = cv2.imencode(".jpg", IMAGE, [cv2.IMWRITE_JPEG_PROGRESSIVE, 1])[1].tobytes()
PNG = cv2.imencode(".png", IMAGE)[1].tobytes()
WITH_EXIF = JPEG[:2] + b"\xff\xe1\x27\x10" + bytes(10000 - 2) + b"\xff" + JPEG[2:]


@pytest.mark.parametrize("data", [JPEG, PROGRESSIVE, PNG, WITH_EXIF, array("B", JPEG), np.frombuffer(PNG, np.uint8)])
def test_the_size_of_jpeg_and_png_is_read_from_the_header(data):
    assert compressed_size(data) == (61, 37)


@pytest.mark.parametrize(
    "data", [b"", b"\xff\xd8", JPEG[:30], PNG[:20], b"GIF89a" + bytes(30), b"\xff\xd8" + bytes(30)]
)
def test_a_damaged_header_has_no_size(data):
    assert compressed_size(data) == (0, 0)
