# SPDX-License-Identifier: Apache-2.0
"""Problems of the moment: logged every few seconds, and shown in the diagnostics while they last."""

import threading
import time
from typing import NamedTuple

# A problem of one kind is logged at most once per this time, and shown for this long after it last occurred [s].
PERIOD = 5.0


class Problem(NamedTuple):
    """A problem: its last occurrence (steady clock [s]), its message, and whether outputs are lost by it."""

    time: float
    message: str
    is_error: bool


class Problems:
    """Warnings and errors by kind. Thread-safe."""

    def __init__(self, logger):
        self._logger = logger
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
            self._seen[kind] = Problem(now, message, is_error)
            is_due = now - self._logged.get(kind, -PERIOD) >= PERIOD
            if is_due:
                self._logged[kind] = now
        if is_due and is_error:
            self._logger.error(message)
        elif is_due:
            self._logger.warning(message)

    def forget(self, kind: str) -> None:
        """A problem of this kind has ended: do not show it any longer."""
        with self._lock:
            self._seen.pop(kind, None)

    def current(self) -> list[Problem]:
        """The problems of the last seconds, newest first."""
        now = time.monotonic()
        with self._lock:
            return sorted((item for item in self._seen.values() if now - item.time < PERIOD), reverse=True)
