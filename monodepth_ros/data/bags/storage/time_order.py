# SPDX-License-Identifier: Apache-2.0
"""Several streams of messages as one in the order of time, each opened once its turn comes."""

import heapq
from collections.abc import Callable, Iterable, Iterator
from typing import Any

Stream = tuple[int, Callable[[], Iterator[Any]]]
"""No item of the stream is earlier than this time [ns]; opens it."""


def in_time_order(streams: Iterable[Stream]) -> Iterator[Any]:
    """Yield the items (time [ns], ...) of all streams by time, equal times in the order of the streams.

    streams: sorted by their times, each one's items too. A stream is opened when its time has come, so that of parts
    that follow one another only one is open.
    """
    waiting = enumerate(streams)
    order, upcoming = next(waiting, (0, None))
    active: list[tuple[int, int, Any, Iterator[Any]]] = []
    while active or upcoming is not None:
        while upcoming is not None and (not active or upcoming[0] <= active[0][0]):
            items = iter(upcoming[1]())
            item = next(items, None)
            if item is not None:
                heapq.heappush(active, (item[0], order, item, items))
            order, upcoming = next(waiting, (0, None))
        if not active:
            continue
        _, place, item, items = active[0]
        yield item
        item = next(items, None)
        if item is None:
            heapq.heappop(active)
        else:
            heapq.heapreplace(active, (item[0], place, item, items))
