# SPDX-License-Identifier: Apache-2.0
"""Split files, such as Eigen's: the frames of recordings to evaluate."""

import re
from dataclasses import dataclass
from pathlib import Path

from monodepth_ros.errors import MonodepthError
from monodepth_ros.evaluation.depth_metrics import EvaluationError
from monodepth_ros.input_file import read_text
from monodepth_ros.limits import MOST_LINES

DRIVE = re.compile(r"\d{4}_\d{2}_\d{2}_drive_\d{4}")


@dataclass(frozen=True)
class SplitFile:
    """The frames of a split. lines: number of the line, from 0, by drive ('' for any) and name of the frame."""

    path: str
    lines: dict[tuple[str, str], int]

    def __len__(self) -> int:
        return len(self.lines)

    def may_name(self, source: str) -> bool:
        """Whether any line may name a frame of the source at this path."""
        return any(drive in ("", _drive_of(source)) for drive, _ in self.lines)

    def line_of(self, source: str, name: str) -> int | None:
        """The number of a frame's line; source: path of its source. None if the split does not contain the frame.

        For a path that names a KITTI drive, only the lines of that drive count. Names may differ in leading zeros.
        """
        return self.lines.get((_drive_of(source), _plain(name)), self.lines.get(("", _plain(name))))


def read_split(path: str | Path) -> SplitFile:
    """Read a split file: lines of 'folder frame side' as in KITTI's, or of the name of a frame alone.

    EvaluationError for a file that cannot be read, without lines, or with the same frame twice.
    """
    lines: dict[tuple[str, str], int] = {}
    try:
        rows = [line.split(maxsplit=3) for line in read_text(path, exact=True).splitlines() if line.strip()]
    except MonodepthError as error:
        raise EvaluationError(f"{error}; expected lines such as 'folder frame side'") from None
    if len(rows) > MOST_LINES:
        raise EvaluationError(f"{path} has {len(rows)} lines, more than the {MOST_LINES} that are read")
    for number, words in enumerate(rows):
        if len(words) > 3:
            raise EvaluationError(f"{path}: {' '.join(words)[:80]!r}, expected 'folder frame side' or a name")
        frame = (_drive(words[0]), _plain(words[1])) if len(words) > 1 else ("", _plain(words[0]))
        if frame in lines:
            raise EvaluationError(f"{path}: names {' '.join(words)!r} twice; expected each frame once")
        lines[frame] = number
    if not lines:
        raise EvaluationError(f"{path}: no lines; expected 'folder frame side' on each")
    return SplitFile(str(path), lines)


def _drive_of(source: str) -> str:
    return _drive(str(Path(source).resolve()))


def _drive(path: str) -> str:
    found = DRIVE.findall(path)
    return found[-1] if found else ""


def _plain(name: str) -> str:
    stem = name.rsplit(".", 1)[0] if name.endswith((".png", ".jpg")) else name
    return (stem.lstrip("0") or "0") if stem.isascii() and stem.isdigit() else stem
