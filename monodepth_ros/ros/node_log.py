# SPDX-License-Identifier: Apache-2.0
"""The log of a node: texts from outside made fit to print, and lines that may repeat limited by their cause."""

import threading
import time
from collections import deque
from collections.abc import Callable
from typing import Any
from weakref import WeakKeyDictionary

from monodepth_ros.foreign_text import safe_line

# Lines of one cause are at least this far apart [s].
PERIOD = 5.0
MOST_CAUSES = 1000


class _Limits:
    """When the causes of one node were last logged. Thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._logged: dict[str, deque[float]] = {}

    def admits(self, cause: str, most: int) -> bool:
        now = time.monotonic()
        with self._lock:
            if len(self._logged) >= MOST_CAUSES:  # a bound that causes of this package never reach
                self._logged = {name: times for name, times in self._logged.items() if now - times[-1] < PERIOD}
            times = self._logged.setdefault(cause, deque())
            while times and now - times[0] >= PERIOD:
                times.popleft()
            is_due = len(times) < most
            if is_due:
                times.append(now)
        return is_due


_limits: WeakKeyDictionary[Any, _Limits] = WeakKeyDictionary()


class NodeLog:
    """Logs whole lines, each through `safe_line`.

    cause: at most `most` lines of the same cause are logged within PERIOD, and more are left out; a line without a
    cause is always logged. A cause is a word of this package, never a text from outside, so that their number is
    bounded.
    """

    def __init__(self, logger: Any, limits: _Limits | None = None, camera: str = ""):
        self._logger, self._camera = logger, camera
        self._limits = limits or _Limits()

    def of_camera(self, name: str) -> "NodeLog":
        """The log of one camera, which has its name in front and causes of its own; this one without a name."""
        return NodeLog(self._logger.get_child(name), self._limits, name) if name else self

    def is_due(self, cause: str, most: int = 1) -> bool:
        """Whether a line of this cause may be logged now: it counts as logged."""
        return not cause or self._limits.admits(f"{self._camera}.{cause}", most)

    def info(self, text: str, cause: str = "", most: int = 1) -> None:
        if self.is_due(cause, most):
            self._logger.info(safe_line(text))

    def warning(self, text: str, cause: str = "", most: int = 1) -> None:
        if self.is_due(cause, most):
            self._logger.warning(safe_line(text))

    def error(self, text: str, cause: str = "", most: int = 1) -> None:
        if self.is_due(cause, most):
            self._logger.error(safe_line(text))

    def infos(self, cause: str) -> Callable[[str], None]:
        """A function that logs its text as information of this cause."""
        return lambda text: self.info(text, cause)

    def warnings(self, cause: str) -> Callable[[str], None]:
        """A function that logs its text as a warning of this cause."""
        return lambda text: self.warning(text, cause)


def node_log(node: Any) -> NodeLog:
    """The log of a node; every caller shares its causes."""
    return NodeLog(node.get_logger(), _limits.setdefault(node, _Limits()))
