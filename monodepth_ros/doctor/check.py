# SPDX-License-Identifier: Apache-2.0
"""One line of the doctor: what was looked at, what was found, and what to do about it."""

from collections.abc import Iterable, Iterator
from enum import Enum
from pathlib import Path
from typing import NamedTuple

from monodepth_ros.errors import typed_line
from monodepth_ros.foreign_text import safe_line


class Level(Enum):
    """How good what was found is."""

    OK = "ok"
    NOTE = "note"  # works, and something optional is missing
    WARNING = "warning"  # works, but slower, or something gets lost
    ERROR = "error"  # something that this package needs does not work


class Check(NamedTuple):
    """What was found about a subject. remedy: what to do; empty where nothing is to be done."""

    subject: str
    level: Level
    found: str
    remedy: str = ""

    @property
    def line(self) -> str:
        """The check on one line, fit to be pasted into a report: without control characters and the user's name."""
        text = f"{self.found}; {self.remedy}" if self.remedy else self.found
        return f"{self.level.value:<8}{self.subject:<23} {without_home(safe_line(text))}"


def without_home(text: str) -> str:
    """The text with ~ for the user's home folder."""
    home = str(Path.home()) if _has_home() else ""
    return text.replace(home, "~") if len(home) > 1 else text


def guarded(subject: str, checks: Iterable[Check]) -> Iterator[Check]:
    """The checks; what one of them raises becomes a line, and ends those of this subject alone."""
    try:
        yield from checks
    except Exception as error:  # whatever is broken on this machine is what the doctor is there to show
        yield Check(subject, Level.ERROR, f"cannot be examined: {typed_line(error)}", "please report this line")


def _has_home() -> bool:
    try:
        return Path.home().is_absolute()
    except RuntimeError:  # neither HOME nor an entry for this user
        return False
