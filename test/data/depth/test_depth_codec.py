# SPDX-License-Identifier: Apache-2.0
"""Depth images of messages and files in metres."""

from types import SimpleNamespace

import cv2
import numpy as np
import pytest

from monodepth_ros.data.depth.depth_codec import KITTI_COUNTS_PER_METRE, decode_depth, read_depth_png
from monodepth_ros.data.images import picture_header
from monodepth_ros.data.images.image_codec import ImageError


def message(values, encoding, padding=0, big_endian=False):
    values = values.astype(values.dtype.newbyteorder(">" if big_endian else "<"))
    rows = [row.tobytes() + bytes(padding) for row in values]
    data = np.frombuffer(b"".join(rows), np.uint8)
    height, width = values.shape
    step = width * values.itemsize + padding
    return SimpleNamespace(width=width, height=height, step=step, is_bigendian=big_endian, encoding=encoding, data=data)


@pytest.mark.parametrize("big_endian", [False, True])
@pytest.mark.parametrize("padding", [0, 5])
def test_both_encodings_give_metres(padding, big_endian):
    metres = np.array([[1.5, np.nan], [np.inf, 80.0]], np.float32)
    np.testing.assert_array_equal(decode_depth(message(metres, "32FC1", padding, big_endian)), metres)
    millimetres = np.array([[1500, 0], [1, 65535]], np.uint16)
    expected = np.array([[1.5, np.nan], [0.001, 65.535]], np.float32)
    np.testing.assert_allclose(decode_depth(message(millimetres, "16UC1", padding, big_endian)), expected, rtol=1e-6)


@pytest.mark.parametrize("big_endian", [False, True])
def test_the_other_encodings_of_depth_are_read(big_endian):
    metres = np.array([[1.5, np.nan], [np.inf, 80.0]], np.float64)
    decoded = decode_depth(message(metres, "64FC1", 3, big_endian))
    assert decoded.dtype == np.float32
    np.testing.assert_array_equal(decoded, metres.astype(np.float32))
    millimetres = np.array([[1500, 0], [1, 30000]], np.uint16)
    for name in ("mono16", "MONO16", "16UC1", "16uc1"):
        np.testing.assert_allclose(
            decode_depth(message(millimetres, name, 1, big_endian)), [[1.5, np.nan], [0.001, 30.0]], rtol=1e-6
        )
    signed = np.array([[1500, -1]], np.int16)
    np.testing.assert_allclose(decode_depth(message(signed, "16SC1", 0, big_endian)), [[1.5, np.nan]], rtol=1e-6)


def test_foreign_and_short_images_are_refused():
    with pytest.raises(ImageError, match="'rgb8': expected 32FC1 or 16UC1"):
        decode_depth(message(np.zeros((2, 2), np.uint16), "rgb8"))
    short = message(np.zeros((2, 2), np.uint16), "16UC1")
    short.height = 9
    with pytest.raises(ImageError, match="data of 8 bytes is too short: 9 rows of 2 16UC1 pixels"):
        decode_depth(short)


def test_kitti_depth_is_in_256ths_of_a_metre(tmp_path):
    cv2.imwrite(str(tmp_path / "depth.png"), np.array([[0, 256, 12800]], np.uint16))
    np.testing.assert_array_equal(read_depth_png(tmp_path / "depth.png", KITTI_COUNTS_PER_METRE), [[np.nan, 1, 50]])
    cv2.imwrite(str(tmp_path / "image.png"), np.zeros((2, 2), np.uint8))
    with pytest.raises(ImageError, match="16 bits"):
        read_depth_png(tmp_path / "image.png", KITTI_COUNTS_PER_METRE)


def test_depth_images_that_claim_too_much_are_refused(tmp_path, monkeypatch):
    source = message(np.zeros((2, 3), np.uint16), "16UC1")
    for width, height, reason in (
        (1 << 16, 1 << 16, "claims 65536x65536"),
        (0, 2, "empty image"),
        (3, 0, "empty image"),
    ):
        with pytest.raises(ImageError, match=reason):
            decode_depth(SimpleNamespace(**vars(source) | {"width": width, "height": height}))
    cv2.imwrite(str(tmp_path / "depth.png"), np.ones((20, 30), np.uint16))
    monkeypatch.setattr(picture_header, "MOST_PIXELS", 599)
    with pytest.raises(ImageError, match="depth.png: .*claims 30x20 pixels"):
        read_depth_png(tmp_path / "depth.png", KITTI_COUNTS_PER_METRE)
    with pytest.raises(ImageError, match="none.png cannot be read: No such file"):
        read_depth_png(tmp_path / "none.png", KITTI_COUNTS_PER_METRE)
