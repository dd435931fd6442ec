# SPDX-License-Identifier: Apache-2.0
"""Decoded pictures to pixels, with the colours that the stream states."""

import threading
from typing import Any

from monodepth_ros.data.images.image_codec import ImageError, Pixels
from monodepth_ros.data.video_stream.codecs import import_av

# ITU-T H.273: values of matrix_coefficients in a stream, as those of libswscale. A stream that states none is BT.601:
# FFmpeg's scaler, which ROS encoders use, converts so at any size and leaves the statement out.
_RGB, _BT709, _FCC, _BT601, _BT601_NTSC, _SMPTE240, _BT2020, _BT2020_CONSTANT = 0, 1, 4, 5, 6, 7, 9, 10
_MATRICES = {_BT709: 1, _FCC: 4, _BT601: 5, _BT601_NTSC: 5, _SMPTE240: 7, _BT2020: 9, _BT2020_CONSTANT: 9}
LIMITED, FULL = 1, 2
# FFmpeg's names of formats whose range is full whatever the stream states.
_FULL_RANGE_PREFIX = "yuvj"

_scalers = threading.local()


def matrix_of(frame: Any) -> int:
    """libswscale's number of the matrix that turns a picture's YUV into RGB."""
    return _MATRICES.get(int(frame.colorspace), _MATRICES[_BT601])


def range_of(frame: Any) -> int:
    """LIMITED (luma from 16 to 235) or FULL; LIMITED for a stream that does not state it."""
    is_full = frame.format.name.startswith(_FULL_RANGE_PREFIX) or int(frame.color_range) == FULL
    return FULL if is_full else LIMITED


def reformatted(frame: Any, wanted: str, extent: int) -> Any:
    """The av.VideoFrame in another of FFmpeg's formats, with its own matrix. extent: LIMITED or FULL.

    Each thread has a scaler: PyAV's default is one that belongs to the frame, and two threads that use it at once for a
    frame that both have read may wait for each other for ever.
    """
    if not hasattr(_scalers, "own"):
        _scalers.own = import_av("decoded video").video.reformatter.VideoReformatter()
    matrix = matrix_of(frame)
    colors = {"src_colorspace": matrix, "dst_colorspace": matrix}
    colors |= {"src_color_range": range_of(frame), "dst_color_range": extent}
    try:
        return _scalers.own.reformat(frame, format=wanted, threads=1, **colors)
    except TypeError:  # an older PyAV, whose scaler has one thread
        return _scalers.own.reformat(frame, format=wanted, **colors)


def to_pixels(frame: Any) -> Pixels:
    """Pixels of an av.VideoFrame: RGB, or grey for a format without colours. Raises ImageError for what av cannot
    convert."""
    is_gray = frame.format.name.startswith("gray")
    wanted = "gray" if is_gray else "rgb24"
    try:
        array = reformatted(frame, wanted, FULL).to_ndarray()
    except Exception as error:  # of PyAV's many classes
        raise ImageError(f"a video picture of format {frame.format.name} cannot be converted: {error}") from None
    return Pixels(array, "mono" if is_gray else "rgb")
