# SPDX-License-Identifier: Apache-2.0
"""Single samples that do not continue a series: a wrong stamp, a spike, a jump of a pose."""

from collections.abc import Callable
from typing import Generic, TypeVar

Sample = TypeVar("Sample")

# After this many odd samples in a row that do not continue each other either, the newest begins the series anew.
MOST_ODD = 3


class OddSamples(Generic[Sample]):
    """Holds back a sample that does not continue its series, until the next one decides.

    If the next one continues the series, the odd sample was a single wrong one and is passed over. If it continues the
    odd sample, a new series has begun there, and both are used: nothing of it is lost. against: why the second of two
    samples does not continue the first, in plain words; '' if it does.
    """

    def __init__(self, against: Callable[[Sample, Sample], str]):
        self._against = against
        self.forget()

    def forget(self) -> None:
        """Begin with the next sample."""
        self._last: Sample | None = None
        self._odd: Sample | None = None
        self._reason = ""
        self._count = 0

    def admit(self, sample: Sample) -> tuple[list[Sample], str]:
        """The samples to use now, in their order, and why an earlier one was a single wrong one ('' for none)."""
        last, odd, passed_over = self._last, self._odd, self._reason
        reason = "" if last is None else self._against(last, sample)
        if not reason:
            return self._use([sample]), passed_over
        if odd is not None and not self._against(odd, sample):
            return self._use([odd, sample]), ""
        self._count += 1
        if self._count >= MOST_ODD:
            return self._use([sample]), ""
        self._odd, self._reason = sample, reason
        return [], ""

    def _use(self, samples: list[Sample]) -> list[Sample]:
        self._last, self._odd, self._reason, self._count = samples[-1], None, "", 0
        return samples
