# SPDX-License-Identifier: Apache-2.0
"""Decoded pictures in few bytes and without loss, each on its own.

MagicYUV halves 8-bit pictures and takes a fifth of the time of PNG. Pictures of other formats are kept as RGB.
"""

from dataclasses import asdict, dataclass
from fractions import Fraction
from typing import Any

from monodepth_ros.data.video_stream.codecs import import_av
from monodepth_ros.data.video_stream.colors import FULL, matrix_of, range_of, reformatted, to_pixels
from monodepth_ros.limits import LONGEST_SIDE, MOST_PIXELS

CODEC = "magicyuv"
# FFmpeg's formats that are kept as they are, by those that hold the same samples.
_SAME_SAMPLES = {
    **{name: name for name in ("yuv420p", "yuv422p", "yuv444p", "gray")},
    **{f"yuvj{name}p": f"yuv{name}p" for name in ("420", "422", "444")},
    "nv12": "yuv420p",
    "gbrp": "gbrp",
}


@dataclass(frozen=True)
class PictureFormat:
    """Format of the pictures of one file. matrix, range: see colors.py. extradata: of the codec, in hexadecimal."""

    name: str
    width: int
    height: int
    matrix: int
    range: int
    extradata: str = ""

    def check(self) -> None:
        """Raise ValueError for a format that was not written by `Packer`, such as one of a damaged file."""
        sides_fit = all(type(side) is int and 0 < side <= LONGEST_SIDE for side in (self.width, self.height))
        is_known = self.name in set(_SAME_SAMPLES.values()) and isinstance(self.extradata, str)
        if not sides_fit or self.width * self.height > MOST_PIXELS or not is_known or len(self.extradata) > 1000:
            raise ValueError("not a format of kept pictures")
        if not all(type(number) is int and 0 <= number < 256 for number in (self.matrix, self.range)):
            raise ValueError("not the colours of kept pictures")

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)


def keepable(frame: Any) -> Any:
    """The av.VideoFrame in a format that can be kept, with the same samples; as RGB if there is none."""
    name = frame.format.name
    wanted = _SAME_SAMPLES.get(name)
    if wanted == name:
        return frame
    av = import_av("decoded video")
    if wanted is None:
        pixels = to_pixels(frame)
        if pixels.layout == "mono":
            return _with_colors(av.VideoFrame.from_ndarray(pixels.array, format="gray"), 5, FULL)
        return _with_colors(
            reformatted(av.VideoFrame.from_ndarray(pixels.array, format="rgb24"), "gbrp", FULL), 5, FULL
        )
    extent = range_of(frame)
    return _with_colors(reformatted(frame, wanted, extent), matrix_of(frame), extent)


class Packer:
    """Packs pictures of one format, that of the first."""

    def __init__(self, first: Any):
        av = import_av("decoded video")
        self._context = context = av.CodecContext.create(CODEC, "w")
        context.width, context.height, context.pix_fmt = first.width, first.height, first.format.name
        context.time_base = Fraction(1)
        context.thread_count = 1
        self._count = 0
        context.open()
        extradata = bytes(context.extradata or b"").hex()
        colors = matrix_of(first), range_of(first)
        self.format = PictureFormat(first.format.name, first.width, first.height, *colors, extradata)

    def fits(self, frame: Any) -> bool:
        """Whether a picture has the format of the others."""
        own = self.format
        is_same = (frame.format.name, frame.width, frame.height) == (own.name, own.width, own.height)
        return is_same and (matrix_of(frame), range_of(frame)) == (own.matrix, own.range)

    def pack(self, frame: Any) -> bytes:
        """The bytes of a picture. Raises FFmpegError, and ValueError if the codec gives none."""
        frame.time_base, frame.pts = Fraction(1), self._count
        self._count += 1
        (packet,) = self._context.encode(frame)
        return bytes(packet)


def unpack(form: PictureFormat, data: bytes) -> Any:
    """The av.VideoFrame of packed bytes. Raises FFmpegError, and ValueError for bytes that hold no picture."""
    av = import_av("decoded video")
    context = av.CodecContext.create(CODEC, "r")
    context.width, context.height, context.pix_fmt = form.width, form.height, form.name
    context.thread_count = 1
    if form.extradata:
        context.extradata = bytes.fromhex(form.extradata)
    (frame,) = context.decode(av.Packet(data))
    return _with_colors(frame, form.matrix, form.range)


def _with_colors(frame: Any, matrix: int, extent: int) -> Any:
    frame.colorspace, frame.color_range = matrix, extent
    return frame
