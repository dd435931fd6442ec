# SPDX-License-Identifier: Apache-2.0
"""All errors of one trajectory, over snippets, segments and the whole, as text and for JSON."""

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from monodepth_ros.evaluation.depth_metrics import EvaluationError
from monodepth_ros.evaluation.segment_errors import SegmentErrors, default_lengths, segment_errors
from monodepth_ros.evaluation.snippet_ate import FRAMES, SnippetError, snippet_ate
from monodepth_ros.evaluation.trajectory_errors import ALIGNMENTS, TrajectoryErrors, align, trajectory_errors
from monodepth_ros.geometry.pose_array import travelled

# Steps shorter than this share of the median step do not count for the scale.
STANDING = 0.1


@dataclass(frozen=True)
class OdometrySettings:
    """Options of `evaluate_odometry`.

    alignments: some of ALIGNMENTS. lengths: segment lengths [m], empty for those that fit the path. step: frames from
    the start of one segment to the next, 0 for the default. snippet: positions in a snippet. delta: frames of the RPE.
    """

    alignments: tuple[str, ...] = ALIGNMENTS
    lengths: tuple[float, ...] = ()
    step: int = 0
    snippet: int = FRAMES
    delta: int = 1


@dataclass(frozen=True)
class OdometryReport:
    """Errors of a trajectory against its reference.

    aligned: errors under each alignment; t_err and r_err depend on its scale only, because each segment is aligned at
    its beginning.
    """

    poses: int
    path_length: float
    """Length of the reference path, metres"""
    estimated_length: float
    """Length of the estimated path, in its own unit"""
    scale_ratio: float
    """Median over the steps of reference length / estimated length"""
    scale_deviation: float
    """Standard deviation of these ratios / their median"""
    snippets: SnippetError
    aligned: tuple[tuple[TrajectoryErrors, SegmentErrors | None], ...]

    def as_dict(self) -> dict[str, Any]:
        """Everything, by name, for JSON."""
        content = {name: value for name, value in asdict(self).items() if name != "aligned"}
        content["aligned"] = {}
        for errors, segments in self.aligned:
            found = asdict(errors)
            if segments is not None:
                found |= {"t_err": segments.t_err, "r_err": segments.r_err, "segments": segments.segments}
                names = "length", "segments", "t_err", "r_err"
                found["segments_by_length"] = [dict(zip(names, row)) for row in segments.by_length]
            content["aligned"][errors.alignment] = found
        return content

    def lines(self) -> list[str]:
        """The report as text."""
        s, first = self.snippets, self.aligned[0][0]
        lines = [
            f"path        reference {self.path_length:.2f} m over {self.poses} poses, estimate"
            f" {self.estimated_length:.2f}; scale of the steps {self.scale_ratio:.4g},"
            f" std/median {100 * self.scale_deviation:.1f} %",
            f"ATE, {s.frames} frames  {s.mean:.4f} +- {s.std:.4f} m, sqrt(sum) / N as in the tables;"
            f" RMSE {s.rmse_mean:.4f} +- {s.rmse_std:.4f} m; {s.snippets} snippets",
            "",
            f"{'alignment':10}{'scale':>10}{'ATE rmse':>10}{'mean':>9}{'median':>9}{'max':>9}"
            f"{'RPE m':>9}{'RPE deg':>9}{'t_err %':>9}{'r_err deg/100m':>16}",
        ]
        for e, segments in self.aligned:
            t, r = (segments.t_err, segments.r_err) if segments else (float("nan"),) * 2
            lines.append(
                f"{e.alignment:10}{e.scale:10.4g}{e.ate_rmse:10.4g}{e.ate_mean:9.4g}{e.ate_median:9.4g}"
                f"{e.ate_max:9.4g}{e.rpe_translation_rmse:9.4g}{e.rpe_rotation_rmse:9.4g}{t:9.2f}{r:16.3f}"
            )
        lines.append(f"RPE is the RMSE over {first.delta} frame{'s' if first.delta > 1 else ''}")
        return lines + self._segment_lines()

    def _segment_lines(self) -> list[str]:
        errors, segments = self.aligned[-1]
        if segments is None:
            return ["no segment fits: the path has no length"]
        lines = [
            "",
            f"{'segment m':>10}{'count':>8}{'t_err %':>9}{'r_err deg/100m':>16}   ({errors.alignment})",
        ]
        for length, count, t, r in segments.by_length:
            lines.append(f"{length:10g}{count:8}{t:9.2f}{r:16.3f}")
        return lines


def evaluate_odometry(
    reference: np.ndarray, estimate: np.ndarray, settings: OdometrySettings = OdometrySettings()
) -> OdometryReport:
    """Errors of estimated poses (N, 4, 4) against the reference poses at the same times, each in its own world frame.

    EvaluationError for fewer than two poses, different numbers of them, numbers that are not finite, and settings that
    do not fit the path.
    """
    reference, estimate = np.asarray(reference, np.float64), np.asarray(estimate, np.float64)
    if reference.shape != estimate.shape or reference.ndim != 3 or reference.shape[1:] != (4, 4) or len(reference) < 2:
        raise EvaluationError(
            f"reference poses {reference.shape} and estimated poses {estimate.shape}: expected two or more of each, "
            "as many"
        )
    for name, poses in (("reference", reference), ("estimated", estimate)):
        bad = ~np.isfinite(poses).all(axis=(1, 2))
        if bad.any():
            raise EvaluationError(f"{name} pose {int(bad.argmax())} is not finite: leave such frames out")
    reference_travelled, own_travelled = travelled(reference[:, :3, 3]), travelled(estimate[:, :3, 3])
    lengths, step = settings.lengths, settings.step
    fitting, usual_step = default_lengths(float(reference_travelled[-1]))
    lengths, step = lengths or fitting, step or usual_step
    if lengths and min(lengths) >= reference_travelled[-1]:
        raise EvaluationError(
            f"segments of {min(lengths):g} m do not fit into a path of {reference_travelled[-1]:.2f} m: ask for "
            "shorter ones"
        )
    aligned = []
    for alignment in settings.alignments:
        errors = trajectory_errors(reference, estimate, alignment, settings.delta)
        moved = align(reference, estimate, alignment)[0]
        segments = segment_errors(reference, moved, lengths, step) if lengths else None
        aligned.append((errors, segments))
    ratio, deviation = _step_ratio(np.diff(reference_travelled), np.diff(own_travelled))
    return OdometryReport(
        poses=len(reference),
        path_length=float(reference_travelled[-1]),
        estimated_length=float(own_travelled[-1]),
        scale_ratio=ratio,
        scale_deviation=deviation,
        snippets=snippet_ate(reference, estimate, settings.snippet),
        aligned=tuple(aligned),
    )


def _step_ratio(reference_steps: np.ndarray, steps: np.ndarray) -> tuple[float, float]:
    moving = (reference_steps > STANDING * np.median(reference_steps)) & (steps > 0)
    if not moving.any():
        return float("nan"), float("nan")
    ratios = reference_steps[moving] / steps[moving]
    median = float(np.median(ratios))
    return median, float(ratios.std() / median)
