# SPDX-License-Identifier: Apache-2.0
"""Log of a training: one JSON object per line, and the same figures for TensorBoard."""

import json
import math
import os
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

from torch import Tensor

from monodepth_ros.errors import one_line
from monodepth_ros.output_file import write_file
from monodepth_ros.training.log_lines import log_lines
from monodepth_ros.training.tensorboard import TensorBoard

NAME = "log.jsonl"
BOARD = "tensorboard"


class RunLog:
    """Log in a training's folder. A log that continues at `step` drops the lines after it, and those that are none.

    A line that cannot be written stops no step in progress: `failure` says what went wrong, the line is kept and tried
    again with the next one, and `Trainer` ends in order. Raises MonodepthError if the log cannot be begun.

    note: which lines of an earlier log were left out, '' if all were good.
    """

    def __init__(self, folder: Path, step: int = 0):
        self._path = folder / NAME
        self.note = self.failure = ""
        self._unwritten: list[str] = []
        kept: list[dict[str, Any]] = []
        if step and self._path.exists():
            kept, self.note = log_lines(self._path)
        write_file(self._path, "".join(_text(line) for line in kept if line["step"] <= step))
        self._board = TensorBoard(folder / BOARD, step)

    def write(self, step: int, **values: Any) -> None:
        """Append a line with the step and the values. NaN and infinity become null."""
        finite = {name: None if isinstance(v, float) and not math.isfinite(v) else v for name, v in values.items()}
        self._unwritten.append(_text({"step": step, **finite}))
        self._write_lines()
        self._on_board(lambda: self._board.numbers(step, values.get("kind", ""), values))

    def show(self, step: int, pictures: dict[str, Tensor]) -> None:
        """Log pictures (C, H, W) by name, for TensorBoard only."""
        self._on_board(lambda: self._board.pictures(step, pictures))

    def close(self) -> None:
        """Write what is left, as far as it can be written, and close the log."""
        self._write_lines()
        self._on_board(self._board.close)

    def _write_lines(self) -> None:
        if not self._unwritten:
            return
        try:
            _append(self._path, "".join(self._unwritten).encode())
        except OSError as error:
            self.failure = f"{self._path} cannot be written: {one_line(error)}"
        else:
            self._unwritten.clear()

    def _on_board(self, write: Callable[[], None]) -> None:
        try:
            write()
        except (OSError, RuntimeError, ValueError) as error:  # its own thread's errors come up in later calls
            self.failure = self.failure or f"{self._path.parent / BOARD} cannot be written: {one_line(error)}"


def read_log(folder: Path) -> list[dict[str, Any]]:
    """All good lines of a folder's log, as dictionaries (see `log_lines`). Raises MonodepthError."""
    return log_lines(folder / NAME)[0]


def _append(path: Path, data: bytes) -> None:
    """Append to a file that exists, all or nothing; OSError if that fails.

    A file that is gone is not made anew: its folder is no longer the training's.
    """
    file = os.open(path, os.O_WRONLY | os.O_APPEND)
    try:
        size = os.fstat(file).st_size
        done = 0
        try:
            while done < len(data):
                done += os.write(file, data[done:])
        except OSError:
            with suppress(OSError):
                os.ftruncate(file, size)  # half a line would swallow the next one
            raise
    finally:
        os.close(file)


def _text(line: dict[str, Any]) -> str:
    return json.dumps(line) + "\n"
