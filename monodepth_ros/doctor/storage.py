# SPDX-License-Identifier: Apache-2.0
"""Folders that this package writes to: whether they can be written, what is in them, and how much room there is."""

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from monodepth_ros.cache_folder import cache_folder
from monodepth_ros.config_files import NAMES, config_file
from monodepth_ros.doctor.check import Check, Level
from monodepth_ros.downloads.checkpoint_cache import RECORD, checkpoints_folder, downloaded_checkpoint
from monodepth_ros.errors import MonodepthError, one_line

LITTLE_SPACE = 2_000_000_000  # a checkpoint, its converted graphs and a short recording [bytes]


def storage_checks() -> Iterator[Check]:
    """Checks of the cache, the downloads in it, temporary and current folder, and the installed configuration."""
    yield _folder("cache", cache_folder(), "downloads, converted networks and decoded video are made again each time")
    yield from _contents(cache_folder())
    yield from _downloads()
    yield _temporary()
    with suppress(OSError):
        here = Path.cwd()
        yield _folder("current folder", here, "give run and train an --out that can be written")
    missing = []
    for name in NAMES:
        try:
            config_file(name)
        except MonodepthError:
            missing.append(name)
    if missing:
        found = f"{', '.join(missing)} not found"
        yield Check("configuration", Level.WARNING, found, "install the package again")


def writable(folder: Path) -> str:
    """Why nothing can be written to a folder, or to where it would be made; empty if it can."""
    place = folder
    while not place.exists() and place != place.parent:
        place = place.parent
    try:
        with tempfile.TemporaryFile(dir=place) as file:
            file.write(b"x" * 4096)
            file.flush()
    except OSError as error:
        return f"{place}: {one_line(error)}"
    return ""


def _folder(subject: str, folder: Path, consequence: str) -> Check:
    try:
        refusal = writable(folder)
    except OSError as error:  # a path that cannot even be looked at
        refusal = one_line(error)
    if refusal:
        return Check(subject, Level.WARNING, f"{folder} cannot be written ({refusal})", consequence)
    place = next(place for place in (folder, *folder.parents) if place.exists())
    usage = shutil.disk_usage(place)
    found = f"{folder}, {usage.free / 1e9:.1f} of {usage.total / 1e9:.1f} GB free"
    if usage.free < LITTLE_SPACE:
        return Check(subject, Level.WARNING, found, "make room: recordings and results take gigabytes")
    return Check(subject, Level.OK, found)


def _contents(cache: Path) -> Iterator[Check]:
    sizes = {}
    with suppress(OSError):
        for folder in sorted(path for path in cache.iterdir() if path.is_dir()):
            sizes[folder.name] = sum(_size(Path(top) / name) for top, _, files in os.walk(folder) for name in files)
    if any(sizes.values()):
        yield Check("cached", Level.OK, ", ".join(f"{name} {size / 1e6:.0f} MB" for name, size in sizes.items()))


def _size(path: Path) -> int:
    with suppress(OSError):
        return path.lstat().st_size
    return 0


def _downloads() -> Iterator[Check]:
    names, broken = [], []
    with suppress(OSError):
        for folder in sorted(checkpoints_folder().iterdir()):
            if (folder / RECORD).exists():
                (names if downloaded_checkpoint(folder.name) else broken).append(folder.name)
    if names:
        yield Check("downloaded", Level.OK, ", ".join(names))
    if broken:
        remedy = f"monodepth download {broken[0]}"
        yield Check("downloaded", Level.WARNING, f"incomplete: {', '.join(broken)}", remedy)


def _temporary() -> Check:
    try:
        folder = Path(tempfile.gettempdir())
    except OSError as error:
        remedy = "set TMPDIR to a folder that can be written"
        return Check("temporary folder", Level.ERROR, one_line(error), remedy)
    return _folder("temporary folder", folder, "set TMPDIR to a folder that can be written")
