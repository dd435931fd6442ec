# SPDX-License-Identifier: Apache-2.0
"""A thread that processes each camera's newest frame, so that the executor's thread stays free."""

import threading
from collections.abc import Callable
from typing import Generic, TypeVar

Source = TypeVar("Source")
Item = TypeVar("Item")


class FrameWorker(Generic[Source, Item]):
    """Call `handle` with the newest item of every source that has one, as soon as any source has one.

    `handle` must not raise. There is no queue: each source has at most one waiting item, and an item that a newer one
    replaces goes to `replaced`. No source waits for another, and all waiting items are in the next call. dropped: gets
    the items that still wait at the end.
    """

    def __init__(
        self,
        handle: Callable[[dict[Source, Item]], None],
        replaced: Callable[[Source, Item], None],
        name: str = "frames",
        dropped: Callable[[Source, Item], None] = lambda source, item: None,
    ):
        self._handle = handle
        self._replaced = replaced
        self._dropped = dropped
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
        """Finish the current call, drop waiting items and end the thread; whether it ended within timeout [s]."""
        with self._condition:
            self._is_stopping = True
            waiting, self._waiting = self._waiting, {}
            self._condition.notify()
        for source, item in waiting.items():
            self._dropped(source, item)
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
