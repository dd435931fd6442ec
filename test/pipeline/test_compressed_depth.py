# SPDX-License-Identifier: Apache-2.0
"""compressedDepth read back by its published format, to the same millimetres."""

import struct
from types import SimpleNamespace

import cv2
import numpy as np
import pytest

from monodepth_ros.data.depth.compressed_depth import decode_compressed_depth
from monodepth_ros.data.depth.rvl import decode_rvl
from monodepth_ros.pipeline.compressed_depth import compress_depth
from monodepth_ros.pipeline.depth_image import to_millimetres


def read(format, data):
    """A reader of the published format: float32 metres with NaN, or uint16 millimetres."""
    encoding, _, codec = format.partition("; ")
    assert codec in ("compressedDepth png", "compressedDepth rvl"), format
    kind, a, b = struct.unpack_from("<iff", data)
    assert kind == 0
    content = np.frombuffer(data, np.uint8, offset=12)
    values = decode_rvl(content) if codec.endswith("rvl") else cv2.imdecode(content, cv2.IMREAD_UNCHANGED)
    assert values.dtype == np.uint16 and values.ndim == 2
    if encoding == "16UC1":
        return values
    assert encoding == "32FC1"
    with np.errstate(divide="ignore"):
        return np.where(values > 0, np.float32(a) / (values.astype(np.float32) - np.float32(b)), np.nan)


@pytest.fixture
def depth():
    return np.random.default_rng(0).uniform(0.3, 60, (48, 64)).astype(np.float32)


@pytest.mark.parametrize("form", ["png", "rvl"])
def test_16UC1_comes_back_bit_for_bit(depth, form):
    millimetres = to_millimetres(depth)
    millimetres[0, :4] = 0, 1, 65534, 65535
    np.testing.assert_array_equal(read(*bytes_of(compress_depth(millimetres, 100.0, 100.0, form))), millimetres)


@pytest.mark.parametrize("form", ["png", "rvl"])
@pytest.mark.parametrize("quantization, max_range", [(100.0, 10.0), (100.0, 100.0), (140.0, 80.0)])
def test_32FC1_comes_back_within_half_a_step(depth, quantization, max_range, form):
    found = read(*bytes_of(compress_depth(depth, quantization, max_range, form)))
    seen = depth < max_range
    assert np.isnan(found[~seen]).all() and np.isfinite(found[seen]).all()
    step = depth**2 / (quantization * (quantization + 1))
    excess = (np.abs(found - depth)[seen] / step[seen]).max()
    assert excess < 0.55, f"off by {excess:.2f} steps"


def test_32FC1_near_the_camera_comes_back_to_the_same_millimetres():
    depth = np.linspace(0.2, 3.0, 48 * 64, dtype=np.float32).reshape(48, 64)
    found = read(*bytes_of(compress_depth(depth, 100.0, 100.0)))
    error = 1000 * np.abs(found - depth).max()
    assert error < 0.5, f"{error:.3f} mm"


def test_missing_depth_and_depth_out_of_range_are_read_back_as_missing(depth):
    depth[0, :7] = np.nan, np.inf, -np.inf, 0.0, -1.0, 0.1, 100.0
    found = read(*bytes_of(compress_depth(depth, 100.0, 100.0)))
    assert np.isnan(found[0, :7]).all() and np.isfinite(found[1:]).all()
    almost = np.full((2, 2), np.nextafter(np.float32(100), np.float32(0)))
    np.testing.assert_allclose(read(*bytes_of(compress_depth(almost, 100.0, 100.0))), 100.0, rtol=1e-2)


def bytes_of(compressed):
    format, data = compressed
    assert data.dtype == np.uint8 and data.ndim == 1
    return format, data.tobytes()


@pytest.mark.parametrize("form", ["png", "rvl"])
def test_what_is_written_is_what_a_recording_of_it_gives(depth, form):
    depth[3, :5] = np.nan, np.inf, -np.inf, 0.0, 200.0
    for values in (depth, to_millimetres(depth)):
        format, data = compress_depth(values, 100.0, 100.0, form)
        found = decode_compressed_depth(SimpleNamespace(format=format, data=data))
        assert np.isnan(found[3, :4]).all()
        np.testing.assert_allclose(found[4:], depth[4:], rtol=0.006)
