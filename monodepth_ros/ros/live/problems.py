# SPDX-License-Identifier: Apache-2.0
"""What is wrong at the moment: logged now and then, shown in the diagnostics while it lasts."""

import threading
import time
from typing import NamedTuple

# A problem of one kind is logged at most this often, and shown for this long after it was last true [s].
PERIOD = 5.0


class Problem(NamedTuple):
    """When something was last wrong (steady clock [s]), what it is, and whether it costs outputs."""

    time: float
    message: str
    is_error: bool


class Problems:
    """Warnings and errors by kind. Safe for use by several threads."""

    def __init__(self, logger):
        self._logger = logger
        self._lock = threading.Lock()
        self._seen: dict[str, Problem] = {}
        self._logged: dict[str, float] = {}

    def note(self, kind: str, message: str, is_error: bool = False) -> None:
        """Something is wrong now; `kind` stays the same while the figures in the message change."""
        now = time.monotonic()
        with self._lock:
            self._seen[kind] = Problem(now, message, is_error)
            is_due = now - self._logged.get(kind, -PERIOD) >= PERIOD
            if is_due:
                self._logged[kind] = now
        if is_due and is_error:
            self._logger.error(message)
        elif is_due:
            self._logger.warning(message)

    def current(self) -> list[Problem]:
        """What was wrong within the last seconds, the newest first."""
        now = time.monotonic()
        with self._lock:
            return sorted((item for item in self._seen.values() if now - item.time < PERIOD), reverse=True)
