# SPDX-License-Identifier: Apache-2.0
"""Storage files that are compressed as a whole (compression mode "file"), unpacked into temporary ones."""

import bz2
import lzma
import shutil
import tempfile
import weakref
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import lz4.frame
import zstandard

from monodepth_ros.data.bags.recording_error import RecordingError
from monodepth_ros.data.bags.storage.bounded import TooLargeError
from monodepth_ros.errors import one_line
from monodepth_ros.limits import KEPT_FREE, LARGEST_EXPANSION, LARGEST_MESSAGE

_BLOCK = 2**16  # bytes taken from the file at once
_ZSTD_BLOCK = 2**12  # its decompressor gives all that they expand to at once, 128 KiB for each four bytes of them
_PART = 2**20  # bytes that the other decompressors give at once
_XZ_MEMORY = 2**28  # bytes

_Parts = Callable[[Any, bytes], Iterator[bytes]]
"""What some more bytes of a file expand to, by its decompressor, in parts of a bounded size."""


def _of_zstd(decompressor: Any, data: bytes) -> Iterator[bytes]:
    for begin in range(0, len(data), _ZSTD_BLOCK):
        yield decompressor.decompress(data[begin : begin + _ZSTD_BLOCK])
        if decompressor.eof:
            return


def _of_gzip(decompressor: Any, data: bytes) -> Iterator[bytes]:
    while data:
        yield decompressor.decompress(data, _PART)
        data = decompressor.unconsumed_tail


def _of_others(decompressor: Any, data: bytes) -> Iterator[bytes]:
    yield decompressor.decompress(data, max_length=_PART)
    while not decompressor.eof and not decompressor.needs_input:
        yield decompressor.decompress(b"", max_length=_PART)


class _Kind(NamedTuple):
    command: str
    start: Callable[[], Any]  # a decompressor
    parts: _Parts = _of_others
    block: int = _BLOCK


PACKED = {
    ".zstd": _Kind("zstd -d", lambda: zstandard.ZstdDecompressor().decompressobj(), _of_zstd, _ZSTD_BLOCK),
    ".zst": _Kind("zstd -d", lambda: zstandard.ZstdDecompressor().decompressobj(), _of_zstd, _ZSTD_BLOCK),
    ".lz4": _Kind("lz4 -d", lz4.frame.LZ4FrameDecompressor),
    ".gz": _Kind("gunzip -k", lambda: zlib.decompressobj(zlib.MAX_WBITS + 16), _of_gzip),
    ".bz2": _Kind("bunzip2 -k", bz2.BZ2Decompressor),
    ".xz": _Kind("unxz -k", lambda: lzma.LZMADecompressor(memlimit=_XZ_MEMORY)),
}

# A source opens its recording several times: they share one unpacked file, which goes when the last one is closed.
_unpacked: "weakref.WeakValueDictionary[tuple[int, ...], Unpacked]" = weakref.WeakValueDictionary()


class Unpacked:
    """The content of a compressed file in a temporary one, which is deleted with this object.

    path: of the temporary file, of the compressed one's name without its last suffix. is_whole: whether the compressed
    file is whole. Raises RecordingError if it cannot be unpacked, there is no room for it, or it expands to more than
    LARGEST_EXPANSION times its size, as no recording does.
    """

    def __init__(self, packed: Path) -> None:
        kind = PACKED[packed.suffix]
        advice = f"unpack it with `{kind.command} {packed.name}` and give the result"
        try:
            folder = tempfile.mkdtemp(prefix="monodepth-unpacked-")
            self._clear = weakref.finalize(self, shutil.rmtree, folder, ignore_errors=True)
            self.path = Path(folder) / packed.stem
            room = _room(folder)
            most = max(LARGEST_MESSAGE, LARGEST_EXPANSION * packed.stat().st_size)
            with packed.open("rb") as source, self.path.open("wb") as target:
                self.is_whole = _unpack(source, target, kind, min(room, most))
        except TooLargeError:
            self._clear()
            if most <= room:
                raise RecordingError(
                    f"{packed} expands to more than {LARGEST_EXPANSION} times its size, as no recording does"
                ) from None
            raise RecordingError(
                f"{packed} cannot be unpacked into {tempfile.gettempdir()}: it has more than the {room / 1e6:.0f} MB"
                f" that are free there; {advice}"
            ) from None
        except OSError as error:
            raise RecordingError(
                f"{packed} cannot be unpacked into {tempfile.gettempdir()}: {one_line(error)}; {advice}"
            ) from error
        except Exception as error:  # zstandard.ZstdError, zlib.error and others, and lz4's bare RuntimeError
            raise RecordingError(f"{packed} cannot be unpacked: {one_line(error)}; is it damaged?") from error

    @property
    def size(self) -> int:
        """Bytes."""
        return self.path.stat().st_size


def unpack(packed: Path) -> Unpacked:
    """The unpacked content of a file, shared while it is in use."""
    state = packed.stat()
    key = state.st_dev, state.st_ino, state.st_size, state.st_mtime_ns
    found = _unpacked.get(key)
    if found is None:
        _unpacked[key] = found = Unpacked(packed)
    return found


def _room(folder: str) -> int:
    """Bytes that may be written there: others need some of the disk as well."""
    free = shutil.disk_usage(folder).free
    return free - min(KEPT_FREE, free // 2)


def _unpack(source: Any, target: Any, kind: _Kind, most: int) -> bool:
    """Unpack one frame after the other, up to `most` bytes; whether the last one was whole. Raises TooLargeError."""
    decompressor, is_whole = kind.start(), False
    size = 0
    block = source.read(kind.block)
    while block:
        if is_whole:
            decompressor = kind.start()
        for part in kind.parts(decompressor, block):
            size += len(part)
            if size > most:
                raise TooLargeError
            target.write(part)
        is_whole = decompressor.eof
        block = (decompressor.unused_data if is_whole else b"") or source.read(kind.block)
    return is_whole
