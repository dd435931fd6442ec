# SPDX-License-Identifier: Apache-2.0
"""The most certain of several scale sources, without a jump when that changes."""

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

# Another source takes over if its uncertainty is less than this share of the present one's.
CLEARLY_BETTER = 0.75
# Two factors that differ by less than this share are the same.
ARRIVED = 0.005


class BestScale(ScaleSource):
    """Uses the source with the least uncertainty among those that have a factor; all of them keep measuring.

    A change of source is gradual: the factor approaches the new source's with the time constant [s], in state CHANGING.
    fallback: used until one of `sources` has a factor. previous: the scale in force before this one, used instead of
    the fallback.
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
        self.needs_pairs = any(source.needs_pairs for source in sources)
        self._chosen: ScaleSource | None = None
        # Logarithm of (factor in force / factor of the chosen source), and the stamp to which it has been reduced.
        self._offset = 0.0
        self._now_ns = 0
        self._before = fallback.estimate() if fallback is not None else None
        if previous is not None and previous.is_metric and previous.is_known:
            self._before = previous
        self._in_force = self._choose(self._before)

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
        self._in_force = self._choose(self._in_force)

    def _choose(self, in_force: ScaleEstimate | None) -> ScaleEstimate:
        """The estimate of the best source, or one on the way to it from the estimate in force."""
        estimates = {source: source.estimate() for source in self.sources}
        known = {source: estimate for source, estimate in estimates.items() if estimate.is_known}
        if not known:
            return self._wait(next(iter(estimates.values())))
        best = min(known, key=lambda source: known[source].uncertainty)
        chosen = self._chosen
        if chosen in known and known[best].uncertainty > CLEARLY_BETTER * known[chosen].uncertainty:
            best = chosen
        estimate = known[best]
        if best is not chosen:
            if in_force is not None and in_force.is_known:
                self._offset = math.log(in_force.factor / estimate.factor)
            self._chosen = best
        if abs(self._offset) < ARRIVED:
            self._offset = 0.0
            return estimate
        return dataclasses.replace(
            estimate,
            factor=estimate.factor * math.exp(self._offset),
            uncertainty=math.hypot(estimate.uncertainty, math.expm1(abs(self._offset))),
            description=f"{estimate.description}, {100 * math.expm1(self._offset):+.0f} % while it changes",
            state=ScaleState.CHANGING,
        )

    def _wait(self, waiting: ScaleEstimate) -> ScaleEstimate:
        """The scale before, or the fallback, while no source has a factor."""
        if self._before is None:
            return waiting
        description = f"{self._before.description}, until there is {waiting.description}"
        return dataclasses.replace(self._before, description=description, state=ScaleState.WAITING)
