# SPDX-License-Identifier: Apache-2.0
"""Decoded pictures of recorded video on the disk, so that any of them can be read without decoding those before it.

They lie in the user's cache, in one folder for each topic of a recording. A folder whose recording has changed is
removed; so are those that were not used for longest, where all of them would grow beyond LIMIT.
"""

import hashlib
import json
import operator
import os
import shutil
import struct
import threading
import time
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple

from monodepth_ros.atomic_file import atomic_file
from monodepth_ros.cache_folder import cache_folder, not_cached
from monodepth_ros.data.recording_state import files_of, recording_state
from monodepth_ros.data.video_stream.lossless import Packer, PictureFormat, keepable, unpack
from monodepth_ros.structured_text import parse_json

VERSION = 1  # of the files' layout
SUFFIX = ".frames"
LIMIT = 20_000_000_000  # bytes of all recordings together
FREE_SHARE = 0.05  # of the disk, which is left free
PICTURES = 32  # in a file
LARGEST_HEADER = 1 << 20  # of a file [bytes]
ABANDONED = 3600.0  # age of a file that a killed process has left half written [s]

Times = tuple[int, int]


class _Place(NamedTuple):
    """Where a picture lies."""

    file: Path
    form: PictureFormat
    offset: int
    size: int


def decoded_folder() -> Path:
    """The folder of all decoded video. It need not exist."""
    return cache_folder() / "decoded_video"


class FrameStore:
    """Decoded pictures of one topic of a recording, by (stamp, receive time) [ns]; for several threads and processes.

    path: of the recording. Nothing here raises: what cannot be written or read is decoded again by the caller.
    """

    def __init__(self, path: Path, topic: str):
        place = hashlib.sha256(os.fsencode(f"{os.path.abspath(path)} {topic}")).hexdigest()[:16]
        state = recording_state(files_of(path, ".npz"), f"{VERSION}")[:16]
        self._folder = decoded_folder() / f"{place}_{state}"
        self._lock = threading.Lock()
        self._places: dict[Times, _Place] | None = None
        self._bytes: int | None = None
        self._is_full = False
        with suppress(OSError):
            for other in decoded_folder().glob(f"{place}_*"):
                if other != self._folder:
                    shutil.rmtree(other, ignore_errors=True)

    @property
    def is_full(self) -> bool:
        """Whether nothing more can be kept."""
        return self._is_full

    def read(self, times: Times) -> Any:
        """The av.VideoFrame of a picture, or None if it is not kept."""
        with self._lock:
            if self._places is None:
                self._places = self._listed()
            place = self._places.get(times)
        if place is None:
            return None
        try:
            with open(place.file, "rb") as file:
                file.seek(place.offset)
                return unpack(place.form, file.read(place.size))
        except Exception:  # removed by another process, or damaged
            with self._lock:
                self._places.pop(times, None)
            return None

    def writer(self) -> "StoreWriter":
        """A writer of pictures that are decoded one after the other."""
        return StoreWriter(self)

    def add(self, form: PictureFormat, pictures: list[tuple[Times, bytes]]) -> None:
        """Keep packed pictures, if there is room."""
        offsets, at = [], 0
        for times, data in pictures:
            offsets.append((*times, at, len(data)))
            at += len(data)
        header = json.dumps({"format": form.as_dict(), "pictures": offsets}).encode()
        file = self._folder / f"{pictures[0][0][1]}_{pictures[0][0][0]}{SUFFIX}"
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            if not self._has_room(at):
                return
            with atomic_file(file) as partial, open(partial, "wb") as stream:
                stream.write(struct.pack("<I", len(header)) + header)
                for _, data in pictures:
                    stream.write(data)
        except OSError as error:
            self._is_full = True
            not_cached("decoded video", decoded_folder(), error, "it is decoded again each time")
            return
        begin = 4 + len(header)
        with self._lock:
            if self._places is not None:
                self._places |= {
                    (stamp, received): _Place(file, form, begin + offset, size)
                    for stamp, received, offset, size in offsets
                }

    def _has_room(self, size: int) -> bool:
        with self._lock:
            root = decoded_folder()
            if self._bytes is None:
                self._bytes = _size_of(root)
                with suppress(OSError):
                    os.utime(self._folder)
            disk = shutil.disk_usage(root)
            too_much = max(self._bytes + size - LIMIT, FREE_SHARE * disk.total - (disk.free - size))
            if too_much > 0:
                for folder in sorted(_folders(root), key=_last_use):
                    if too_much <= 0:
                        break
                    if folder != self._folder:
                        freed = _size_of(folder)
                        shutil.rmtree(folder, ignore_errors=True)
                        self._bytes, too_much = self._bytes - freed, too_much - freed
            self._is_full = too_much > 0
            if not self._is_full:
                self._bytes += size
            return not self._is_full

    def _listed(self) -> dict[Times, _Place]:
        places: dict[Times, _Place] = {}
        with suppress(OSError):
            for file in self._folder.iterdir():
                if file.suffix == SUFFIX and file.is_file():
                    places |= _places_in(file)
                elif time.time() - file.stat().st_mtime > ABANDONED:
                    file.unlink()
            os.utime(self._folder)
        return places


class StoreWriter:
    """Packs pictures and hands them to a store, some at a time. A picture that cannot be packed is left out."""

    def __init__(self, store: FrameStore):
        self._store = store
        self._packer: Packer | None = None
        self._waiting: list[tuple[Times, bytes]] = []

    def add(self, times: Times, frame: Any) -> None:
        """Keep a picture."""
        if self._store.is_full:
            return
        try:
            frame = keepable(frame)
            if self._packer is None or not self._packer.fits(frame):
                self.flush()
                self._packer = Packer(frame)
            self._waiting.append((times, self._packer.pack(frame)))
        except Exception:  # of PyAV's many classes: a size or format that the codec does not take
            self.flush()
            self._packer = None
            return
        if len(self._waiting) >= PICTURES:
            self.flush()

    def flush(self) -> None:
        """Write what waits."""
        if self._waiting and self._packer is not None:
            self._store.add(self._packer.format, self._waiting)
        self._waiting = []


def _places_in(file: Path) -> dict[Times, _Place]:
    """The pictures in a file; none if it is damaged or names bytes beyond its end."""
    try:
        size = file.stat().st_size
        with open(file, "rb") as stream:
            (length,) = struct.unpack("<I", stream.read(4))
            header = parse_json(stream.read(min(length, LARGEST_HEADER)).decode(), file.name)
        form = PictureFormat(**header["format"])
        form.check()
        pictures = [tuple(map(operator.index, numbers)) for numbers in header["pictures"]]
        begin = 4 + length
        if not all(offset >= 0 and 0 <= count <= size - begin - offset for _, _, offset, count in pictures):
            return {}
        return {(stamp, received): _Place(file, form, begin + at, count) for stamp, received, at, count in pictures}
    except (OSError, ValueError, LookupError, TypeError, struct.error):
        return {}


def _folders(root: Path) -> list[Path]:
    with suppress(OSError):
        return [entry for entry in root.iterdir() if entry.is_dir()]
    return []


def _size_of(folder: Path) -> int:
    total = 0
    for file in folder.rglob("*"):
        with suppress(OSError):
            total += file.stat().st_size if file.is_file() else 0
    return total


def _last_use(folder: Path) -> float:
    with suppress(OSError):
        return folder.stat().st_mtime
    return 0.0
