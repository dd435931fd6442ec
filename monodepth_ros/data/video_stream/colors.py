# SPDX-License-Identifier: Apache-2.0
"""Decoded pictures to pixels, with the colours that the stream states."""

from typing import Any

from monodepth_ros.data.image_codec import ImageError, Pixels

# ITU-T H.273: values of matrix_coefficients in a stream, as those of libswscale. A stream that states none is BT.601:
# FFmpeg's scaler, which ROS encoders use, converts so at any size and leaves the statement out.
_RGB, _BT709, _FCC, _BT601, _BT601_NTSC, _SMPTE240, _BT2020, _BT2020_CONSTANT = 0, 1, 4, 5, 6, 7, 9, 10
_MATRICES = {_BT709: 1, _FCC: 4, _BT601: 5, _BT601_NTSC: 5, _SMPTE240: 7, _BT2020: 9, _BT2020_CONSTANT: 9}
LIMITED, FULL = 1, 2
# FFmpeg's names of formats whose range is full whatever the stream states.
_FULL_RANGE_PREFIX = "yuvj"


def matrix_of(frame: Any) -> int:
    """libswscale's number of the matrix that turns a picture's YUV into RGB."""
    return _MATRICES.get(int(frame.colorspace), _MATRICES[_BT601])


def range_of(frame: Any) -> int:
    """LIMITED (luma from 16 to 235) or FULL; LIMITED for a stream that does not state it."""
    is_full = frame.format.name.startswith(_FULL_RANGE_PREFIX) or int(frame.color_range) == FULL
    return FULL if is_full else LIMITED


def to_pixels(frame: Any) -> Pixels:
    """Pixels of an av.VideoFrame: RGB, or grey for a format without colours. Raises ImageError for what av cannot
    convert."""
    is_gray = frame.format.name.startswith("gray")
    wanted = "gray" if is_gray else "rgb24"
    try:
        converted = frame.reformat(
            format=wanted,
            src_colorspace=matrix_of(frame),
            dst_colorspace=matrix_of(frame),
            src_color_range=range_of(frame),
            dst_color_range=FULL,
        )
        array = converted.to_ndarray()
    except Exception as error:  # of PyAV's many classes
        raise ImageError(f"a video picture of format {frame.format.name} cannot be converted: {error}") from None
    return Pixels(array, "mono" if is_gray else "rgb")
