# SPDX-License-Identifier: Apache-2.0
"""Progress of long jobs on standard error: a line that is redrawn on a terminal, plain lines now and then elsewhere."""

import math
import sys
import time
from typing import TextIO, TypeVar

from monodepth_ros.training.progress import TrainingProgress

BAR = 28  # characters
Line = TypeVar("Line", bound="ProgressLine")


class ProgressLine:
    """The line itself.

    draw_period, line_period: least time between two updates on a terminal and between two lines elsewhere [s]; with an
    infinite line_period nothing is printed elsewhere. stream: standard error by default.
    """

    def __init__(self, draw_period: float = 0.1, line_period: float = 5.0, stream: TextIO | None = None):
        self._stream = stream or sys.stderr
        self.is_terminal = self._stream.isatty()
        self._period = draw_period if self.is_terminal else line_period
        self._shown_at = time.monotonic()
        self._width = 0

    @property
    def is_due(self) -> bool:
        """Whether the period since the last update is over."""
        return time.monotonic() - self._shown_at >= self._period

    def show(self, text: str) -> None:
        """Print the text now."""
        self._shown_at = time.monotonic()
        if self.is_terminal:
            print(f"\r{text:<{self._width}}", end="", file=self._stream, flush=True)
            self._width = len(text)
        elif math.isfinite(self._period):
            print(text, file=self._stream, flush=True)

    def end(self) -> None:
        """Finish the line, so that the next output begins on a new one."""
        if self._width:
            print(file=self._stream)
        self._width = 0

    def __enter__(self: Line) -> Line:
        return self

    def __exit__(self, *_: object) -> None:
        self.end()


class Progress:
    """Frames done, frames per second and time left; on a terminal with a bar. Ends its line as a context manager.

    total: number of frames to come, None if unknown.
    """

    def __init__(self, total: int | None, line: ProgressLine | None = None):
        self._total, self._line = total, line or ProgressLine()
        self._began = time.monotonic()
        self.count = 0

    @property
    def rate(self) -> float:
        """Frames per second since the beginning."""
        return self.count / max(time.monotonic() - self._began, 1e-9)

    def step(self) -> None:
        """Count one more frame."""
        self.count += 1
        if self._line.is_due:
            self._line.show(self._text())

    def __enter__(self) -> "Progress":
        return self

    def __exit__(self, *_: object) -> None:
        if self.count:
            self._line.show(self._text())
        self._line.end()

    def _text(self) -> str:
        text = f"{self.count}/{self._total} frames" if self._total else f"{self.count} frames"
        text += f", {self.rate:.1f} frames/s"
        if not self._total:
            return text
        if self.count < self._total:
            text += f", {_duration((self._total - self.count) / self.rate)} left"
        if self._line.is_terminal:
            filled = min(BAR, BAR * self.count // self._total)
            text = f"[{'#' * filled}{'.' * (BAR - filled)}] {text}"
        return text


class ReadingProgress(ProgressLine):
    """Progress of a first pass over recordings, called with (what is done, frames done, all frames or None)."""

    def __init__(self) -> None:
        super().__init__(line_period=2.0)

    def __call__(self, task: str, count: int, total: int | None) -> None:
        if self.is_due:
            self.show(f"{task}: {count}{f' of {total}' if total else ''} frames")


class StepProgress(ProgressLine):
    """Progress of a training, called with a TrainingProgress after each step. is_shown: False for silence."""

    def __init__(self, is_shown: bool = True):
        super().__init__(draw_period=0.2, line_period=10.0)
        self._is_shown = is_shown

    def __call__(self, progress: TrainingProgress) -> None:
        if not self._is_shown or not self.is_due:
            return
        loss = f"{progress.loss:.4f}" if math.isfinite(progress.loss) else "not finite"
        minutes, seconds = divmod(round(progress.seconds_left), 60)
        self.show(
            f"step {progress.step}/{progress.steps}, epoch {progress.epoch + 1}, loss {loss},"
            f" {progress.samples_per_second:.1f} samples/s, {100 * progress.waiting:.0f} % waiting for data,"
            f" {minutes // 60}:{minutes % 60:02d}:{seconds:02d} left"
        )


def _duration(seconds: float) -> str:
    minutes, seconds = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f"{hours} h {minutes:02d} min"
    return f"{minutes} min {seconds:02d} s" if minutes else f"{seconds} s"
