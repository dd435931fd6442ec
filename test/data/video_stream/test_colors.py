# SPDX-License-Identifier: Apache-2.0
"""Colours of decoded video against a known picture."""

import numpy as np
import pytest
from coded_streams import encode, message

from monodepth_ros.data.video_stream.colors import to_pixels
from monodepth_ros.data.video_stream.decoder import StreamDecoder
from monodepth_ros.data.video_stream.lossless import Packer, keepable, unpack
from monodepth_ros.data.video_stream.packets import PacketParser

COLORS = np.array([(200, 30, 40), (30, 180, 60), (40, 60, 210), (128, 128, 128), (240, 240, 240), (12, 12, 12)])
PATCHES = np.repeat(np.repeat(COLORS[None], 32, axis=0), 32, axis=1).astype(np.uint8)
BT709, BT601 = 1, 5
LIMITED, FULL = 1, 2
EXACT = ("libx264", {"preset": "ultrafast", "qp": "1", "crf": "1"}, 0)
EXACT_265 = ("libx265", {"crf": "1", "x265-params": "log-level=none"}, 0)


def first_frame(packets, form="h264"):
    parser, decoder = PacketParser(), StreamDecoder()
    found = []
    for coded in packets:
        found += decoder.feed(parser.parse(message("foxglove", form, coded)), coded.number)
    found += decoder.flush()
    return found[0].frame


def patches_in(array):
    return array[16, 16::32].astype(int)


@pytest.mark.parametrize("matrix", [0, BT601, BT709])
@pytest.mark.parametrize("extent", [0, LIMITED, FULL])
def test_colours_follow_the_matrix_and_the_range_that_the_stream_states(matrix, extent):
    frame = first_frame(encode(EXACT, pictures=[PATCHES] * 3, matrix=matrix, range=extent))
    assert int(frame.colorspace) == (matrix or 2)
    assert (int(frame.color_range) == FULL) == (extent == FULL)
    found = to_pixels(frame)
    assert found.layout == "rgb"
    assert np.abs(patches_in(found.array) - COLORS).max() <= 5, patches_in(found.array)


@pytest.mark.parametrize("pix_fmt", ["yuv420p", "yuvj420p", "yuv422p", "yuv444p", "nv12", "yuv420p10le"])
def test_pixel_formats_have_the_same_colours_decoded_and_kept(pix_fmt):
    frame = first_frame(encode(EXACT, pictures=[PATCHES] * 3, pix_fmt=pix_fmt))
    found = to_pixels(frame).array
    assert np.abs(patches_in(found) - COLORS).max() <= 5, patches_in(found)
    kept = keepable(frame)
    packer = Packer(kept)
    assert np.array_equal(to_pixels(unpack(packer.format, packer.pack(kept))).array, found)


def test_ten_bits_of_h265_have_the_same_colours():
    frame = first_frame(encode(EXACT_265, pictures=[PATCHES] * 3, pix_fmt="yuv420p10le"), "hevc")
    assert frame.format.name == "yuv420p10le"
    assert np.abs(patches_in(to_pixels(frame).array) - COLORS).max() <= 5


def test_grey_video_is_grey_decoded_and_kept():
    gray = np.repeat((np.arange(192) + 30)[None], 32, axis=0).astype(np.uint8)
    frame = first_frame(encode(EXACT_265, pictures=[np.stack([gray] * 3, -1)] * 3, pix_fmt="gray"), "hevc")
    found = to_pixels(frame)
    assert found.layout == "mono"
    assert np.abs(found.array.astype(int) - gray).max() <= 3
    kept = keepable(frame)
    packer = Packer(kept)
    assert np.array_equal(to_pixels(unpack(packer.format, packer.pack(kept))).array, found.array)


def test_what_is_kept_takes_no_more_than_the_picture():
    noise = np.random.default_rng(0).integers(90, 110, (96, 128, 3)).astype(np.uint8)
    frame = first_frame(encode(EXACT, pictures=[noise] * 2))
    kept = keepable(frame)
    assert len(Packer(kept).pack(kept)) < 128 * 96 * 1.5
