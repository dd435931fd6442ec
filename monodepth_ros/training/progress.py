# SPDX-License-Identifier: Apache-2.0
"""Speed of a training and the time it still needs."""

import math
import time
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class TrainingProgress:
    """State of a training after a step.

    loss: of the last step with a finite loss, NaN before the first. waiting: share of the time spent waiting for data.
    seconds_left: time to the last step at the speed so far [s].
    """

    step: int
    steps: int
    epoch: int
    loss: float
    samples_per_second: float
    waiting: float
    seconds_left: float


class ProgressMeter:
    """Measures a training from the step at which this process starts it.

    steps: number of the last step. samples_per_step: over all processes. window: steps that the mean loss covers.
    """

    def __init__(self, step: int, steps: int, samples_per_step: int, waited: float, window: int):
        self._first, self._steps, self._samples = step, steps, samples_per_step
        self._began, self._waited = time.monotonic(), waited
        self._losses: deque[float] = deque(maxlen=window)

    @property
    def seconds(self) -> float:
        """Time since the start [s]."""
        return time.monotonic() - self._began

    @property
    def mean_loss(self) -> float:
        """Mean loss over the window; NaN if no step in it had a finite loss."""
        return sum(self._losses) / len(self._losses) if self._losses else math.nan

    def after(self, step: int, epoch: int, terms: Mapping[str, float], waited: float) -> TrainingProgress:
        """Record a step. terms: the loss's parts with their 'total', empty for a skipped step. waited: seconds that the
        loader has waited for data so far."""
        if terms:
            self._losses.append(terms["total"])
        seconds = self.seconds
        per_step = seconds / (step - self._first)
        return TrainingProgress(
            step=step,
            steps=self._steps,
            epoch=epoch,
            loss=self._losses[-1] if self._losses else math.nan,
            samples_per_second=self._samples / per_step,
            waiting=(waited - self._waited) / max(seconds, 1e-9),
            seconds_left=(self._steps - step) * per_step,
        )
