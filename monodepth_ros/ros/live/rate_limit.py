# SPDX-License-Identifier: Apache-2.0
"""A limit to the rate of frames, which holds none of them back."""

# A frame may be early by this share of the period: cameras do not keep their time exactly.
EARLY = 0.25


class RateLimit:
    """Lets pass at most `rate` frames per second on average, each at the moment it arrives or never."""

    def __init__(self) -> None:
        self._due = float("-inf")

    def admits(self, time: float, rate: float) -> bool:
        """Whether the frame that arrives now is to be processed. time [s]; rate [Hz]: 0 for no limit."""
        if rate <= 0:
            return True
        period = 1.0 / rate
        # A turn further ahead than a period belongs to an earlier, lower rate.
        if EARLY * period < self._due - time <= (1.0 + EARLY) * period:
            return False
        # Counted from turn to turn and not from frame to frame, else 20 Hz of a 30 Hz camera would become 15 Hz.
        following = self._due + period
        self._due = following if time < following <= time + (1.0 + EARLY) * period else time + period
        return True
