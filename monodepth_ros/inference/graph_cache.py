# SPDX-License-Identifier: Apache-2.0
"""Converted networks, kept: a conversion takes seconds, reading one back takes a moment."""

import hashlib
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
from monodepth_ros.networks.checkpoint import Checkpoint

KEPT = 8  # entries; one of a ResNet-18 pair has 110 MB
PARTIAL = ".partial-"
ABANDONED = 3600.0  # seconds; nobody writes an entry for so long


class GraphCache:
    """The folder of one checkpoint's converted networks.

    converter: name and version of what converts, part of the key with the weights' hash and the source of the
    networks: whatever changes the graph changes the folder. A checkpoint without a hash is not cached.
    """

    def __init__(self, checkpoint: Checkpoint, converter: str):
        key = hashlib.sha256(
            "\0".join((checkpoint.sha256, checkpoint.header.to_json(), converter, _source_digest())).encode()
        )
        self._folder = cache_folder() / "graphs" / key.hexdigest()[:32] if checkpoint.sha256 else None

    def read(self) -> Path | None:
        """The folder, if it is there."""
        if self._folder is None or not self._folder.is_dir():
            return None
        with suppress(OSError):
            os.utime(self._folder)  # the least recently used entries are the ones to go
        return self._folder

    def write(self, save: Callable[[Path], None]) -> Path | None:
        """Let `save` fill the folder, which appears complete or not at all. None where it cannot be written."""
        if self._folder is None:
            return None
        try:
            self._folder.parent.mkdir(parents=True, exist_ok=True)
            partial = Path(tempfile.mkdtemp(prefix=PARTIAL, dir=self._folder.parent))
        except OSError:
            return None
        try:
            save(partial)
            partial.rename(self._folder)
        except (OSError, RuntimeError):  # no space, or another process was first
            shutil.rmtree(partial, ignore_errors=True)
        self._prune()
        return self.read()

    def discard(self) -> None:
        """Remove what is kept."""
        if self._folder is not None:
            shutil.rmtree(self._folder, ignore_errors=True)

    def _prune(self) -> None:
        with suppress(OSError):
            ages = {path: time.time() - path.stat().st_mtime for path in self._folder.parent.iterdir()}
            partial = [path for path in ages if path.name.startswith(PARTIAL)]
            entries = sorted((path for path in ages if path not in partial), key=ages.get)
            for path in [*entries[KEPT:], *(path for path in partial if ages[path] > ABANDONED)]:
                shutil.rmtree(path, ignore_errors=True)


@cache
def _source_digest() -> str:
    """Of the code that defines the graphs."""
    digest = hashlib.sha256(Path(monodepth_ros.inference.graph.__file__).read_bytes())
    for path in sorted(Path(monodepth_ros.networks.__path__[0]).glob("*.py")):
        digest.update(path.read_bytes())
    return digest.hexdigest()
