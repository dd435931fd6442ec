"""The thread that works on frames, so that the executor's stays free. The newest frame wins."""

import threading
from collections.abc import Callable
from typing import Generic, TypeVar

Item = TypeVar("Item")


class FrameWorker(Generic[Item]):
    """Calls `handle` with the newest item, one at a time; an item overtaken by a newer one is given to `replaced`.

    `handle` must not raise. There is no queue: at most one item waits.
    """

    def __init__(self, handle: Callable[[Item], None], replaced: Callable[[Item], None]):
        self._handle = handle
        self._replaced = replaced
        self._condition = threading.Condition()
        self._waiting: Item | None = None
        self._is_stopping = False
        self._thread = threading.Thread(target=self._run, name="frames", daemon=True)
        self._thread.start()

    def submit(self, item: Item) -> None:
        """Hand over the newest item; returns at once."""
        with self._condition:
            overtaken, self._waiting = self._waiting, item
            self._condition.notify()
        if overtaken is not None:
            self._replaced(overtaken)

    def stop(self, timeout: float = 5.0) -> bool:
        """Finish the item in work, drop the one that waits, end the thread; whether it has ended within timeout [s]."""
        with self._condition:
            self._is_stopping = True
            self._waiting = None
            self._condition.notify()
        self._thread.join(timeout)
        return not self._thread.is_alive()

    def _run(self) -> None:
        while True:
            with self._condition:
                self._condition.wait_for(lambda: self._is_stopping or self._waiting is not None)
                if self._is_stopping:
                    return
                item, self._waiting = self._waiting, None
            self._handle(item)
