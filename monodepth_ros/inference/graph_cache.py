# SPDX-License-Identifier: Apache-2.0
"""Cache of converted networks: a conversion takes seconds, reading it back milliseconds."""

import hashlib
import json
import os
import shutil
import tempfile
import time
from collections.abc import Callable
from contextlib import suppress
from functools import cache
from pathlib import Path

import monodepth_ros.inference.graph
import monodepth_ros.networks
from monodepth_ros.cache_folder import cache_folder
from monodepth_ros.errors import MonodepthError
from monodepth_ros.input_file import ordinary_file, read_text
from monodepth_ros.limits import LARGEST_SETTINGS_FILE
from monodepth_ros.networks.checkpoints.checkpoint import Checkpoint
from monodepth_ros.structured_text import parse_json

KEPT = 8  # number of entries to keep; that of a ResNet-18 pair has 110 MB
PARTIAL = ".partial-"
LISTING = "files.json"
ABANDONED = 3600.0  # age at which an unfinished entry is removed [s]


class GraphCache:
    """The folder of one checkpoint's converted networks.

    converter: name and version of the converter. The folder's name is a hash of it, of the weights and of the networks'
    source code: anything that changes the graph changes the folder. A checkpoint without a hash is not cached.
    """

    def __init__(self, checkpoint: Checkpoint, converter: str):
        key = hashlib.sha256(
            "\0".join((checkpoint.sha256, checkpoint.header.to_json(), converter, _source_digest())).encode()
        )
        self._folder = self.place / key.hexdigest()[:32] if checkpoint.sha256 else None
        self.problem: Exception | None = None

    @property
    def place(self) -> Path:
        """The folder of all entries."""
        return cache_folder() / "graphs"

    def read(self) -> Path | None:
        """The folder, if it has all its files in full: a runtime may end the process over a shortened one."""
        if self._folder is None or not _is_whole(self._folder):
            return None
        with suppress(OSError):
            os.utime(self._folder)  # marks it as recently used, for _prune
        return self._folder

    def write(self, save: Callable[[Path], None]) -> Path | None:
        """Let `save` fill the folder, which appears complete or not at all; None if it cannot be written, for the
        reason in `problem`, or if there is no cache for this checkpoint."""
        self.problem = None
        if self._folder is None:
            return None
        try:
            self._folder.parent.mkdir(parents=True, exist_ok=True)
            partial = Path(tempfile.mkdtemp(prefix=PARTIAL, dir=self._folder.parent))
        except OSError as error:
            self.problem = error
            return None
        try:
            save(partial)
            _complete(partial)
            if not _is_whole(self._folder):
                self.discard()
            partial.rename(self._folder)
        except (OSError, RuntimeError) as error:  # disk full, or another process was first
            shutil.rmtree(partial, ignore_errors=True)
            self.problem = error
        self._prune()
        return self.read()

    def discard(self) -> None:
        """Remove the folder, or whatever lies in its place."""
        if self._folder is not None:
            shutil.rmtree(self._folder, ignore_errors=True)
            with suppress(OSError):
                self._folder.unlink()

    def _prune(self) -> None:
        """Remove the least recently used entries and abandoned partial ones."""
        with suppress(OSError):
            ages = {path: time.time() - path.stat().st_mtime for path in self._folder.parent.iterdir()}
            partial = [path for path in ages if path.name.startswith(PARTIAL)]
            entries = sorted((path for path in ages if path not in partial), key=ages.get)
            for path in [*entries[KEPT:], *(path for path in partial if ages[path] > ABANDONED)]:
                shutil.rmtree(path, ignore_errors=True)


def _complete(folder: Path) -> None:
    """Bring the files of a folder to the disk, and list them with their sizes."""
    sizes = {path.name: path.stat().st_size for path in folder.iterdir()}
    (folder / LISTING).write_text(json.dumps(sizes), encoding="utf-8")
    for name in (*sizes, LISTING):
        with open(folder / name, "rb+") as file:
            os.fsync(file.fileno())


def _is_whole(folder: Path) -> bool:
    """Whether a folder has the files of its listing, with the sizes that it states."""
    try:
        sizes = parse_json(read_text(folder / LISTING, LARGEST_SETTINGS_FILE), LISTING)
        found = {path.name: ordinary_file(path).stat().st_size for path in folder.iterdir() if path.name != LISTING}
        return isinstance(sizes, dict) and bool(found) and found == sizes
    except (MonodepthError, OSError):
        return False


@cache
def _source_digest() -> str:
    """Hash of the code that defines the graphs."""
    digest = hashlib.sha256(Path(monodepth_ros.inference.graph.__file__).read_bytes())
    for path in sorted(Path(monodepth_ros.networks.__path__[0]).glob("*.py")):
        digest.update(path.read_bytes())
    return digest.hexdigest()
