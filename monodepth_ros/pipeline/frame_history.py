# SPDX-License-Identifier: Apache-2.0
"""Recent frames, so that the pose network gets a pair with the spacing it was trained with."""

from collections import deque
from dataclasses import dataclass
from typing import Generic, TypeVar

Image = TypeVar("Image")


@dataclass(frozen=True)
class PastFrame(Generic[Image]):
    """A frame as the networks saw it."""

    stamp_ns: int
    image: Image


class FrameHistory(Generic[Image]):
    """The frames of the last moments, by stamp; at most `capacity` of them.

    interval: seconds between the two frames of a pair as the pose network was trained.
    """

    def __init__(self, interval: float, capacity: int = 32):
        self._interval_ns = int(interval * 1e9)
        self._frames: deque[PastFrame[Image]] = deque(maxlen=capacity)

    def clear(self) -> None:
        """Forget all frames (the stream broke)."""
        self._frames.clear()

    def add(self, stamp_ns: int, image: Image) -> None:
        """Append a frame; stamps must grow."""
        self._frames.append(PastFrame(stamp_ns, image))
        # The newest always stays; of the others those that a frame to come could still want.
        while len(self._frames) > 1 and stamp_ns - self._frames[1].stamp_ns >= self._interval_ns:
            self._frames.popleft()

    def partner(self, stamp_ns: int) -> PastFrame[Image] | None:
        """The earlier frame whose age is nearest to the trained interval, or None without one."""
        earlier = [frame for frame in self._frames if frame.stamp_ns < stamp_ns]
        return min(earlier, key=lambda frame: abs(stamp_ns - frame.stamp_ns - self._interval_ns), default=None)

    @property
    def newest(self) -> PastFrame[Image] | None:
        """The last frame added."""
        return self._frames[-1] if self._frames else None
