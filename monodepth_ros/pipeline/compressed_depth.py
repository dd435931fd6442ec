# SPDX-License-Identifier: Apache-2.0
"""Depth images in the format of image_transport's compressedDepth: a header of 12 bytes, then a PNG or RVL.

The header is an int32 (0: inverse depth) and two float32 A and B, little-endian. 16UC1 millimetres are stored as they
are. 32FC1 metres are quantised in inverse depth, q = A / depth + B, so that steps are fine near the camera; q = 0 means
no depth. A reader computes depth = A / (q - B) with the A and B of the header.
"""

import struct

import cv2
import numpy as np

from monodepth_ros.data.depth.rvl import encode_rvl

FORMATS = ("png", "rvl")
INVERSE_DEPTH = 0
STEPS = 65535
PNG_LEVEL = 1  # of 9; files are a fifth larger than at level 9, and written fifty times as fast


def compress_depth(
    depth: np.ndarray, quantization: float, max_range: float, form: str = "png"
) -> tuple[str, np.ndarray]:
    """Format and data (uint8, flat) of a sensor_msgs/CompressedImage of depth (H, W): uint16 mm or float32 m.

    quantization, max_range: image_transport's depth_quantization and depth_max, for float32: A = quantization
    (quantization + 1), and B such that q is 1 at max_range [m]. The step at a depth is depth^2 / A. NaN, the
    infinities, depth from max_range on and depth too near for 16 bits (below about A / 65535 m) become 0.
    form: one of FORMATS.
    """
    if depth.dtype == np.uint16:
        encoding, values = "16UC1", depth
        a = b = np.float32(0.0)
    else:
        encoding = "32FC1"
        # In float32, as in the header, so that the reader computes with the same numbers.
        a = np.float32(quantization * (quantization + 1.0))
        b = np.float32(1.0) - a / np.float32(max_range)
        with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
            steps = np.rint(a / depth + b)
            fits = (depth > 0) & (depth < max_range) & (steps <= STEPS)
        # At least 1: rounding just below max_range must not give 0, which means no depth.
        values = np.where(fits, np.maximum(steps, 1), 0).astype(np.uint16)
    if form == "rvl":
        data = encode_rvl(values)
    else:
        data = cv2.imencode(".png", values, (cv2.IMWRITE_PNG_COMPRESSION, PNG_LEVEL))[1].reshape(-1)
    header = np.frombuffer(struct.pack("<iff", INVERSE_DEPTH, a, b), np.uint8)
    return f"{encoding}; compressedDepth {form}", np.concatenate((header, data))
