# SPDX-License-Identifier: Apache-2.0
"""What compressed pictures claim to be, judged by their first bytes before any library sees them.

Libraries allocate by the size in the header, whatever the data holds, and some of them have readers that damaged files
can make end the process. So only known formats get to them, in the forms that cameras and programs write, of a size
that pictures have, and with data that can hold that size.
"""

from collections.abc import Callable

import numpy as np

from monodepth_ros.data.images.headers import jpeg, png, tiff
from monodepth_ros.data.images.headers.bitmaps import PORTABLE_HEADS, bmp_header, portable_header
from monodepth_ros.data.images.headers.header import PictureHeader, UnreadFeature
from monodepth_ros.data.images.headers.webp import webp_header
from monodepth_ros.data.images.pixels import ImageError
from monodepth_ros.limits import LARGEST_PICTURE, LONGEST_SIDE, MOST_PIXELS

_READERS: dict[str, Callable[[memoryview], PictureHeader | None]] = {
    "JPEG": jpeg.jpeg_header,
    "PNG": png.png_header,
    "WebP": webp_header,
    "TIFF": tiff.tiff_header,
    "BMP": bmp_header,
    "PNM": portable_header,
}
JPEG_HEAD, PNG_HEAD = jpeg.HEAD, png.HEAD
READ = "JPEG, PNG, WebP, TIFF, BMP, PGM or PPM"
_HEADS = {
    jpeg.HEAD: "JPEG",
    png.HEAD: "PNG",
    **dict.fromkeys(tiff.HEADS, "TIFF"),
    b"BM": "BMP",
    **dict.fromkeys(PORTABLE_HEADS, "PNM"),
}
# Formats that are recognised to be named.
_OTHERS = {
    b"GIF8": "GIF",
    b"\xff\x4f\xff\x51": "JPEG 2000",
    b"\0\0\0\x0cjP": "JPEG 2000",
    b"v/1\x01": "OpenEXR",
    b"#?R": "Radiance HDR",
    b"Y\xa6j\x95": "Sun raster",
}


def container(data: np.ndarray) -> str:
    """Name of the format of compressed bytes, '' if it is unknown. Of a format that is not read, too."""
    head = data[:12].tobytes()
    if head[:4] == b"RIFF":
        return "WebP" if head[8:] == b"WEBP" else ""
    if head[4:8] == b"ftyp":
        return "AVIF or HEIF" if head[8:] in (b"avif", b"avis", b"heic", b"heix", b"mif1", b"msf1") else ""
    if head[:2] in PORTABLE_HEADS and not (head[2:3].isspace() or head[2:3] == b"#"):
        return ""
    known = _HEADS | _OTHERS
    return next((name for mark, name in known.items() if head.startswith(mark)), "")


def picture_header(data: np.ndarray) -> PictureHeader | None:
    """The header of compressed bytes (N,) uint8; None if it is damaged or of a format that is not read.

    Raises UnreadFeature for a form of the format that is not read.
    """
    read = _READERS.get(container(data))
    if read is None:
        return None
    try:
        return read(memoryview(np.ascontiguousarray(data)))
    except IndexError:
        return None


def checked_header(data: np.ndarray, what: str) -> PictureHeader:
    """The header of compressed bytes that a library may decode.

    what: the data, for the error. Raises ImageError for an unknown or damaged header, and for one that claims a picture
    that is too large, or that the data cannot hold.
    """
    kind = container(data)
    try:
        header = picture_header(data)
        # OpenCV fills the missing part of a truncated picture with grey or zeros, without an error.
        is_cut = header is not None and kind == "PNG" and not png.has_whole_chunks(memoryview(data))
    except UnreadFeature as unread:
        raise ImageError(f"{what} is a {unread}") from None
    if header is None:
        damaged = (
            f"is a truncated {kind}, or its header is damaged"
            if kind in _READERS
            else f"is a {kind}, which is not read: record {READ}"
        )
        raise ImageError(f"{what} {damaged if kind else f'is not a readable {READ}'}")
    width, height = header.width, header.height
    if width < 1 or height < 1:
        raise ImageError(f"{what} is a {header.kind} of {width}x{height} pixels: the header is damaged")
    if header.memory > LARGEST_PICTURE or header.pixels > MOST_PIXELS or max(width, height) > LONGEST_SIDE:
        raise ImageError(
            f"{what} is a {header.kind} that claims {width}x{height} pixels: no more than {MOST_PIXELS / 1e6:.0f} "
            f"million pixels, {LONGEST_SIDE} on a side and {LARGEST_PICTURE / 1e6:.0f} MB to decode are read"
        )
    if is_cut:
        raise ImageError(f"{what} is a truncated PNG")
    if data.size < header.least_bytes:
        raise ImageError(
            f"{what} is a {header.kind} that claims {width}x{height} pixels, which need {header.least_bytes} bytes or "
            "more: it is damaged or truncated"
        )
    return header
