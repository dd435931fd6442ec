# SPDX-License-Identifier: Apache-2.0
"""Decompression that ends at a stated size: some kilobytes may expand to gigabytes, whatever they say of themselves."""

import bz2
from collections.abc import Callable, Iterator
from io import BytesIO

import lz4.frame
import zstandard

from monodepth_ros.errors import one_line

_BLOCK = 1 << 20  # bytes that one step may expand to
LARGEST_WINDOW = 1 << 27  # bytes that zstd may keep in mind; its own default


class TooLargeError(Exception):
    """More bytes than there may be."""


class PackedError(Exception):
    """Bytes that are not of the compression that they are said to be."""


def uncompress(data: bytes, compression: str, largest: int) -> bytes:
    """The content of bytes compressed with zstd, lz4 (frames), bz2, or '' or 'none'.

    Raises TooLargeError as soon as there are more than `largest` bytes, and PackedError for damaged bytes and for an
    unknown compression.
    """
    if compression in ("", "none"):
        if len(data) > largest:
            raise TooLargeError(_too_large(largest))
        return data
    if compression not in _READERS:
        raise PackedError(f"unknown compression {compression!r}, expected zstd or lz4")
    parts, size = [], 0
    try:
        for part in _READERS[compression](data):
            parts.append(part)
            size += len(part)
            if size > largest:
                raise TooLargeError(_too_large(largest))
    except (TooLargeError, PackedError):
        raise
    except Exception as error:  # zstandard.ZstdError, OSError of bz2, lz4's bare RuntimeError
        raise PackedError(one_line(error)) from error
    return parts[0] if len(parts) == 1 else b"".join(parts)


def _zstd(data: bytes) -> Iterator[bytes]:
    stated = zstandard.get_frame_parameters(data).content_size
    if 0 < stated <= _BLOCK:  # the usual message and chunk: one call
        yield zstandard.ZstdDecompressor().decompress(data)
        return
    reader = zstandard.ZstdDecompressor(max_window_size=LARGEST_WINDOW).stream_reader(BytesIO(data))
    size = 0
    while part := reader.read(_BLOCK):
        size += len(part)
        yield part
    if stated not in (size, zstandard.CONTENTSIZE_UNKNOWN):
        raise PackedError(f"it holds {size} bytes instead of {stated}")


def _lz4(data: bytes) -> Iterator[bytes]:
    decompressor = lz4.frame.LZ4FrameDecompressor()
    yield from _steps(lambda given: decompressor.decompress(given, max_length=_BLOCK), decompressor, data)


def _bz2(data: bytes) -> Iterator[bytes]:
    decompressor = bz2.BZ2Decompressor()
    yield from _steps(lambda given: decompressor.decompress(given, max_length=_BLOCK), decompressor, data)


def _steps(step: Callable[[bytes], bytes], decompressor: object, data: bytes) -> Iterator[bytes]:
    while True:
        part = step(data)
        data = b""
        if part:
            yield part
        if decompressor.eof:  # type: ignore[attr-defined]
            return
        if not part and decompressor.needs_input:  # type: ignore[attr-defined]
            raise PackedError("the compressed bytes end too early")


def _too_large(largest: int) -> str:
    return f"it expands to more than {largest / 1e6:.0f} MB"


_READERS: dict[str, Callable[[bytes], Iterator[bytes]]] = {"zstd": _zstd, "lz4": _lz4, "bz2": _bz2}
