"""What is wrong at the moment: logged now and then, shown in the diagnostics while it lasts."""

import threading
import time

# A complaint of one kind is logged at most this often, and shown for this long after it was last true [s].
PERIOD = 5.0


class Complaints:
    """Warnings by kind. Safe for use by several threads."""

    def __init__(self, logger):
        self._logger = logger
        self._lock = threading.Lock()
        self._seen: dict[str, tuple[float, str]] = {}
        self._logged: dict[str, float] = {}

    def note(self, kind: str, message: str) -> None:
        """Something is wrong now; `kind` stays the same while the figures in the message change."""
        now = time.monotonic()
        with self._lock:
            self._seen[kind] = now, message
            is_due = now - self._logged.get(kind, -PERIOD) >= PERIOD
            if is_due:
                self._logged[kind] = now
        if is_due:
            self._logger.warning(message)

    def current(self) -> list[str]:
        """What was wrong within the last seconds, the newest first."""
        now = time.monotonic()
        with self._lock:
            recent = sorted((item for item in self._seen.values() if now - item[0] < PERIOD), reverse=True)
        return [message for _, message in recent]
