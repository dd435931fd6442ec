# SPDX-License-Identifier: Apache-2.0
"""Errors of many depth images and their mean, as text and for JSON."""

from collections import Counter
from dataclasses import asdict, dataclass, fields
from typing import Any

import numpy as np

from monodepth_ros.evaluation.depth_metrics import (
    DepthMetrics,
    EvaluationError,
    evaluate_depth,
    mean_metrics,
)

NAMES = tuple(field.name for field in fields(DepthMetrics))
ERRORS = NAMES[:7]


@dataclass(frozen=True)
class DepthProtocol:
    """Options of `evaluate_depth`; EIGEN and IMPROVED are those of the KITTI tables.

    factor: factor on the predictions, before any scaling.
    """

    crop: str = "garg"
    cap_ground_truth: bool = True
    scaling: str = "median"
    factor: float = 1.0
    min_depth: float = 1e-3
    max_depth: float = 80.0

    def __post_init__(self) -> None:
        if not 0 < self.min_depth < self.max_depth < np.inf:
            raise EvaluationError(
                f"depth from {self.min_depth:g} to {self.max_depth:g} m: expected 0 < least < greatest"
            )
        if not 0 < self.factor < np.inf:
            raise EvaluationError(f"factor is {self.factor:g}, expected a positive number")

    def in_words(self) -> str:
        """The protocol in one line."""
        truth = (
            f"ground truth {self.min_depth:g} to {self.max_depth:g} m"
            if self.cap_ground_truth
            else (f"all ground truth, predictions within {self.min_depth:g} to {self.max_depth:g} m")
        )
        crop = "Garg crop" if self.crop == "garg" else "no crop"
        factor = "" if self.factor == 1.0 else f", times {self.factor:g}"
        scaling = "scaled by the medians of each image" if self.scaling == "median" else "not scaled"
        return f"{crop}, {truth}; predictions {scaling}{factor}"


EIGEN = DepthProtocol()
IMPROVED = DepthProtocol(crop="none", cap_ground_truth=False)


class DepthReport:
    """Errors of images. names, metrics: those of the compared images; left_out: number of the others, by reason."""

    def __init__(self, protocol: DepthProtocol):
        self.protocol = protocol
        self.names: list[str] = []
        self.metrics: list[DepthMetrics] = []
        self.left_out: Counter[str] = Counter()

    def add(self, name: str, truth: np.ndarray, prediction: np.ndarray) -> None:
        """Compare a prediction (H, W) in its own unit with ground truth (H, W) [m], or count the image as left out."""
        protocol = self.protocol
        try:
            metrics = evaluate_depth(
                truth,
                prediction * protocol.factor,
                min_depth=protocol.min_depth,
                max_depth=protocol.max_depth,
                crop=protocol.crop,
                scaling=protocol.scaling,
                cap_ground_truth=protocol.cap_ground_truth,
            )
        except EvaluationError as error:
            self.left_out[str(error)] += 1
            return
        self.names.append(name)
        self.metrics.append(metrics)

    @property
    def mean(self) -> DepthMetrics:
        """Mean over images; EvaluationError if there are none."""
        if not self.metrics and self.left_out:
            raise EvaluationError(f"no image could be compared: {next(iter(self.left_out))}")
        return mean_metrics(self.metrics)

    @property
    def scale_median(self) -> float:
        """Median over images of median(ground truth) / median(prediction), after the factor."""
        return float(np.median([item.scale_ratio for item in self.metrics]))

    @property
    def scale_deviation(self) -> float:
        """Standard deviation of these ratios / their median."""
        return float(np.std([item.scale_ratio for item in self.metrics])) / self.scale_median

    def rows(self) -> list[dict[str, Any]]:
        """A row per image."""
        return [{"image": name} | asdict(item) for name, item in zip(self.names, self.metrics)]

    def as_dict(self) -> dict[str, Any]:
        """Everything, by name, for JSON."""
        return {
            "protocol": asdict(self.protocol),
            "images": len(self.metrics),
            "images_left_out": dict(self.left_out),
            "mean": asdict(self.mean),
            "scale_median": self.scale_median,
            "scale_std_over_median": self.scale_deviation,
            "per_image": self.rows(),
        }

    def lines(self, per_image: bool = False) -> list[str]:
        """The report as text. EvaluationError if no image was compared."""
        mean = self.mean
        width = max(map(len, ["mean", *self.names])) if per_image else 4
        lines = [f"{'':{width}}" + "".join(f"{name:>10}" for name in (*ERRORS, "ratio"))]
        if per_image:
            lines += [_row(name, item, width) for name, item in zip(self.names, self.metrics)]
        lines += [
            _row("mean", mean, width),
            f"ratio of the medians, ground truth / prediction: median {self.scale_median:.4g}, std/median "
            f"{self.scale_deviation:.3f}; {len(self.metrics)} images, predicted {100 * mean.coverage:.1f} %",
        ]
        return lines


def _row(name: str, metrics: DepthMetrics, width: int) -> str:
    values = [getattr(metrics, error) for error in (*ERRORS, "scale_ratio")]
    return f"{name:{width}}" + "".join(f"{value:10.4f}" for value in values)
