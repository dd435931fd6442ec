# SPDX-License-Identifier: Apache-2.0
"""Progress of long jobs on standard error: a line that is redrawn on a terminal, plain lines now and then elsewhere.

One kind of bar serves every verb: `Progress` counts, `ReadingProgress` and `StepProgress` are called by the jobs, and
`stage` says what is done before there is something to count. This module imports nothing heavy, so that the first line
can be shown before PyTorch is imported.
"""

import math
import shutil
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Protocol, TextIO, TypeVar

BAR = 28  # characters
STAGE_DELAY, STAGE_PERIOD = 0.2, 1.0  # seconds before a stage is shown, and between its updates
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
            # A line that wraps could not be redrawn.
            text = text[: shutil.get_terminal_size().columns - 1]
            self._print(f"\r{text:<{self._width}}")
            self._width = len(text)
        elif math.isfinite(self._period):
            self._print(f"{text}\n")

    def clear(self) -> None:
        """Remove the line from a terminal."""
        if self._width:
            self._print(f"\r{'':<{self._width}}\r")
        self._width = 0

    def end(self) -> None:
        """Finish the line, so that the next output begins on a new one."""
        if self._width:
            self._print("\n")
        self._width = 0

    def _print(self, text: str) -> None:
        with suppress(OSError, ValueError):  # a terminal that has gone, or a full disk, must not end the work
            print(text, end="", file=self._stream, flush=True)

    def __enter__(self: Line) -> Line:
        return self

    def __exit__(self, *_: object) -> None:
        self.end()


class Progress:
    """Units done, units per second and time left; on a terminal with a bar, from the start. A context manager.

    total: number of units to come, None if unknown. unit: the name of what is counted. task: what is done, '' for none.
    """

    def __init__(self, total: float | None, line: ProgressLine | None = None, unit: str = "frames", task: str = ""):
        self._total, self._line, self._unit, self._task = total, line or ProgressLine(), unit, task
        self._began = time.monotonic()
        self._first: float = 0
        self._shown: float | None = None
        self.count: float = 0

    @property
    def is_on_terminal(self) -> bool:
        """Whether the line is redrawn in place."""
        return self._line.is_terminal

    @property
    def rate(self) -> float:
        """Units per second since the beginning."""
        return (self.count - self._first) / max(time.monotonic() - self._began, 1e-9)

    def begin(self, count: float = 0) -> None:
        """Show the line for the first time; count: what an earlier call has done already."""
        self.count = self._first = count
        if self._line.is_terminal:
            self._line.show(self._text())

    def step(self) -> None:
        """Count one more unit."""
        self.at(self.count + 1)

    def at(self, count: float, total: float | None = None, note: str = "") -> None:
        """Show the count, if the line is due. total: a better one than before. note: printed behind it."""
        self.count, self._total = count, total or self._total
        if self._line.is_due:
            self._line.show(self._text() + note)
            self._shown = count

    def say(self, text: str) -> None:
        """Show what keeps the next unit waiting; the count follows on the same line of a terminal."""
        self._line.show(text)

    def end(self) -> None:
        """Show the last count and finish the line."""
        if self.count not in (self._shown, self._first):
            self._line.show(self._text())
        self._line.end()

    def close(self) -> None:
        """Finish the line as it is."""
        self._line.end()

    def __enter__(self) -> "Progress":
        self.begin()
        return self

    def __exit__(self, *_: object) -> None:
        self.end()

    def _text(self) -> str:
        # A total that was an estimate may turn out too small.
        total = self._total if self._total and self.count <= self._total else None
        number = _number(self.count)
        text = f"{number}/{_number(total)} {self._unit}" if total else f"{number} {self._unit}"
        if self.count > self._first:
            text += f", {self.rate:.1f} {self._unit}/s"
        if total and self._first < self.count < total:
            text += f", {_duration((total - self.count) / self.rate)} left"
        if total and self._line.is_terminal:
            filled = int(BAR * self.count / total)
            text = f"[{'#' * filled}{'.' * (BAR - filled)}] {text}"
        return f"{self._task} {text}" if self._task else text


class ReadingProgress:
    """Progress of passes over recordings, called with (what is done, frames done, all frames or None)."""

    def __init__(self) -> None:
        self._task, self._progress = "", Progress(None)

    def __call__(self, task: str, count: int, total: int | None) -> None:
        if task != self._task:
            self._end()
            # Without the folders, which would leave no room for the bar.
            shown = " ".join(Path(word).name or word for word in task.split(" "))
            self._task, self._progress = task, Progress(total, ProgressLine(line_period=2.0), task=shown)
            self._progress.begin()
        self._progress.at(count, total)

    def _end(self) -> None:
        # Elsewhere than on a terminal only passes that take long leave a line.
        if self._task and self._progress.is_on_terminal:
            self._progress.end()

    def __enter__(self) -> "ReadingProgress":
        return self

    def __exit__(self, *_: object) -> None:
        self._end()


class TrainingStep(Protocol):
    """What `StepProgress` shows of a training (`training.progress.TrainingProgress`)."""

    step: int
    steps: int
    epoch: int
    loss: float
    samples_per_second: float
    waiting: float


class StepProgress:
    """Progress of a training, called after each step. is_shown: False for silence."""

    def __init__(self, is_shown: bool = True):
        self._is_shown = is_shown
        self._progress: Progress | None = None
        self._preparing = ExitStack()

    def prepare(self) -> None:
        """Show that the training is about to begin: a validation before the first step can take long."""
        if self._is_shown:
            self._preparing.enter_context(stage("validating before the first step"))

    def __call__(self, training: TrainingStep) -> None:
        if not self._is_shown:
            return
        self._preparing.close()
        if self._progress is None:
            self._progress = Progress(training.steps, ProgressLine(0.2, line_period=10.0), unit="steps")
            self._progress.begin(training.step - 1)
        loss = f"{training.loss:.4f}" if math.isfinite(training.loss) else "not finite"
        self._progress.at(
            training.step,
            note=f", epoch {training.epoch + 1}, loss {loss}, {training.samples_per_second:.1f} samples/s,"
            f" {100 * training.waiting:.0f} % waiting for data",
        )

    def __enter__(self) -> "StepProgress":
        return self

    def __exit__(self, *_: object) -> None:
        self._preparing.close()
        if self._progress is not None:
            self._progress.close()


@contextmanager
def stage(text: str, stream: TextIO | None = None) -> Iterator[None]:
    """Show on a terminal what is done, with the seconds so far, until the block ends; the line is removed then."""
    line = ProgressLine(draw_period=0.0, line_period=math.inf, stream=stream)
    if not line.is_terminal:
        yield
        return
    ended, began = threading.Event(), time.monotonic()

    def tick() -> None:
        wait = STAGE_DELAY
        while not ended.wait(wait):
            seconds = time.monotonic() - began
            line.show(f"{text} ..." + (f" {seconds:.0f} s" if seconds >= 1 else ""))
            wait = STAGE_PERIOD

    thread = threading.Thread(target=tick, name="stage", daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()
        line.clear()


def _number(value: float) -> str:
    return f"{value:.1f}" if isinstance(value, float) else str(value)


def _duration(seconds: float) -> str:
    minutes, seconds = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f"{hours} h {minutes:02d} min"
    return f"{minutes} min {seconds:02d} s" if minutes else f"{seconds} s"
