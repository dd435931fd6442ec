# SPDX-License-Identifier: Apache-2.0
"""Storage files that are compressed as a whole (compression mode "file"), unpacked into temporary ones."""

import bz2
import lzma
import shutil
import tempfile
import weakref
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import lz4.frame
import zstandard

from monodepth_ros.data.bags.recording_error import RecordingError
from monodepth_ros.errors import one_line

_BLOCK = 2**16  # what it unpacks to is in memory at once


class _Kind(NamedTuple):
    command: str
    start: Callable[[], Any]  # a decompressor with decompress(data) and eof


PACKED = {
    ".zstd": _Kind("zstd -d", lambda: zstandard.ZstdDecompressor().decompressobj()),
    ".zst": _Kind("zstd -d", lambda: zstandard.ZstdDecompressor().decompressobj()),
    ".lz4": _Kind("lz4 -d", lz4.frame.LZ4FrameDecompressor),
    ".gz": _Kind("gunzip -k", lambda: zlib.decompressobj(zlib.MAX_WBITS + 16)),
    ".bz2": _Kind("bunzip2 -k", bz2.BZ2Decompressor),
    ".xz": _Kind("unxz -k", lzma.LZMADecompressor),
}

# A source opens its recording several times: they share one unpacked file, which goes when the last one is closed.
_unpacked: "weakref.WeakValueDictionary[tuple[int, ...], Unpacked]" = weakref.WeakValueDictionary()


class Unpacked:
    """The content of a compressed file in a temporary one, which is deleted with this object.

    path: of the temporary file, of the compressed one's name without its last suffix. is_whole: whether the compressed
    file is whole. Raises RecordingError if it cannot be unpacked or there is no room for it.
    """

    def __init__(self, packed: Path) -> None:
        kind = PACKED[packed.suffix]
        advice = f"unpack it with `{kind.command} {packed.name}` and give the result"
        try:
            folder = tempfile.mkdtemp(prefix="monodepth-unpacked-")
            weakref.finalize(self, shutil.rmtree, folder, ignore_errors=True)
            self.path = Path(folder) / packed.stem
            with packed.open("rb") as source, self.path.open("wb") as target:
                self.is_whole = _unpack(source, target, kind)
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


def _unpack(source: Any, target: Any, kind: _Kind) -> bool:
    """Unpack one frame after the other; whether the last one was whole."""
    decompressor, is_whole = kind.start(), False
    block = source.read(_BLOCK)
    while block:
        if is_whole:
            decompressor = kind.start()
        target.write(decompressor.decompress(block))
        is_whole = decompressor.eof
        block = (decompressor.unused_data if is_whole else b"") or source.read(_BLOCK)
    return is_whole
