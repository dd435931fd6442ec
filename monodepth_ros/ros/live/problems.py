# SPDX-License-Identifier: Apache-2.0
"""Problems of the moment: each kind is logged at most once per PERIOD, and shown in the diagnostics for as long after
it last occurred."""

import threading
import time
from typing import NamedTuple

from monodepth_ros.foreign_text import safe_line
from monodepth_ros.ros.node_log import PERIOD, NodeLog


class Problem(NamedTuple):
    """A problem: its last occurrence (steady clock [s]), its message, and whether outputs are lost by it."""

    time: float
    message: str
    is_error: bool


class Problems:
    """Warnings and errors by kind, which is a word of this package and never a text from outside. Thread-safe."""

    def __init__(self, log: NodeLog):
        self._log = log
        self._lock = threading.Lock()
        self._seen: dict[str, Problem] = {}
        self._logged: dict[str, float] = {}

    def note(self, kind: str, message: str, is_error: bool = False, is_lasting: bool = False) -> None:
        """Note a problem that occurs now. `kind` identifies it while the figures in its message change.

        is_lasting: log it again only after it was away for PERIOD.
        """
        now = time.monotonic()
        with self._lock:
            before = self._seen.get(kind)
            if is_lasting and before is not None and now - before.time < PERIOD:
                self._logged[kind] = now
            self._seen[kind] = Problem(now, safe_line(message), is_error)
            is_due = now - self._logged.get(kind, -PERIOD) >= PERIOD
            if is_due:
                self._logged[kind] = now
        if is_due and is_error:
            self._log.error(message)
        elif is_due:
            self._log.warning(message)

    def note_refused_transform(self, line: str) -> None:
        """Note a transform that is passed over; each of a camera's look-ups says so."""
        self.note("refused transform", f"TF: {line}")

    def forget(self, kind: str) -> None:
        """A problem of this kind has ended: do not show it any longer."""
        with self._lock:
            self._seen.pop(kind, None)

    def current(self) -> list[Problem]:
        """The problems of the last seconds, newest first."""
        now = time.monotonic()
        with self._lock:
            return sorted((item for item in self._seen.values() if now - item.time < PERIOD), reverse=True)
