# SPDX-License-Identifier: Apache-2.0
"""The state of a recording's files, for what is kept about them in a cache."""

import hashlib
import os
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path


def recording_state(files: Iterable[Path], *facts: str) -> str:
    """Hash of some facts and of files as they are now: names, sizes and times of change."""
    found = list(facts)
    for file in files:
        with suppress(OSError):
            status = file.stat()
            found.append(f"{file.name} {status.st_size} {status.st_mtime_ns}")
    return hashlib.sha256(os.fsencode("\n".join(found))).hexdigest()


def files_of(path: Path, left_out: str) -> list[Path]:
    """The file, or the files of a folder, without those whose names end in `left_out`."""
    if not path.is_dir():
        return [path]
    return sorted(p for p in path.rglob("*") if p.is_file() and not p.name.endswith(left_out))
