# SPDX-License-Identifier: Apache-2.0
"""Frames decoded in a second thread while the caller works on earlier ones."""

import threading
from collections.abc import Iterable, Iterator
from queue import Empty, Full, Queue
from typing import TypeVar

Item = TypeVar("Item")

_PATIENCE = 0.1  # seconds after which a waiting thread checks whether it should end


def read_ahead(items: Iterable[Item], count: int = 3) -> Iterator[Item]:
    """Yield the items in order, up to `count` of them taken in advance. Errors of `items` are raised in their place."""
    queue: Queue = Queue(count)
    ended = threading.Event()

    def put(content: tuple) -> bool:
        while not ended.is_set():
            try:
                queue.put(content, timeout=_PATIENCE)
                return True
            except Full:
                continue
        return False

    def read() -> None:
        try:
            for item in items:
                if not put((item, None)):
                    return
            put((None, None))
        except BaseException as error:  # raised again in the caller's thread
            put((None, error))

    thread = threading.Thread(target=read, name="read ahead", daemon=True)
    thread.start()
    try:
        while True:
            try:
                item, error = queue.get(timeout=_PATIENCE)
            except Empty:
                continue
            if error is not None:
                raise error
            if item is None:
                return
            yield item
    finally:
        ended.set()
        thread.join()
