# SPDX-License-Identifier: Apache-2.0
"""What a downloaded file is by its content, judged before it is taken for weights."""

import zipfile
from pathlib import Path
from typing import Any

from monodepth_ros.downloads.errors import DownloadError
from monodepth_ros.foreign_text import shown
from monodepth_ros.structured_text import StructuredTextError, parse_json

FILE_TYPES = (".zip", ".safetensors", ".pth", ".pt")
LARGEST_HEADER = 1 << 24  # of a safetensors file [bytes]
_PAGE = (b"<!doctype", b"<html", b"<?xml", b"<head", b"<body")
# The beginning of the pickles of torch.save before PyTorch 1.6, after their protocol: a magic number.
_OLD_TORCH = b"\x8a\x0al\xfc\x9cF\xf9 j\xa8P\x19."


def check_content(path: Path, suffix: str) -> None:
    """Raise DownloadError, with the reason alone, if a file is not of the kind that one of FILE_TYPES names, or does
    not end where it says."""
    size = path.stat().st_size
    with open(path, "rb") as file:
        start = file.read(512)
        fits = False
        if suffix == ".safetensors":
            fits = _has_all_tensors(file, size)
        elif start.startswith(b"PK"):
            fits = _is_whole_zip(path)
        elif suffix != ".zip":
            fits = start[:1] == b"\x80" and start[2:].startswith(_OLD_TORCH)
    if not fits:
        raise DownloadError(f"it is not a whole {suffix} file, but {_looks(start, size)}")


def _has_all_tensors(file: Any, size: int) -> bool:
    """Whether a safetensors file has a header, and ends where that says."""
    file.seek(0)
    length = int.from_bytes(file.read(8), "little")
    if not 2 <= length <= min(size - 8, LARGEST_HEADER):
        return False
    try:
        header = parse_json(file.read(length).decode("utf-8"), "")
        header.pop("__metadata__", None)
        ends = [item["data_offsets"][1] for item in header.values()]
        return bool(ends) and 8 + length + max(ends) == size
    except (StructuredTextError, UnicodeDecodeError, AttributeError, LookupError, TypeError):
        return False


def _is_whole_zip(path: Path) -> bool:
    """Whether a zip archive has its table of contents, which stands at its end, and ends behind it."""
    try:
        with zipfile.ZipFile(path) as archive:
            return bool(archive.infolist())
    except (zipfile.BadZipFile, NotImplementedError, ValueError, EOFError, OSError):
        return False


def _looks(start: bytes, size: int) -> str:
    """What the beginning of a file looks like, in words."""
    text = start.lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    if text.startswith(_PAGE):
        return "a web page; does the address ask for a login?"
    if start.startswith(b"version https://git-lfs"):
        return "a pointer of Git LFS; use the address of the file itself"
    if start.startswith(b"PK"):
        return f"a zip archive that is damaged or of another kind ({size} bytes)"
    if start.startswith(b"\x1f\x8b"):
        return "compressed by gzip"
    try:
        words = start.decode("utf-8")
    except UnicodeDecodeError:
        words = ""
    if words and all(letter.isprintable() or letter.isspace() for letter in words):
        return f"a text: {shown(words, 60)!r}"
    return f"{size} bytes of another kind, or cut off"
