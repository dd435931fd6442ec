# SPDX-License-Identifier: Apache-2.0
"""Log of a training: one JSON object per line, and the same figures for TensorBoard."""

import json
import math
from pathlib import Path
from typing import Any

from torch import Tensor

from monodepth_ros.training.state import write_atomically
from monodepth_ros.training.tensorboard import TensorBoard

NAME = "log.jsonl"
BOARD = "tensorboard"


class RunLog:
    """Log in a training's folder. A log that continues at `step` drops the lines after it."""

    def __init__(self, folder: Path, step: int = 0):
        self._path = folder / NAME
        self._board = TensorBoard(folder / BOARD, step)
        if step == 0 or not self._path.exists():
            self._path.write_text("")
            return
        kept = [json.dumps(line) for line in read_log(folder) if line["step"] <= step]
        text = "\n".join(kept) + "\n" if kept else ""
        write_atomically(self._path, lambda partial: partial.write_text(text))

    def write(self, step: int, **values: Any) -> None:
        """Append a line with the step and the values. NaN and infinity become null."""
        finite = {name: None if isinstance(v, float) and not math.isfinite(v) else v for name, v in values.items()}
        with open(self._path, "a", encoding="utf-8") as file:
            file.write(json.dumps({"step": step, **finite}) + "\n")
        self._board.numbers(step, values.get("kind", ""), values)

    def show(self, step: int, pictures: dict[str, Tensor]) -> None:
        """Log pictures (C, H, W) by name, for TensorBoard only."""
        self._board.pictures(step, pictures)

    def close(self) -> None:
        """Close the log."""
        self._board.close()


def read_log(folder: Path) -> list[dict[str, Any]]:
    """All complete lines of a folder's log, as dictionaries."""
    lines = []
    for text in (folder / NAME).read_text(encoding="utf-8").splitlines():
        try:
            lines.append(json.loads(text))
        except json.JSONDecodeError:  # cut off when the process was killed
            continue
    return lines
