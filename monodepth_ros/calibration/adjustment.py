# SPDX-License-Identifier: Apache-2.0
"""Bundle adjustment of several segments that share one lens (Levenberg-Marquardt)."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from monodepth_ros.calibration.lens import PARAMETERS, Lens
from monodepth_ros.calibration.reconstruction import Structure
from monodepth_ros.calibration.reduction import Reduced, moved, reduce
from monodepth_ros.calibration.sightings import errors
from monodepth_ros.calibration.tracks import Segment

MAX_STEP = np.array([0.3, 60.0, 60.0, 0.3, 0.3])  # largest step of log f, cx, cy, k1, k2 in one iteration
CONVERGED = 0.02  # decrease of the cost, in units of half a squared standard deviation


@dataclass(frozen=True)
class Prior:
    """Expectations of the lens before any image: mean and standard deviation (5,) of log f, cx, cy, k1, k2.

    A deviation of 0 fixes the parameter; an infinite one is no prior.
    """

    mean: np.ndarray
    sigma: np.ndarray

    @property
    def is_free(self) -> np.ndarray:
        return self.sigma > 0

    def equations(self, lens: Lens) -> tuple[np.ndarray, np.ndarray]:
        """Information (5, 5) and gradient (5,) at a lens."""
        information = np.where(self.is_free, 1.0 / np.maximum(self.sigma, 1e-12) ** 2, 0.0)
        return np.diag(information), information * (parameters(lens) - self.mean)

    def cost(self, lens: Lens) -> float:
        _, gradient = self.equations(lens)
        return 0.5 * float(gradient @ (parameters(lens) - self.mean))


@dataclass(frozen=True)
class Adjusted:
    """Lens and structures after the adjustment, its cost, and the last equations of each segment in pixels."""

    lens: Lens
    structures: list[Structure]
    cost: float
    reduced: list[Reduced]


def parameters(lens: Lens) -> np.ndarray:
    """log f, cx, cy, k1, k2 (5,)."""
    return np.array([np.log(lens.focal), lens.cx, lens.cy, lens.k1, lens.k2])


def adjust(
    segments: Sequence[Segment],
    structures: Sequence[Structure],
    lens: Lens,
    prior: Prior,
    *,
    width: float,
    noise: float,
    iterations: int,
) -> Adjusted:
    """Refine lens, poses and points together.

    width: of the Cauchy loss [pixels]. noise: standard deviation of a pixel, which weighs the sightings against the
    prior [pixels].
    """
    structures, damping = list(structures), 1e-4
    free = np.flatnonzero(prior.is_free)

    def cost_of(lens: Lens, structures: Sequence[Structure]) -> float:
        parts = (_robust_cost(errors(*pair, lens), width) for pair in zip(segments, structures))
        return sum(parts) / noise**2 + prior.cost(lens)

    cost = cost_of(lens, structures)
    for _ in range(iterations):
        reduced = [reduce(*pair, lens, width, damping) for pair in zip(segments, structures)]
        information, gradient = prior.equations(lens)
        H = sum(part.H for part in reduced) / noise**2 + information
        g = sum(part.g for part in reduced) / noise**2 + gradient
        step = np.zeros(PARAMETERS)
        block = H[np.ix_(free, free)]
        step[free] = -np.linalg.solve(block + np.diag((damping + 1e-12) * np.diag(block)), g[free])
        step *= min(1.0, float((MAX_STEP / np.maximum(np.abs(step), 1e-12)).min()))
        trial_lens = lens.moved(step)
        trial = [moved(structure, *part.steps(step)) for structure, part in zip(structures, reduced)]
        trial_cost = cost_of(trial_lens, trial)
        if trial_cost < cost:
            is_done = cost - trial_cost < CONVERGED
            lens, structures, cost = trial_lens, trial, trial_cost
            damping = max(damping / 10.0, 1e-9)
            if is_done:
                break
        else:
            damping *= 8.0
            if damping > 1e4:
                break
    reduced = [reduce(*pair, lens, width, 0.0) for pair in zip(segments, structures)]
    return Adjusted(lens, structures, cost, reduced)


def _robust_cost(error: np.ndarray, width: float) -> float:
    return 0.5 * width**2 * float(np.log1p((error / width) ** 2).sum())
