# SPDX-License-Identifier: Apache-2.0
"""Recent frames, from which the pose network gets a pair with the spacing of its training."""

from collections import deque
from dataclasses import dataclass
from typing import Generic, TypeVar

Image = TypeVar("Image")


@dataclass(frozen=True)
class PastFrame(Generic[Image]):
    """A frame at the networks' input: its stamp and the engine's handle of it."""

    stamp_ns: int
    image: Image


class FrameHistory(Generic[Image]):
    """The most recent frames by stamp, at most `capacity` of them.

    interval: time between the two frames of a pair in the pose network's training [s].
    """

    def __init__(self, interval: float, capacity: int = 32):
        self._interval_ns = int(interval * 1e9)
        self._frames: deque[PastFrame[Image]] = deque(maxlen=capacity)

    def clear(self) -> None:
        """Forget all frames, after a break of the stream."""
        self._frames.clear()

    def add(self, stamp_ns: int, image: Image) -> None:
        """Append a frame; stamps must increase."""
        self._frames.append(PastFrame(stamp_ns, image))
        # Keep the newest frame, and older ones while they can still be the partner of a later frame.
        while len(self._frames) > 1 and stamp_ns - self._frames[1].stamp_ns >= self._interval_ns:
            self._frames.popleft()

    def partner(self, stamp_ns: int) -> PastFrame[Image] | None:
        """The earlier frame whose age is nearest to the trained interval, or None without one."""
        earlier = [frame for frame in self._frames if frame.stamp_ns < stamp_ns]
        return min(earlier, key=lambda frame: abs(stamp_ns - frame.stamp_ns - self._interval_ns), default=None)

    def __len__(self) -> int:
        return len(self._frames)

    @property
    def newest(self) -> PastFrame[Image] | None:
        """The last frame added."""
        return self._frames[-1] if self._frames else None
