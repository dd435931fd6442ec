# SPDX-License-Identifier: Apache-2.0
"""Cache of converted networks: a conversion takes seconds, reading it back milliseconds."""

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
from monodepth_ros.networks.checkpoints.checkpoint import Checkpoint

KEPT = 8  # number of entries to keep; that of a ResNet-18 pair has 110 MB
PARTIAL = ".partial-"
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
        self._folder = cache_folder() / "graphs" / key.hexdigest()[:32] if checkpoint.sha256 else None

    def read(self) -> Path | None:
        """The folder, if it exists."""
        if self._folder is None or not self._folder.is_dir():
            return None
        with suppress(OSError):
            os.utime(self._folder)  # marks it as recently used, for _prune
        return self._folder

    def write(self, save: Callable[[Path], None]) -> Path | None:
        """Let `save` fill the folder, which appears complete or not at all; None if it cannot be written."""
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
        except (OSError, RuntimeError):  # disk full, or another process was first
            shutil.rmtree(partial, ignore_errors=True)
        self._prune()
        return self.read()

    def discard(self) -> None:
        """Remove the folder."""
        if self._folder is not None:
            shutil.rmtree(self._folder, ignore_errors=True)

    def _prune(self) -> None:
        """Remove the least recently used entries and abandoned partial ones."""
        with suppress(OSError):
            ages = {path: time.time() - path.stat().st_mtime for path in self._folder.parent.iterdir()}
            partial = [path for path in ages if path.name.startswith(PARTIAL)]
            entries = sorted((path for path in ages if path not in partial), key=ages.get)
            for path in [*entries[KEPT:], *(path for path in partial if ages[path] > ABANDONED)]:
                shutil.rmtree(path, ignore_errors=True)


@cache
def _source_digest() -> str:
    """Hash of the code that defines the graphs."""
    digest = hashlib.sha256(Path(monodepth_ros.inference.graph.__file__).read_bytes())
    for path in sorted(Path(monodepth_ros.networks.__path__[0]).glob("*.py")):
        digest.update(path.read_bytes())
    return digest.hexdigest()
