# SPDX-License-Identifier: Apache-2.0
"""Names of video codecs in messages, and what a user needs to decode them."""

import importlib
import re
from functools import lru_cache
from types import ModuleType

from monodepth_ros.data.images.image_codec import ImageError

H264, HEVC, AV1, VP9, VP8 = "h264", "hevc", "av1", "vp9", "vp8"
TITLES = {H264: "H.264", HEVC: "H.265", AV1: "AV1", VP9: "VP9", VP8: "VP8"}

# Names of formats and of FFmpeg's encoders, such as libx264, h264_nvenc, hevc_vaapi and libsvtav1.
_PATTERNS = (
    (re.compile(r"(lib)?x?h?\.?26[4]|(lib)?openh264|avc1?"), H264),
    (re.compile(r"(lib)?x?h?\.?265|hevc|hev1|hvc1|(lib)?kvazaar"), HEVC),
    (re.compile(r"(lib)?(aom|svt)?-?av1|av01|(lib)?rav1e"), AV1),
    (re.compile(r"(lib)?(vpx-?)?vp9|vp09"), VP9),
    (re.compile(r"(lib)?(vpx-?)?vp8|libvpx"), VP8),
)
# What hardware encoders are called after the codec: h264_nvenc, hevc_v4l2m2m.
_HARDWARE = re.compile(r"_\w+$")


@lru_cache(maxsize=256)
def codec_of(name: str) -> str:
    """The codec that a format or encoder is called after: one of TITLES, or '' if it is no video.

    name: CompressedImage.format, CompressedVideo.format, Image.encoding or FFMPEGPacket.encoding; the first of its
    words that is a codec counts ('hevc;yuv420p;bgr8', 'bgr8; h264').
    """
    for word in re.split(r"[;,\s]+", name.lower()):
        stem = _HARDWARE.sub("", word.removeprefix("video/"))
        for pattern, codec in _PATTERNS:
            if pattern.fullmatch(stem):
                return codec
    return ""


def original_encoding(name: str) -> str:
    """The encoding of the images that a stream was made of, by FFMPEGPacket.encoding; '' if it does not tell.

    Newer encoders write 'codec;pixel format;encoding' or 'codec;pixel format;intermediate encoding;encoding'.
    """
    words = name.split(";")
    return words[-1].strip() if len(words) > 2 else ""


def import_av(what: str) -> ModuleType:
    """The module av. what: the video, for the message. Raises ImageError where PyAV is not installed."""
    try:
        return importlib.import_module("av")
    except ImportError:
        raise ImageError(
            f"{what}, which needs PyAV: pip install av (it is in the extra: pip install 'monodepth_ros[video]')"
        ) from None
