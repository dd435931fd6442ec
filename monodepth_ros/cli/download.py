# SPDX-License-Identifier: Apache-2.0
"""`monodepth download`: checkpoints by name from the catalogue."""

import argparse
import hashlib
import json
import math
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from monodepth_ros.cli.progress import Progress, ProgressLine
from monodepth_ros.downloads.archive import unpack_zip
from monodepth_ros.downloads.catalogue import CatalogueEntry, CatalogueError, read_catalogue, user_catalogue
from monodepth_ros.downloads.checkpoint_cache import RECORD, checkpoints_folder, downloaded_checkpoint
from monodepth_ros.downloads.content import check_content
from monodepth_ros.downloads.errors import DownloadError
from monodepth_ros.downloads.http_file import Expected, download
from monodepth_ros.errors import MonodepthError, one_line
from monodepth_ros.limits import LARGEST_DOWNLOAD
from monodepth_ros.networks.checkpoints.bundled_checkpoint import BUNDLED_NAME, BUNDLED_TITLE

WEIGHTS = (".safetensors", ".pth", ".pt")
UNPACKING = ".unpacking-"
ABANDONED = 3600.0  # age at which what is half unpacked is removed [s]


class LicenceError(MonodepthError):
    """The licence of weights has not been accepted."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of the verb."""
    parser.description = (
        "Download a checkpoint into the cache. Every command and the node then find it by its name (checkpoint:=NAME)."
        " An interrupted download resumes on the next call."
    )
    parser.add_argument("name", nargs="?", default="", help="name of the checkpoint")
    parser.add_argument("--list", action="store_true", help="print the catalogue")
    parser.add_argument("--accept-license", action="store_true", help="accept the licence without being asked")


def run(options: argparse.Namespace) -> int:
    """List or download. Raises MonodepthError if the checkpoint cannot be had."""
    catalogue = read_catalogue()
    if options.list or not options.name:
        print_catalogue(catalogue)
        return 0
    if options.name == BUNDLED_NAME:
        print(f"{BUNDLED_TITLE} comes with the package: nothing to download")
        print_use(BUNDLED_NAME)
        return 0
    if options.name not in catalogue:
        known = ", ".join([BUNDLED_NAME, *catalogue])
        raise CatalogueError(f"no checkpoint {options.name!r} in the catalogue: it has {known}")
    present = downloaded_checkpoint(options.name)
    if present is not None:
        print(f"{options.name} is here already: {present}")
        return 0
    entry = catalogue[options.name]
    print_entry(entry)
    if not options.accept_license:
        ask_for_consent(entry)
    print(fetch(entry))
    print_use(entry.name)
    return 0


def print_use(name: str) -> None:
    """Print how to name a checkpoint."""
    print(f"use it as: checkpoint:={name}, --checkpoint {name}, monodepth info {name}")


def print_catalogue(catalogue: Mapping[str, CatalogueEntry]) -> None:
    """Print the bundled checkpoint, then each entry's name, size (or that it is downloaded) and description, then the
    licences."""
    width = max(map(len, [BUNDLED_NAME, *catalogue]))
    licences: dict[tuple[str, str], int] = {("Apache-2.0", ""): 1}
    print(f"{BUNDLED_NAME:<{width}}  {'bundled':<14}  [1] learned from synthetic streets; to see the package run")
    for entry in catalogue.values():
        number = licences.setdefault((entry.licence, entry.licence_url), len(licences) + 1)
        here = "downloaded" if downloaded_checkpoint(entry.name) else entry.size_text
        print(f"{entry.name:<{width}}  {here:<14}  [{number}] {entry.description}")
    for (licence, url), number in licences.items():
        print(f"[{number}] {licence or 'licence not stated'}{f', {url}' if url else ''}")
    print(f"your own entries: {user_catalogue()}")


def print_entry(entry: CatalogueEntry) -> None:
    """Print the facts of an entry before its download."""
    check = f"{entry.hash_name} {entry.digest}"
    if not entry.digest:
        check = "none published: only the file's form can be checked"
    facts = {
        "checkpoint": f"{entry.name}: {entry.description}" if entry.description else entry.name,
        "url": entry.url,
        "size": entry.size_text,
        "hash": check,
        "licence": f"{entry.licence or 'not stated'}{f', {entry.licence_url}' if entry.licence_url else ''}",
    }
    for name, text in facts.items():
        print(f"{name + ':':<12}{text}")


def ask_for_consent(entry: CatalogueEntry) -> None:
    """Ask on the terminal for consent to the licence. Raises LicenceError for any answer but yes, and without a
    terminal."""
    if not sys.stdin.isatty():
        raise LicenceError(f"{entry.name}: its licence has to be accepted: read it and add --accept-license")
    try:
        answer = input("Do you accept the licence? [y/N] ")
    except EOFError:
        answer = ""
    if answer.strip().lower() not in ("y", "yes"):
        raise LicenceError("licence not accepted: nothing was downloaded")


def fetch(entry: CatalogueEntry) -> Path:
    """Download, check and unpack an entry into its folder of the cache; returns the path to load.

    The checkpoint is loaded once before it is kept: a file that is none is refused. Raises MonodepthError.
    """
    root = checkpoints_folder()
    # The hash of file or address in the name keeps a changed catalogue from resuming the old file.
    version = entry.digest or hashlib.sha256(entry.url.encode()).hexdigest()
    whole = root / ".downloads" / f"{entry.name}-{version[:8]}{entry.suffix}"
    expected = Expected(
        entry.hash_name,
        entry.digest,
        entry.size,
        largest=min(round(1.5e6 * entry.megabytes) or LARGEST_DOWNLOAD, LARGEST_DOWNLOAD),
        check=lambda path: check_content(path, entry.suffix),
    )
    digest = download(entry.url, whole, expected, DownloadProgress())
    try:
        _remove_abandoned(root)
        with tempfile.TemporaryDirectory(prefix=UNPACKING, dir=root) as staging:
            folder, arrived = Path(staging) / entry.name, Path(staging) / f".arrived{entry.suffix}"
            folder.mkdir()
            os.replace(whole, arrived)
            if entry.suffix == ".zip":
                unpack_zip(arrived, folder, LARGEST_DOWNLOAD)
            else:
                os.replace(arrived, folder / f"{entry.name}{entry.suffix}")
            load = what_to_load(folder, entry.url)
            _check_loads(folder / load, entry.url)
            record = {
                "name": entry.name,
                "url": entry.url,
                entry.hash_name or "sha256": digest,
                "licence": entry.licence,
                "load": load,
            }
            (folder / RECORD).write_text(json.dumps(record, indent=2) + "\n", encoding="utf-8")
            place = root / entry.name
            if place.is_symlink() or place.is_file():
                place.unlink()
            # An interrupted removal leaves a folder without a readable record.
            shutil.rmtree(place, ignore_errors=True)
            os.replace(folder, place)
    except OSError as error:
        raise DownloadError(f"{root / entry.name}: cannot be written ({one_line(error)})") from None
    finally:
        with suppress(OSError):
            whole.unlink()
    found = downloaded_checkpoint(entry.name)
    if found is None:
        raise DownloadError(f"{root / entry.name}: was changed while it was written; run the same command again")
    return found


def _check_loads(path: Path, url: str) -> None:
    """Raise DownloadError if a path is no checkpoint that this package can load."""
    # Imports torch, which takes seconds.
    from monodepth_ros.networks.checkpoints.checkpoint import load_checkpoint  # noqa: PLC0415

    try:
        load_checkpoint(path)
    except MonodepthError as error:
        reason = str(error).replace(f"{path}: ", "").replace(f"{path}/", "").replace(f"{path.parent}/", "")
        raise DownloadError(f"{url}: refused and removed, it is no checkpoint: {reason}") from None


def _remove_abandoned(root: Path) -> None:
    """Remove what a killed process left half unpacked."""
    for folder in root.glob(f"{UNPACKING}*"):
        with suppress(OSError):
            if time.time() - folder.lstat().st_mtime > ABANDONED:
                shutil.rmtree(folder, ignore_errors=True)


def what_to_load(folder: Path, source: str) -> str:
    """Path of the checkpoint in an unpacked folder: '.' for encoder.pth and depth.pth, else the only weights file.

    Raises DownloadError if there is no such file, or more than one.
    """
    encoders = [path.parent for path in folder.rglob("encoder.pth") if (path.parent / "depth.pth").is_file()]
    if len(encoders) == 1:
        return str(encoders[0].relative_to(folder))
    files = [path for path in folder.rglob("*") if path.suffix in WEIGHTS]
    if len(files) != 1:
        names = ", ".join(sorted(path.name for path in folder.rglob("*") if path.is_file())[:8])
        raise DownloadError(f"{source}: holds no single checkpoint, but {names}")
    return str(files[0].relative_to(folder))


class DownloadProgress:
    """Progress of a download on a terminal, called with (bytes done, all bytes)."""

    def __init__(self) -> None:
        self._progress: Progress | None = None

    def __call__(self, done: int, total: int) -> None:
        if self._progress is None:
            if done:
                print(f"resuming after {done / 1e6:.1f} MB", flush=True)
            self._progress = Progress(total / 1e6 or None, ProgressLine(0.2, line_period=math.inf), unit="MB")
            self._progress.begin(done / 1e6)
        self._progress.at(done / 1e6)
        if 0 < total <= done:
            self._progress.end()
