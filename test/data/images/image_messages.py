# SPDX-License-Identifier: Apache-2.0
"""Image messages and pictures that the tests of decoding share."""

from types import SimpleNamespace

import cv2
import numpy as np

from monodepth_ros.data.images.image_codec import to_rgb


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


def compressed(data, form="jpeg"):
    """A compressed image message of bytes."""
    return SimpleNamespace(data=data, format=form)


def scene(width=96, height=64):
    """A smooth picture (H, W, 3), RGB, of shapes in strong colours."""
    picture = np.full((height, width, 3), (90, 110, 130), np.uint8)
    random = np.random.default_rng(5)
    for _ in range(40):
        corner = random.integers(0, (width, height))
        shade = random.integers(20, 235)
        color = np.clip(shade + random.integers(-60, 60, 3), 0, 255)
        cv2.rectangle(picture, corner.tolist(), (corner + random.integers(4, 20, 2)).tolist(), color.tolist(), -1)
    return cv2.GaussianBlur(picture, (0, 0), 1.0)


def mosaic(picture, pattern="rggb"):
    """The mosaic (H, W) of an RGB picture."""
    found = np.empty(picture.shape[:2], picture.dtype)
    for place, color in enumerate(pattern):
        row, column = divmod(place, 2)
        found[row::2, column::2] = picture[row::2, column::2, "rgb".index(color)]
    return found


def yuv_pairs(picture, order):
    """The 4:2:2 bytes (H, W, 2) of an RGB picture, in the order 'uyvy' or 'yuyv'."""
    planes = cv2.cvtColor(picture, cv2.COLOR_RGB2YUV_I420)
    height, width = picture.shape[:2]
    chroma = planes[height:].reshape(2, height // 2, width // 2).repeat(2, axis=1)
    luma = planes[:height]
    chroma = np.stack(tuple(chroma), -1).reshape(height, width)
    return np.stack((chroma, luma) if order == "uyvy" else (luma, chroma), -1)


def rgb(pixels):
    return to_rgb(pixels.array, pixels.layout)
