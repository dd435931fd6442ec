# SPDX-License-Identifier: Apache-2.0
"""Which files a verb may replace: those that it wrote itself, which it recognises by a mark in them.

The mark names the verb, and stands where it disturbs no reader of the format: the first key of JSON, a comment of PNG,
JPEG and GIF, an unknown chunk of WebP. A table is recognised by its header. Any other file is the user's and is
replaced only if --force says so; what a verb reads is never replaced.
"""

import os
import struct
import zlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from monodepth_ros.errors import MonodepthError
from monodepth_ros.input_file import is_ordinary_file
from monodepth_ros.output_file import check_writable, write_file

MADE_BY = "made_by"  # the first key of JSON
_PNG, _JPEG, _GIF = b"\x89PNG\r\n\x1a\n", b"\xff\xd8", b"GIF8"
_PNG_HEAD = 33  # bytes of signature and IHDR
_ENDS = 4096  # bytes at either end of a file that can hold a mark


def mark(verb: str) -> str:
    """The text that a file of a verb holds."""
    return f"made by monodepth {verb}"


def marked_json(content: Mapping[str, object], verb: str) -> dict[str, object]:
    """The content with the mark as its first key."""
    return {MADE_BY: f"monodepth {verb}"} | dict(content)


def marked_picture(data: bytes, verb: str) -> bytes:
    """An encoded PNG, JPEG, GIF or WebP with the mark; any other data as it is."""
    text = mark(verb).encode("ascii")
    if data.startswith(_PNG):
        chunk = b"tEXtComment\0" + text
        chunk = struct.pack(">I", len(chunk) - 4) + chunk + struct.pack(">I", zlib.crc32(chunk))
        return data[:_PNG_HEAD] + chunk + data[_PNG_HEAD:]
    if data.startswith(_JPEG):
        return _JPEG + b"\xff\xfe" + struct.pack(">H", len(text) + 2) + text + data[2:]
    if data.startswith(_GIF) and data.endswith(b";"):
        return data[:-1] + b"\x21\xfe" + bytes([len(text)]) + text + b"\0;"
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        chunk = b"MARK" + struct.pack("<I", len(text)) + text + bytes(len(text) % 2)
        return data[:4] + struct.pack("<I", len(data) + len(chunk) - 8) + data[8:] + chunk
    return data


def is_made_by(path: Path, verb: str, header: str = "") -> bool:
    """Whether a file has the mark of a verb, or begins with the header of its table."""
    try:
        with open(path, "rb") as file:
            head = file.read(_ENDS)
            file.seek(max(0, os.fstat(file.fileno()).st_size - _ENDS))
            tail = file.read(_ENDS)
    except OSError:
        return False
    text = mark(verb).encode("ascii")
    if head.startswith(_PNG):
        return head[_PNG_HEAD + 4 :].startswith(b"tEXtComment\0" + text)
    if head.startswith(_JPEG):
        return head[6:].startswith(text)
    if head.startswith(_GIF):
        return tail.endswith(text + b"\0;")
    if head.startswith(b"RIFF"):
        return tail.rstrip(b"\0").endswith(text)
    if header and head.decode("utf-8", "replace").splitlines()[:1] == [header]:
        return True
    begin = f'{{"{MADE_BY}": "monodepth {verb}"'.encode("ascii")
    return b"".join(head.split()).startswith(b"".join(begin.split()))


@dataclass(frozen=True)
class Outputs:
    """The files that one call of a verb writes, checked when it is created and again by `write`.

    verb: its name. paths: by the option that names each; '' and '-' (standard output) are none. inputs: files and
    folders that the call reads. force: replace files that are not the verb's own. headers: of tables, by option.
    Raises MonodepthError for an output that is an input or another output, a folder, somebody else's file, or in a
    folder that cannot be written.
    """

    verb: str
    paths: Mapping[str, str]
    inputs: Iterable[str | Path] = ()
    force: bool = False
    headers: Mapping[str, str] | None = None

    def __post_init__(self) -> None:
        seen: dict[Path, str] = {}
        for option, path in self.paths.items():
            if path in ("", "-"):
                continue
            real = _real(path)
            if real in seen:
                raise MonodepthError(f"{seen[real]} and {option} name one file, {path}: give each its own")
            seen[real] = option
            self._check(option)

    def write(self, option: str, data: bytes | str) -> None:
        """Write the file of an option whole, or leave what is there. Raises MonodepthError."""
        self._check(option)
        write_file(self.paths[option], data)

    def _check(self, option: str) -> None:
        path = Path(self.paths[option])
        is_own = is_ordinary_file(path) and is_made_by(path, self.verb, (self.headers or {}).get(option, ""))
        refuse_inputs(path, self.inputs, option, is_own)
        if path.is_dir():
            raise MonodepthError(f"{option} {path} is a folder: give the name of a file")
        if path.is_file() and not (self.force or is_own):
            raise MonodepthError(
                f"{path} exists and was not written by monodepth {self.verb}: give {option} another name, or --force"
                " to replace it"
            )
        if path.exists() or path.is_symlink():
            path = _real(path)
        if not path.exists() or path.is_file():
            check_writable(path)


def _real(path: str | Path) -> Path:
    """The path without links; of links that lead round in circles the first."""
    return Path(os.path.realpath(path))


def refuse_inputs(path: str | Path, inputs: Iterable[str | Path], option: str, is_own: bool = False) -> None:
    """Raise MonodepthError if an existing path is one of the inputs, by any name (links too), holds one, or is in one.

    is_own: the verb wrote it, so that it may stand in a folder that is read.
    """
    path = Path(path)
    try:
        found = path.stat()
        for given in map(Path, inputs):
            if not given.exists():
                continue
            is_input = os.path.samestat(found, given.stat()) or _real(given).is_relative_to(_real(path))
            if is_input or (not is_own and _is_in(path, found, given)):
                raise MonodepthError(f"{option} {path} is what this command reads ({given}): give another name")
    except OSError:
        return  # nothing is there that could be replaced


def _is_in(path: Path, found: os.stat_result, folder: Path) -> bool:
    if not (folder.is_dir() and path.is_file()):
        return False
    if _real(path).is_relative_to(_real(folder)):
        return True
    # A hard link to a file of the folder has no path into it.
    return found.st_nlink > 1 and any(_is_link(found, entry) for entry in folder.rglob("*"))


def _is_link(found: os.stat_result, entry: Path) -> bool:
    try:
        return os.path.samestat(found, entry.stat())
    except OSError:
        return False
