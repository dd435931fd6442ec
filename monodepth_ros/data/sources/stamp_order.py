# SPDX-License-Identifier: Apache-2.0
"""Images in the order of their stamps, though they may have arrived in another."""

from collections.abc import Iterable, Iterator
from typing import NamedTuple

import numpy as np

from monodepth_ros.data.bags.recording import RawMessage
from monodepth_ros.data.sources.bag_images import RecordedImage
from monodepth_ros.errors import MonodepthError

# Number of images that are held to be sorted. Drivers with several threads swap neighbours.
HELD = 5
# Stamps this far apart, or this number of intervals, do not belong to one run of the camera [ns].
REACH_NS, REACH_INTERVALS = 2_000_000_000, 3 * HELD


class _Held(NamedTuple):
    """An image, and the messages of other topics that arrived since the image before it."""

    image: RecordedImage
    before: list[RawMessage]


class StampOrder:
    """Sorts images by stamp among their neighbours, and leaves out single ones whose stamp lies far from theirs.

    A step of the clock, forward or back, that later images follow stays as it is: it begins a new run. Messages of
    other topics keep their place before the image that they arrived before. Images are numbered as they come out.

    sorted_count: images that came out earlier than they arrived. strays: stamps [ns] of the images left out.
    """

    def __init__(self) -> None:
        self.sorted_count = 0
        self.strays: list[int] = []
        self._count = 0
        self._held: list[_Held] = []
        self._last_ns: int | None = None

    def __call__(self, items: Iterable[RecordedImage | RawMessage]) -> Iterator[RecordedImage | RawMessage]:
        """Yield the items in order, in one pass. An error of `items` comes after the images before it."""
        others: list[RawMessage] = []
        damage: MonodepthError | None = None
        try:
            for item in items:
                if not isinstance(item, RecordedImage):
                    others.append(item)
                    continue
                self._held.append(_Held(item, others))
                others = []
                if len(self._held) > HELD:
                    yield from self._next()
        except MonodepthError as error:
            damage = error
        while self._held:
            yield from self._next()
        if damage is not None:
            raise damage
        yield from others

    def _next(self) -> Iterator[RecordedImage | RawMessage]:
        """The next image with what belongs before it; nothing if strays were left out."""
        stamps = np.array([held.image.stamp_ns for held in self._held], np.int64)
        near = self._near(stamps)
        strays = self._strays(stamps, near)
        if strays:
            for i in reversed(strays):
                self._leave_out(i)
            return
        choice = int(np.argmin(np.where(near, stamps, np.iinfo(np.int64).max)))
        if self._last_ns is not None and stamps[choice] < self._last_ns:
            choice = 0  # a small step of the clock
        self.sorted_count += choice > 0
        self._last_ns = int(stamps[choice])
        before = [message for held in self._held[: choice + 1] for message in held.before]
        for held in self._held[: choice + 1]:
            held.before.clear()
        yield from before
        yield self._held.pop(choice).image._replace(index=self._count)
        self._count += 1

    def _strays(self, stamps: np.ndarray, near: np.ndarray) -> list[int]:
        """Indices of held images that neither belong to the run nor begin another: far from it, or too late."""
        far = [i for i in range(len(near)) if not near[i] and near[i:].any()]
        if far and len(far) <= near[far[0] :].sum():
            return far
        is_late = self._last_ns is not None and near[0] and stamps[0] < self._last_ns
        goes_on = len(stamps) > 1 and (stamps[1:] >= self._last_ns).all() if is_late else False
        return [0] if goes_on else []

    def _near(self, stamps: np.ndarray) -> np.ndarray:
        """Which of the held images belong to the present run (N,) bool; a new one begins if none does."""
        intervals = np.abs(np.diff(stamps))
        reach = max(REACH_NS, REACH_INTERVALS * int(np.median(intervals)) if len(intervals) else 0)
        if self._last_ns is not None:
            near = np.abs(stamps - self._last_ns) <= reach
            if near.any():
                return near
            self._last_ns = None
        return np.abs(stamps - np.int64(np.sort(stamps)[(len(stamps) - 1) // 2])) <= reach

    def _leave_out(self, index: int) -> None:
        """Drop a held image; what arrived before it belongs to the next one."""
        stray = self._held.pop(index)
        self.strays.append(stray.image.stamp_ns)
        if index < len(self._held):
            self._held[index].before[:0] = stray.before
