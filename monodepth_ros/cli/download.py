# SPDX-License-Identifier: Apache-2.0
"""`monodepth download`: checkpoints by name from the catalogue."""

import argparse
import json
import math
import os
import shutil
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path

from monodepth_ros.cli.progress import Progress, ProgressLine
from monodepth_ros.downloads.archive import unpack_zip
from monodepth_ros.downloads.catalogue import CatalogueEntry, CatalogueError, read_catalogue, user_catalogue
from monodepth_ros.downloads.checkpoint_cache import RECORD, checkpoints_folder, downloaded_checkpoint
from monodepth_ros.downloads.http_file import DownloadError, download
from monodepth_ros.errors import MonodepthError
from monodepth_ros.networks.checkpoints.bundled_checkpoint import BUNDLED_NAME, BUNDLED_TITLE

WEIGHTS = (".safetensors", ".pth", ".pt")


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
        check = "none published: the file cannot be checked"
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
    """Download, check and unpack an entry into its folder of the cache; returns the path to load."""
    root = checkpoints_folder()
    # The hash in the name keeps a changed catalogue from resuming the old file.
    whole = root / ".downloads" / f"{entry.name}-{entry.digest[:8] or 'unchecked'}-{entry.file_name}"
    limit = round(1.5e6 * entry.megabytes) or 1 << 32
    progress = DownloadProgress()
    digest = download(entry.url, whole, entry.hash_name, entry.digest, entry.size, max_size=limit, progress=progress)
    try:
        root.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".unpacking-", dir=root) as staging:
            folder = Path(staging) / entry.name
            folder.mkdir()
            if whole.suffix == ".zip":
                unpack_zip(whole, folder)
            else:
                shutil.copyfile(whole, folder / entry.file_name)
            record = {
                "name": entry.name,
                "url": entry.url,
                entry.hash_name or "sha256": digest,
                "licence": entry.licence,
                "load": what_to_load(folder, entry.url),
            }
            (folder / RECORD).write_text(json.dumps(record, indent=2) + "\n", encoding="utf-8")
            # An interrupted removal leaves a folder without a readable record.
            shutil.rmtree(root / entry.name, ignore_errors=True)
            os.replace(folder, root / entry.name)
    except OSError as error:
        raise DownloadError(f"{root / entry.name}: cannot be written ({error.strerror or error})") from None
    finally:
        whole.unlink(missing_ok=True)
    return downloaded_checkpoint(entry.name)


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
