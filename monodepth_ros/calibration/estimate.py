# SPDX-License-Identifier: Apache-2.0
"""The lens of a recording from its tracked segments, and how far it is known."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from monodepth_ros.calibration.adjustment import Adjusted, Part, adjust
from monodepth_ros.calibration.lens import PARAMETERS, RADIAL, Lens
from monodepth_ros.calibration.lens_prior import LensPrior, lens_prior
from monodepth_ros.calibration.patch_alignment import align
from monodepth_ros.calibration.reconstruction import reconstruct
from monodepth_ros.calibration.sightings import errors, sizes
from monodepth_ros.calibration.tracks import Segment
from monodepth_ros.errors import MonodepthError

STARTS = np.radians((40.0, 60.0, 85.0, 110.0))  # fields of view that are tried first
TRIED = 3  # number of segments for the trials
TRIAL_POINTS = 150  # number of points of a segment in the trials
# Number of points of a segment in each round of reconstruction, alignment and adjustment. A round begins with the lens
# of the one before.
ROUNDS = (300, 900)
MIN_POINTS = 30  # of a segment
FLOW_NOISE = 0.3  # of a pixel found by optical flow [pixels]
LEAST_NOISE = 0.03  # [pixels]
ROBUST_WIDTH = 2.5  # width of the Cauchy loss, in standard deviations
OUTLIER = 5.0  # RMS error beyond which a point is dropped, in standard deviations
MEDIAN_OF_RAYLEIGH = 1.1774  # median distance of a two-dimensional error, in its standard deviations
# Errors of neighbouring points agree, and the statistics of single points do not see it. On synthetic drives the focal
# length's error was this many times the standard deviation that the points' scatter gives.
INFLATION = 3.0
LEAST_FOCAL_SIGMA = 0.005  # relative: rolling shutter, lenses that no radial polynomial describes
SIGNIFICANT = 3.0  # distance of a radial term from 0, in standard deviations, above which it is kept


class CalibrationFailed(MonodepthError):
    """Tracks that do not give any lens."""


@dataclass(frozen=True)
class Estimate:
    """A lens and its uncertainty.

    sigma: standard deviations (8,) of the lens's parameters; 0 where one was not estimated. terms: number of
    radial terms estimated. error: median reprojection error [pixels]. keyframes, points, sightings: numbers of those
    used. turn: largest rotation from the beginning of a segment to its end [rad].
    """

    lens: Lens
    sigma: np.ndarray
    terms: int
    error: float
    keyframes: int
    points: int
    sightings: int
    turn: float

    def resized(self, width: int, height: int) -> "Estimate":
        """The estimate for the image resized to this size [pixels]."""
        factor = width / self.lens.width
        sigma = self.sigma.copy()
        sigma[1:3] *= factor
        return replace(self, lens=self.lens.resized(width, height), sigma=sigma, error=factor * self.error)


def estimate_lens(segments: Sequence[Segment], size: tuple[int, int], centre: str = "near", terms: int = 3) -> Estimate:
    """The lens of the images of this size (width, height) [pixels] from their tracked segments.

    centre: see `lens_prior`. terms: number of radial terms, 0 to 3; last ones that are not significant are dropped.
    Raises CalibrationFailed if the camera did not move enough, or no lens explains the tracks.
    """
    if not segments:
        raise CalibrationFailed(
            "too few corners could be followed: the camera stands, or the images are blurred or empty"
        )
    prior = lens_prior(*size, centre, terms)
    lens = _first_lens(sorted(segments, key=lambda segment: -segment.turn)[:TRIED], size, prior)
    for points in ROUNDS:
        adjusted, noise = _round([segment.thinned(points) for segment in segments], lens, prior)
        lens = adjusted.lens
    while terms and not _last_term_matters(adjusted, prior, noise, terms):
        terms -= 1
        prior = lens_prior(*size, centre, terms)
        adjusted = _finished(replace(adjusted, lens=adjusted.lens.with_terms(terms)), prior, noise)
    return _judged(adjusted, prior, noise, terms)


def _first_lens(segments: Sequence[Segment], size: tuple[int, int], prior: LensPrior) -> Lens:
    """The best of the lenses that adjustments from the STARTS lead to."""
    found = []
    for field_of_view in STARTS:
        start = Lens.centred(*size, field_of_view)
        parts = _reconstructed([segment.thinned(TRIAL_POINTS) for segment in segments], start)
        if parts:
            found.append(adjust(parts, start, prior, width=3.0, noise=FLOW_NOISE, iterations=15))
    # A lens with which a segment could not be reconstructed must not win by having fewer errors.
    most = max((len(adjusted.parts) for adjusted in found), default=0)
    usable = [adjusted for adjusted in found if len(adjusted.parts) == most and _is_sane(adjusted.lens)]
    if not usable:
        raise CalibrationFailed(
            "no lens explains how the corners move: too little motion, or most of what is seen moves"
        )
    return min(usable, key=lambda adjusted: adjusted.cost).lens


def _is_sane(lens: Lens) -> bool:
    return lens.is_invertible() and 0.15 < lens.focal / lens.width < 12.0


def _reconstructed(segments: Sequence[Segment], lens: Lens) -> list[Part]:
    pairs = ((segment, reconstruct(segment, lens)) for segment in segments)
    return [Part(segment, structure) for segment, structure in pairs if structure is not None]


def _round(segments: Sequence[Segment], lens: Lens, prior: LensPrior) -> tuple[Adjusted, float]:
    """Reconstruct with a lens, drop what does not fit, align the patches, and adjust; also the pixels' noise."""
    parts = _reconstructed(segments, lens)
    now = adjust(parts, lens, prior, width=3.0, noise=FLOW_NOISE, iterations=12)
    for limit in (2.5, 1.2):
        kept = _without_outliers(now, max(limit, 2.0 * OUTLIER * _noise(now) * (limit > 2.0)))
        now = adjust(kept, now.lens, prior, width=1.0, noise=FLOW_NOISE, iterations=8)
    now = adjust(_aligned(now.parts), now.lens, prior, width=0.5, noise=FLOW_NOISE, iterations=10)
    noise = _noise(now)
    now = replace(now, parts=_without_outliers(now, OUTLIER * noise))
    return _finished(now, prior, noise), noise


def _finished(start: Adjusted, prior: LensPrior, noise: float) -> Adjusted:
    width = ROBUST_WIDTH * noise
    return adjust(start.parts, start.lens, prior, width=width, noise=INFLATION * noise, iterations=50)


def _noise(adjusted: Adjusted) -> float:
    """Standard deviation of a pixel, from the median of the errors, which outliers do not move."""
    return max(LEAST_NOISE, float(np.median(adjusted.errors())) / MEDIAN_OF_RAYLEIGH)


def _without_outliers(adjusted: Adjusted, limit: float) -> list[Part]:
    """The parts without points whose RMS error is above `limit` [pixels], or which are behind infinity."""
    parts = []
    for part in adjusted.parts:
        segment, structure = part.segment, part.structure
        error = errors(segment, structure, adjusted.lens)
        count = np.bincount(segment.point, minlength=segment.points)
        rms = np.sqrt(np.bincount(segment.point, np.minimum(error, 50.0) ** 2, segment.points) / count)
        kept, points = segment.select((rms < limit)[segment.point] & (error < 2.0 * limit))
        parts.append(Part(kept, structure.with_points(points)))
    return _large_enough(parts)


def _aligned(parts: Sequence[Part]) -> list[Part]:
    found = []
    for part in parts:
        segment, points = align(part.segment, sizes(part.segment, part.structure))
        found.append(Part(segment, part.structure.with_points(points)))
    return _large_enough(found)


def _large_enough(parts: Sequence[Part]) -> list[Part]:
    kept = [part for part in parts if part.segment.points >= MIN_POINTS]
    if not kept:
        raise CalibrationFailed(
            "no lens explains how the corners move: too little motion, or most of what is seen moves"
        )
    return kept


def _covariance(adjusted: Adjusted, prior: LensPrior, noise: float) -> np.ndarray:
    """Covariance (8, 8) of the lens, from the scatter of the points' and of the segments' contributions.

    The sandwich estimator of Huber 1967 with the points as its clusters: it needs no model of the errors along a track.
    """
    free = np.flatnonzero(prior.is_free)
    scale = (INFLATION * noise) ** 2
    equations = adjusted.equations(ROBUST_WIDTH * noise)
    information, _ = prior.equations(adjusted.lens)
    H = np.sum([part.H for part in equations], axis=0) / scale + information
    inverse = np.linalg.inv(H[np.ix_(free, free)])
    points = np.concatenate([part.by_point for part in equations])[:, free] / scale
    scatter = INFLATION**2 * points.T @ points + information[np.ix_(free, free)]
    found = inverse @ scatter @ inverse
    if len(equations) > 3:
        steps = np.array([part.g for part in equations])[:, free] / scale @ inverse
        by_segments = len(equations) / (len(equations) - 1) * (steps[:, 0] ** 2).sum()
        found *= max(1.0, float(by_segments / found[0, 0]))
    found[0, 0] += LEAST_FOCAL_SIGMA**2
    covariance = np.zeros((PARAMETERS, PARAMETERS))
    covariance[np.ix_(free, free)] = found
    return covariance


def _last_term_matters(adjusted: Adjusted, prior: LensPrior, noise: float, terms: int) -> bool:
    """Whether the last of the radial terms differs from 0 by more than its uncertainty explains."""
    last = RADIAL[terms - 1]
    sigma = np.sqrt(_covariance(adjusted, prior, noise)[last, last])
    return bool(abs(adjusted.lens.parameters[last]) > SIGNIFICANT * sigma)


def _judged(adjusted: Adjusted, prior: LensPrior, noise: float, terms: int) -> Estimate:
    segments = [part.segment for part in adjusted.parts]
    turns = [_angle(part.structure.poses[0, :3, :3].T @ part.structure.poses[-1, :3, :3]) for part in adjusted.parts]
    return Estimate(
        lens=adjusted.lens,
        sigma=np.sqrt(np.diag(_covariance(adjusted, prior, noise))),
        terms=terms,
        error=float(np.median(adjusted.errors())),
        keyframes=sum(segment.frames for segment in segments),
        points=sum(segment.points for segment in segments),
        sightings=sum(len(segment.point) for segment in segments),
        turn=float(np.max(turns)),
    )


def _angle(R: np.ndarray) -> float:
    return float(np.arccos(np.clip(0.5 * (np.trace(R) - 1.0), -1.0, 1.0)))
