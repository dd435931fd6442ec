# SPDX-License-Identifier: Apache-2.0
"""The best of several scale sources, and no jump when that changes."""

import dataclasses
import math
from collections.abc import Sequence

from monodepth_ros.odometry.scale.ground_plane import GroundPlane
from monodepth_ros.odometry.scale.source import (
    ScaleEstimate,
    ScaleSource,
    ScaleState,
    SeenDepth,
    SeenMotion,
)

# Another source takes over when its uncertainty is less than this share of the present one's.
CLEARLY_BETTER = 0.75
# Two factors this close (as a share) are the same.
ARRIVED = 0.005


class BestScale(ScaleSource):
    """Takes the source of least uncertainty among those that know a factor; the others follow along.

    A change of source is a slow one: the factor goes from the old value to the new source's with the time constant [s],
    and the state says CHANGING meanwhile. fallback: used until one of `sources` knows a factor, and no longer. previous: the
    scale in force before this one, used in place of the fallback.
    """

    def __init__(
        self,
        sources: Sequence[ScaleSource],
        time_constant: float,
        fallback: ScaleSource | None = None,
        previous: ScaleEstimate | None = None,
    ):
        self.sources = tuple(sources)
        self._time_constant = time_constant
        self.needs_depth = any(source.needs_depth for source in sources)
        self.needs_motion = any(source.needs_motion for source in sources)
        self._chosen: ScaleSource | None = None
        # The logarithm of (factor in force / factor of the chosen source), and when it was last reduced.
        self._offset = 0.0
        self._now_ns = 0
        has_previous = previous is not None and previous.is_metric and previous.is_known
        self._before = previous if has_previous else fallback.estimate() if fallback is not None else None
        self._in_force = self._before
        self._choose()

    @property
    def ground(self) -> GroundPlane | None:
        return next((source.ground for source in self.sources if source.ground is not None), None)

    def observe_depth(self, depth: SeenDepth) -> None:
        for source in self.sources:
            source.observe_depth(depth)
        self._advance(depth.stamp_ns)

    def observe_motion(self, motion: SeenMotion) -> None:
        for source in self.sources:
            source.observe_motion(motion)
        self._advance(motion.stop_ns)

    def estimate(self) -> ScaleEstimate:
        return self._in_force

    def _advance(self, stamp_ns: int) -> None:
        seconds = (stamp_ns - self._now_ns) * 1e-9 if self._now_ns else 0.0
        self._now_ns = stamp_ns
        if seconds > 0:
            self._offset *= math.exp(-seconds / self._time_constant)
        self._choose()

    def _choose(self) -> None:
        estimates = {source: source.estimate() for source in self.sources}
        known = {source: estimate for source, estimate in estimates.items() if estimate.is_known}
        if not known:
            self._wait(next(iter(estimates.values())))
            return
        best = min(known, key=lambda source: known[source].uncertainty)
        present = known.get(self._chosen)
        if present is not None and known[best].uncertainty > CLEARLY_BETTER * present.uncertainty:
            best = self._chosen
        estimate = known[best]
        if best is not self._chosen:
            if self._in_force is not None and self._in_force.is_known:
                self._offset = math.log(self._in_force.factor / estimate.factor)
            self._chosen = best
        if abs(self._offset) < ARRIVED:
            self._offset = 0.0
            self._in_force = estimate
            return
        self._in_force = dataclasses.replace(
            estimate,
            factor=estimate.factor * math.exp(self._offset),
            uncertainty=math.hypot(estimate.uncertainty, math.expm1(abs(self._offset))),
            description=f"{estimate.description}, {100 * math.expm1(self._offset):+.0f} % while it changes",
            state=ScaleState.CHANGING,
        )

    def _wait(self, waiting: ScaleEstimate) -> None:
        """No source knows a factor yet: the one before, or the fallback's; else none."""
        self._in_force = waiting
        if self._before is not None:
            description = f"{self._before.description}, until there is {waiting.description}"
            self._in_force = dataclasses.replace(self._before, description=description, state=ScaleState.WAITING)
