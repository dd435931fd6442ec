# SPDX-License-Identifier: Apache-2.0
"""How far a long verb has come, on standard error."""

import sys
import time

BAR = 28
# Seconds between lines where standard error is no terminal, and between redraws where it is.
LINE_PERIOD, DRAW_PERIOD = 5.0, 0.1


class Progress:
    """A bar with frames per second and time left on a terminal, plain lines now and then elsewhere.

    total: how many frames there will be, None if nobody knows.
    """

    def __init__(self, total: int | None, stream=None):
        self._total = total
        self._stream = stream or sys.stderr
        self._is_terminal = self._stream.isatty()
        self._began = self._said = time.monotonic()
        self._width = 0
        self.count = 0

    @property
    def rate(self) -> float:
        """Frames per second since the beginning."""
        return self.count / max(time.monotonic() - self._began, 1e-9)

    def step(self) -> None:
        """One more frame."""
        self.count += 1
        now = time.monotonic()
        if now - self._said >= (DRAW_PERIOD if self._is_terminal else LINE_PERIOD):
            self._said = now
            self._say()

    def end(self) -> None:
        """The last word."""
        if self.count:
            self._say()
        if self._is_terminal:
            print(file=self._stream)

    def _say(self) -> None:
        text = f"{self.count} frames"
        if self._total:
            text = f"{self.count}/{self._total} frames"
        text += f", {self.rate:.1f} frames/s"
        if self._total and self.count < self._total:
            text += f", {_duration((self._total - self.count) / self.rate)} left"
        if not self._is_terminal:
            print(text, file=self._stream, flush=True)
            return
        if self._total:
            filled = min(BAR, BAR * self.count // self._total)
            text = f"[{'#' * filled}{'.' * (BAR - filled)}] {text}"
        print(f"\r{text:<{self._width}}", end="", file=self._stream, flush=True)
        self._width = len(text)


def _duration(seconds: float) -> str:
    minutes, seconds = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f"{hours} h {minutes:02d} min"
    return f"{minutes} min {seconds:02d} s" if minutes else f"{seconds} s"
