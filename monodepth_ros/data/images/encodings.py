# SPDX-License-Identifier: Apache-2.0
"""Names of image encodings: those of sensor_msgs that hold a picture, and the other names that drivers give them."""

import difflib
import re
from dataclasses import dataclass

import cv2

from monodepth_ros.data.images.pixels import ImageError
from monodepth_ros.foreign_text import shown

PLAIN, BAYER, PACKED, PLANES = "plain", "bayer", "packed", "planes"


@dataclass(frozen=True)
class Encoding:
    """One raw encoding.

    family: PLAIN (channels side by side), BAYER (a mosaic), PACKED (YUV 4:2:2, two bytes a pixel) or PLANES (a plane of
    Y, then one of both chroma channels). channels, itemsize: samples per pixel and bytes per sample, of the first plane
    for PLANES. layout: of the decoded `Pixels`. code: OpenCV's conversion to RGB; None for PLAIN and nv24.
    """

    name: str
    family: str
    channels: int
    itemsize: int
    layout: str = "rgb"
    code: int | None = None

    @property
    def needs_order(self) -> bool:
        """Whether the order of the bytes matters that a driver may state wrongly."""
        return self.family == PACKED or self.itemsize == 2

    def row_bytes(self, width: int) -> int:
        """Bytes of a row of pixels without padding."""
        return width * self.channels * self.itemsize


def _plain(name: str, channels: int, itemsize: int, layout: str) -> Encoding:
    return Encoding(name, PLAIN, channels, itemsize, layout)


_PATTERNS = {
    "rggb": cv2.COLOR_BayerRGGB2RGB,
    "bggr": cv2.COLOR_BayerBGGR2RGB,
    "gbrg": cv2.COLOR_BayerGBRG2RGB,
    "grbg": cv2.COLOR_BayerGRBG2RGB,
}
# OpenCV's names without colours are read as cv_bridge reads them.
_KNOWN = [
    *(_plain(f"{c}8", len(c), 1, c) for c in ("rgb", "bgr", "rgba", "bgra")),
    *(_plain(f"{c}16", len(c), 2, c) for c in ("rgb", "bgr", "rgba", "bgra")),
    _plain("mono8", 1, 1, "mono"),
    _plain("mono16", 1, 2, "mono"),
    *(_plain(f"{8 * size}UC1", 1, size, "mono") for size in (1, 2)),
    *(_plain(f"{8 * size}UC3", 3, size, "bgr") for size in (1, 2)),
    *(_plain(f"{8 * size}UC4", 4, size, "bgra") for size in (1, 2)),
    *(
        Encoding(f"bayer_{order}{8 * size}", BAYER, 1, size, code=code)
        for order, code in _PATTERNS.items()
        for size in (1, 2)
    ),
    Encoding("yuv422", PACKED, 2, 1, code=cv2.COLOR_YUV2RGB_UYVY),
    Encoding("uyvy", PACKED, 2, 1, code=cv2.COLOR_YUV2RGB_UYVY),
    Encoding("yuv422_yuy2", PACKED, 2, 1, code=cv2.COLOR_YUV2RGB_YUYV),
    Encoding("yuyv", PACKED, 2, 1, code=cv2.COLOR_YUV2RGB_YUYV),
    Encoding("nv12", PLANES, 1, 1, code=cv2.COLOR_YUV2RGB_NV12),
    Encoding("nv21", PLANES, 1, 1, code=cv2.COLOR_YUV2RGB_NV21),
    Encoding("nv24", PLANES, 1, 1),
]
RAW = {encoding.name: encoding for encoding in _KNOWN}
ENCODINGS = tuple(RAW)
# What drivers write into sensor_msgs/Image for a picture that is compressed.
CONTAINERS = ("jpeg", "png", "webp", "tiff")

# Words of a format or an encoding that is a video stream, and of other raw formats.
VIDEO = re.compile(r"[hx]\.?26[45]|hevc|avc|av1|vp[89]|mpeg-?[24]|theora", re.IGNORECASE)
OTHER_RAW = re.compile(r"\b(nv\d\d|yuv\w*|yuy\w*|i420|yu12|yv12|raw)\b", re.IGNORECASE)

# Other names, in lower case and without separators.
_SYNONYMS = {
    **dict.fromkeys(("rgb", "rgb888", "rgb24"), "rgb8"),
    **dict.fromkeys(("bgr", "bgr888", "bgr24"), "bgr8"),
    **dict.fromkeys(("rgba", "rgba8888", "rgba32"), "rgba8"),
    **dict.fromkeys(("bgra", "bgra8888", "bgra32"), "bgra8"),
    **dict.fromkeys(("rgb48", "rgb161616"), "rgb16"),
    **dict.fromkeys(("bgr48", "bgr161616"), "bgr16"),
    **dict.fromkeys(("mono", "gray", "grey", "gray8", "grey8", "y8", "y800", "l8", "r8"), "mono8"),
    **dict.fromkeys(
        ("gray16", "grey16", "y10", "y12", "y14", "y16", "l16", "r16", "mono10", "mono12", "mono14"), "mono16"
    ),
    **dict.fromkeys(("yuy2", "yuyv422", "yuv422yuyv", "yuv4228"), "yuyv"),
    **dict.fromkeys(("uyvy422", "yuv422uyvy", "yuv4228uyvy", "yuv422packed"), "uyvy"),
    **dict.fromkeys(("jpg", "mjpeg", "mjpg"), "jpeg"),
    **dict.fromkeys(("tif",), "tiff"),
}
# Names of GenICam (BayerRG12), V4L2 (SRGGB10) and others (rggb8), with the bits in use of a 16-bit sample.
_BAYER = re.compile(r"(?:bayer|s)?(rggb|bggr|gbrg|grbg|rg|bg|gb|gr)(8|10|12|14|16)?")
_SHORT = {"rg": "rggb", "bg": "bggr", "gb": "gbrg", "gr": "grbg"}
_EXACT = {re.sub("[^a-z0-9]", "", name.lower()): name for name in (*ENCODINGS, *CONTAINERS)}


def known_name(name: str) -> str:
    """The name in ENCODINGS or CONTAINERS that a driver means by `name`; '' if there is none."""
    if name in RAW:
        return name
    plain = re.sub("[^a-z0-9]", "", name.lower()).removeprefix("cv").removeprefix("type")
    known = _EXACT.get(plain) or _SYNONYMS.get(plain, "")
    mosaic = _BAYER.fullmatch(plain)
    if not known and mosaic and (plain.startswith(("bayer", "s")) or len(mosaic[1]) == 4):
        order = _SHORT.get(mosaic[1], mosaic[1])
        known = f"bayer_{order}{8 if mosaic[2] in (None, '8') else 16}"
    return known


def check_name(name: str) -> str:
    """The name in ENCODINGS or CONTAINERS that is meant. Raises ImageError, which says what the name is and lists
    those that can be read."""
    known = known_name(name)
    if not known:
        raise ImageError(_refusal(name))
    return known


def _refusal(name: str) -> str:
    name = shown(name)
    published = f"publish one of {', '.join(ENCODINGS)}"
    plain = name.strip().upper()
    if re.fullmatch(r"(32|64)F(C?1)?", plain):
        return f"image encoding {name!r} holds depth or another measurement, not a picture: {published}"
    if re.search(r"(10|12)(P|_?PACKED)", plain):
        return (
            f"image encoding {name!r} packs several pixels into shared bytes, which sensor_msgs/Image has no name for: "
            "set the camera's pixel format to one of 8 or 16 bits, such as Mono8, Mono12 or BayerRG8"
        )
    if plain == "8UC2":
        return (
            f"image encoding {name!r} does not say what its two channels are: if they are YUV 4:2:2, state the order "
            "of the bytes, yuv422 (UYVY) or yuv422_yuy2 (YUYV), by --encoding (the node's image.encoding)"
        )
    if re.fullmatch(r"(8|16|32)[SF]C?\d?|16UC2|(32|64)FC\d", plain):
        return f"image encoding {name!r} holds values that are no colours: {published}"
    if VIDEO.search(name):
        return f"image encoding {name!r} is that of a video stream, which sensor_msgs/Image cannot hold: {published}"
    near = difflib.get_close_matches(name.lower(), [*ENCODINGS, *_SYNONYMS], 1, 0.6)
    nearest = f" (the nearest is {known_name(near[0])})" if near else ""
    return (
        f"unknown image encoding {name!r}{nearest}: {published}, or state what the bytes are by --encoding (the node's "
        "image.encoding)"
    )
