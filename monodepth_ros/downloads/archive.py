# SPDX-License-Identifier: Apache-2.0
"""Zip archives of unknown origin."""

import lzma
import stat
import zipfile
import zlib
from pathlib import Path, PurePosixPath

from monodepth_ros.errors import MonodepthError, one_line

MAX_FILES = 1000
MAX_BYTES = 1 << 33
CHUNK = 1 << 20
DAMAGE = (zipfile.BadZipFile, EOFError, zlib.error, lzma.LZMAError)


class ArchiveError(MonodepthError):
    """An archive that is damaged, is too large or would write outside its folder."""


def unpack_zip(archive: Path, folder: Path, max_bytes: int = MAX_BYTES) -> list[Path]:
    """Unpack the plain files of a zip archive into a folder, which need not exist; returns their paths.

    If a single folder holds everything, its content is unpacked without the folder. Raises ArchiveError, before
    anything is written, for absolute paths, '..', backslashes, links, devices, encrypted files and more than MAX_FILES
    files; and during unpacking as soon as the files exceed max_bytes, because the sizes in the archive may be false.
    """
    written = []
    budget = max_bytes
    try:
        with zipfile.ZipFile(archive) as opened:
            members = [item for item in opened.infolist() if not item.is_dir()]
            places = _places(archive, members)
            for item, place in zip(members, places):
                path = folder / place
                path.parent.mkdir(parents=True, exist_ok=True)
                with opened.open(item) as source, open(path, "xb") as target:
                    while chunk := source.read(CHUNK):
                        budget -= len(chunk)
                        if budget < 0:
                            raise ArchiveError(f"{archive}: unpacks to more than {max_bytes} bytes: refused")
                        target.write(chunk)
                written.append(path)
    except (*DAMAGE, NotImplementedError, RuntimeError, ValueError) as error:
        raise ArchiveError(f"{archive}: not a valid zip archive ({one_line(error)})") from None
    except OSError as error:
        raise ArchiveError(f"{archive}: cannot be unpacked into {folder} ({one_line(error)})") from None
    return written


def _places(archive: Path, members: list[zipfile.ZipInfo]) -> list[PurePosixPath]:
    """The path of each member relative to the folder; ArchiveError if one is not a plain file inside the folder."""
    if not members or len(members) > MAX_FILES:
        raise ArchiveError(f"{archive}: holds {len(members)} files, expected 1 to {MAX_FILES}")
    places = []
    for item in members:
        place = PurePosixPath(item.filename)
        kind = stat.S_IFMT(item.external_attr >> 16)
        if "\\" in item.filename or ":" in item.filename or place.is_absolute() or ".." in place.parts:
            raise ArchiveError(f"{archive}: {item.filename!r} would leave the folder: refused")
        if kind not in (0, stat.S_IFREG):
            raise ArchiveError(f"{archive}: {item.filename!r} is not a plain file: refused")
        if item.flag_bits & 1:
            raise ArchiveError(f"{archive}: {item.filename!r} is encrypted: refused")
        places.append(place)
    if len({place.parts[0] for place in places}) == 1 and all(len(place.parts) > 1 for place in places):
        places = [PurePosixPath(*place.parts[1:]) for place in places]
    if len(set(places)) < len(places):
        raise ArchiveError(f"{archive}: holds a file twice: refused")
    return places
