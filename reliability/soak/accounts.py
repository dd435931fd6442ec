# SPDX-License-Identifier: Apache-2.0
"""The books of the images: every one that was sent has one fate, and they add up."""

from dataclasses import dataclass, field

from monodepth_ros.msg import DepthStatus
from monodepth_ros.ros.live.counters import DROP_CAUSES, LOST, PROCESSED, RECEIVED

FATES = (PROCESSED, *DROP_CAUSES)
PACED, UNPACED, UNCONNECTED = "paced", "unpaced", "unconnected"


def counts_of(status: DepthStatus) -> dict[str, int]:
    """The counts of a status by name."""
    return {name: int(getattr(status, name)) for name in (RECEIVED, *FATES, LOST)}


@dataclass
class Books:
    """Sums over the whole run.

    paced: images that were sent one by one, each after the answer to the one before. unpaced: those sent to a connected
    node without waiting, and unseen: those of them in neither of the node's counts, because a newer image replaced them
    in the middleware's queue of one. unconnected: images sent while no connection stood. totals: counts of the node by
    name. faults: what does not add up, in words.
    """

    paced: int = 0
    unpaced: int = 0
    unseen: int = 0
    unconnected: int = 0
    totals: dict[str, int] = field(default_factory=lambda: dict.fromkeys((RECEIVED, *FATES, LOST), 0))
    faults: list[str] = field(default_factory=list)
    _last: dict[str, int] = field(default_factory=lambda: dict.fromkeys((RECEIVED, *FATES, LOST), 0))

    def begin_anew(self) -> None:
        """The node counts from zero: it was configured."""
        self._last = dict.fromkeys(self._last, 0)

    def enter(self, what: str, sent: int | None, counts: dict[str, int], kind: str = PACED) -> dict[str, int]:
        """Enter the images sent since the last entry, with the node's counts at rest; the changes of the counts.

        sent: None if it is not known. kind: PACED, UNPACED or UNCONNECTED, if any of them was sent so.
        """
        change = {name: counts[name] - self._last[name] for name in counts}
        self._last = counts
        for name, number in change.items():
            self.totals[name] += number
        if min(change.values()) < 0:
            self.faults.append(f"{what}: a count went back: {_short(change)}")
        if change[RECEIVED] != sum(change[name] for name in FATES):
            self.faults.append(f"{what}: received differs from the sum of the fates: {_short(change)}")
        arrived = change[RECEIVED] + change[LOST]
        if sent is None:
            return change
        missing = sent - arrived
        if missing < 0 or (kind == PACED and missing):
            self.faults.append(f"{what}: {sent} images sent, {arrived} received or lost: {_short(change)}")
        if kind == PACED:
            self.paced += sent
        elif kind == UNPACED:
            self.unpaced += sent
            self.unseen += missing
        else:
            self.unconnected += sent
        return change


def _short(change: dict[str, int]) -> str:
    return ", ".join(f"{number} {name.removeprefix('frames_')}" for name, number in change.items() if number)
