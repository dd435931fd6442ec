# SPDX-License-Identifier: Apache-2.0
"""The thread that works on frames, so that the executor's stays free; each camera's newest frame wins."""

import threading
from collections.abc import Callable
from typing import Generic, TypeVar

Source = TypeVar("Source")
Item = TypeVar("Item")


class FrameWorker(Generic[Source, Item]):
    """Calls `handle` with the newest item of every source that has one, as soon as any has.

    `handle` must not raise. There is no queue: at most one item of a source waits; one replaced by a newer
    one is given to `replaced`. No source waits for another, and each that waits is in the next call.
    """

    def __init__(
        self,
        handle: Callable[[dict[Source, Item]], None],
        replaced: Callable[[Source, Item], None],
        name: str = "frames",
    ):
        self._handle = handle
        self._replaced = replaced
        self._condition = threading.Condition()
        self._waiting: dict[Source, Item] = {}
        self._is_stopping = False
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)
        self._thread.start()

    def submit(self, source: Source, item: Item) -> None:
        """Hand over a source's newest item; returns at once."""
        with self._condition:
            replaced = self._waiting.get(source)
            self._waiting[source] = item
            self._condition.notify()
        if replaced is not None:
            self._replaced(source, replaced)

    def stop(self, timeout: float = 5.0) -> bool:
        """Finish what is in work, drop what waits, end the thread; whether it has ended within timeout [s]."""
        with self._condition:
            self._is_stopping = True
            self._waiting = {}
            self._condition.notify()
        self._thread.join(timeout)
        return not self._thread.is_alive()

    def _run(self) -> None:
        while True:
            with self._condition:
                self._condition.wait_for(lambda: self._is_stopping or self._waiting)
                if self._is_stopping:
                    return
                items, self._waiting = self._waiting, {}
            self._handle(items)
