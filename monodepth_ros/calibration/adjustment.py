# SPDX-License-Identifier: Apache-2.0
"""Bundle adjustment of several segments that share one lens (Levenberg-Marquardt)."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from monodepth_ros.calibration.lens import PARAMETERS, Lens
from monodepth_ros.calibration.lens_prior import LensPrior
from monodepth_ros.calibration.reconstruction import Structure
from monodepth_ros.calibration.reduction import Reduced, moved, reduce
from monodepth_ros.calibration.sightings import errors
from monodepth_ros.calibration.tracks import Segment

# Largest step of the lens's parameters in one iteration.
MAX_STEP = np.array([0.3, 60.0, 60.0, 0.3, 0.3, 0.02, 0.02, 0.1])
FIRST_DAMPING, LEAST_DAMPING, MOST_DAMPING = 1e-4, 1e-9, 1e4
CONVERGED = 0.02  # decrease of the cost, in units of half a squared standard deviation


@dataclass(frozen=True)
class Part:
    """A segment and its structure."""

    segment: Segment
    structure: Structure


@dataclass(frozen=True)
class Adjusted:
    """Lens and parts after the adjustment, with its cost in units of half a squared standard deviation."""

    lens: Lens
    parts: list[Part]
    cost: float

    def errors(self) -> np.ndarray:
        """Reprojection errors (K,) of all sightings [pixels]."""
        return np.concatenate([errors(part.segment, part.structure, self.lens) for part in self.parts])

    def equations(self, width: float) -> list[Reduced]:
        """Each segment's undamped equations of the lens, for a Cauchy loss of this width [pixels]."""
        return [reduce(part.segment, part.structure, self.lens, width, damping=0.0) for part in self.parts]


def adjust(
    parts: Sequence[Part], lens: Lens, prior: LensPrior, *, width: float, noise: float, iterations: int
) -> Adjusted:
    """Refine lens, poses and points together.

    width: of the Cauchy loss [pixels]. noise: standard deviation of a pixel, which weighs the sightings against the
    prior [pixels].
    """
    damping, free = FIRST_DAMPING, np.flatnonzero(prior.is_free)
    now = Adjusted(lens, list(parts), _cost(parts, lens, prior, width, noise))
    for _ in range(iterations):
        reduced = [reduce(part.segment, part.structure, now.lens, width, damping) for part in now.parts]
        information, gradient = prior.equations(now.lens)
        H = np.sum([equations.H for equations in reduced], axis=0) / noise**2 + information
        g = np.sum([equations.g for equations in reduced], axis=0) / noise**2 + gradient
        step = np.zeros(PARAMETERS)
        block = H[np.ix_(free, free)]
        step[free] = -np.linalg.solve(block + damping * np.diag(np.diag(block)), g[free])
        step *= min(1.0, float((MAX_STEP / np.maximum(np.abs(step), 1e-12)).min()))
        trial = [
            Part(part.segment, moved(part.structure, *equations.steps(step)))
            for part, equations in zip(now.parts, reduced)
        ]
        cost = _cost(trial, now.lens.moved(step), prior, width, noise)
        if cost < now.cost:
            is_done = now.cost - cost < CONVERGED
            now = Adjusted(now.lens.moved(step), trial, cost)
            damping = max(damping / 10.0, LEAST_DAMPING)
            if is_done:
                break
        else:
            damping *= 8.0
            if damping > MOST_DAMPING:
                break
    return now


def _cost(parts: Sequence[Part], lens: Lens, prior: LensPrior, width: float, noise: float) -> float:
    squared = [(errors(part.segment, part.structure, lens) / width) ** 2 for part in parts]
    return 0.5 * (width / noise) ** 2 * float(sum(np.log1p(each).sum() for each in squared)) + prior.cost(lens)
