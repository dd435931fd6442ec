# SPDX-License-Identifier: Apache-2.0
"""How much of a depth image holds depth, and what the rest is."""

from typing import NamedTuple

import numpy as np

from monodepth_ros.pipeline.config import DepthConfig
from monodepth_ros.pipeline.depth_image import MILLIMETRES_MAX

STEP = 4  # every fourth pixel of every fourth row is looked at
SMALLEST = 0.02  # share of valid pixels below which a depth image counts as empty
# Relative difference of the network's largest and smallest value below which they are all the same.
CONSTANT = 1e-3


class DepthContent(NamedTuple):
    """Shares of the pixels of a depth image, 0 to 1, which sum to 1.

    broken: the network's output is not finite. unseen: outside the network's view. median: of the scene, also outside
    the range of the depth image, in its unit; NaN if unknown. is_constant: the network says the same everywhere.
    """

    valid: float
    too_far: float
    too_near: float
    broken: float
    unseen: float
    median: float
    is_constant: bool

    @property
    def is_empty(self) -> bool:
        """Whether there is hardly any depth in it."""
        return self.valid < SMALLEST


def depth_content(
    depth: np.ndarray, disparity: np.ndarray, inverse: np.ndarray, factor: float, encoding: str
) -> DepthContent:
    """The DepthContent of a depth image.

    depth: (H, W), see depth_from_disparity. disparity: the network's output (h, w). inverse: (H, W) from which depth
    was made with `factor`. encoding: the setting; 16UC1 ends at 65.535 m.
    """
    sample, seen = depth[::STEP, ::STEP], disparity[::STEP, ::STEP]
    is_finite = np.isfinite(seen)
    broken = 1.0 - float(is_finite.mean())
    limit = MILLIMETRES_MAX / 1000 if encoding == "16UC1" else np.inf
    valid = float((np.isfinite(sample) & (sample <= limit)).mean())
    too_near = float((sample == -np.inf).mean())
    too_far = float(((sample == np.inf) | (np.isfinite(sample) & (sample > limit))).mean())
    known = seen[is_finite]
    is_constant = known.size > 1 and float(np.ptp(known)) <= CONSTANT * abs(float(known.mean()))
    scene = inverse[::STEP, ::STEP]
    scene = scene[np.isfinite(scene)]
    return DepthContent(
        valid=valid,
        too_far=too_far,
        too_near=too_near,
        broken=min(broken, max(0.0, 1.0 - valid - too_far - too_near)),
        unseen=max(0.0, 1.0 - valid - too_far - too_near - broken),
        median=float(factor / np.median(scene)) if scene.size else float("nan"),
        is_constant=is_constant,
    )


def reason_for_no_depth(content: DepthContent, config: DepthConfig, scale: str, unit: str) -> str:
    """Why a depth image is empty or of no use, and what to do; an empty string for a good one.

    scale: its description; unit: that of the depth.
    """
    if content.broken > 0.5:
        return "the network's output is not a number: set precision to fp32, or use another engine or checkpoint"
    if content.is_empty:
        return _reason_for_empty(content, config, scale, unit)
    if content.is_constant:
        return (
            f"depth is {content.median:.3g} {unit} in the whole image: the checkpoint is broken, or the images hold "
            "nothing (a covered lens, a stuck driver); look at rgb/image_rect"
        )
    return ""


def _reason_for_empty(content: DepthContent, config: DepthConfig, scale: str, unit: str) -> str:
    scene = f"the scene's median is {content.median:.3g} {unit}; scale: {scale}"
    farthest = config.max_range
    if config.encoding == "16UC1":
        farthest = min(farthest, MILLIMETRES_MAX / 1000)
    causes = {
        f"farther than {farthest:g} {unit} ({scene}): raise depth.max_range{_or_encoding(config)}, or correct the "
        "scale": content.too_far,
        f"nearer than {config.min_range:g} {unit} ({scene}): lower depth.min_range, or correct the scale": (
            content.too_near
        ),
        "outside the network's view: see 'view' in the diagnostics; set image.view to whole, and compare the "
        "calibration with the images": content.unseen,
        "not a number": content.broken,
    }
    said = [f"{share:.0%} of its pixels are {cause}" for cause, share in causes.items() if share >= 0.1]
    return f"the depth image is empty: {'; '.join(said)}"


def _or_encoding(config: DepthConfig) -> str:
    return " or set depth.encoding to 32FC1" if config.encoding == "16UC1" else ""
