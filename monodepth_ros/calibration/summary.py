# SPDX-License-Identifier: Apache-2.0
"""An estimated lens in words: its figures, whether they can be used, and the head of its file."""

import numpy as np

from monodepth_ros.calibration.estimate import Estimate
from monodepth_ros.geometry.camera import CameraModel

MAX_FOCAL_SIGMA = 0.05  # relative uncertainty of the focal length beyond which no file is written
LITTLE_TURN = np.radians(5.0)  # below it, the lack of turns is why the focal length is uncertain


def facts(estimate: Estimate) -> list[tuple[str, str]]:
    """(name, value) lines with the lens and its standard deviations."""
    lens, sigma = estimate.lens, estimate.sigma
    focal = f"{lens.focal:.1f} +- {sigma[0] * lens.focal:.1f} pixels ({100 * sigma[0]:.1f} %)"
    return [
        ("focal length", f"{focal}, {np.degrees(lens.field_of_view):.1f} degrees wide"),
        ("centre", f"({_known(lens.cx, sigma[1])}, {_known(lens.cy, sigma[2])}) of {lens.width}x{lens.height}"),
        ("distortion", _distortion(estimate)),
        ("error", f"{estimate.error:.2f} pixels (median reprojection error)"),
        (
            "from",
            f"{estimate.keyframes} keyframes, {estimate.points} tracks, {estimate.sightings} sightings;"
            f" turns of up to {np.degrees(estimate.turn):.1f} degrees",
        ),
    ]


def refusal(estimate: Estimate) -> str:
    """Why the estimate should not be used, '' if it may."""
    if estimate.sigma[0] <= MAX_FOCAL_SIGMA:
        return ""
    if estimate.turn < LITTLE_TURN:
        why = (
            "a camera that goes straight ahead shows the same images with any; record some turns (largest here"
            f" {np.degrees(estimate.turn):.1f} degrees)"
        )
    else:
        why = "too much of what is seen moves or reflects; choose another part with --start and --duration"
    return f"the focal length is uncertain by {100 * estimate.sigma[0]:.0f} %: {why}, or use --force"


def comparison_line(estimate: Estimate, recorded: CameraModel) -> str:
    """How far the recording's own calibration is from the estimate."""
    focal = float(np.sqrt(recorded.fx * recorded.fy))
    difference = estimate.lens.focal / focal - 1.0
    return (
        f"focal length {focal:.1f} pixels in the recording's own calibration: the estimate is"
        f" {100 * abs(difference):.1f} % {'longer' if difference > 0 else 'shorter'}"
        f" ({abs(np.log1p(difference)) / estimate.sigma[0]:.1f} sigma)"
    )


def file_comments(estimate: Estimate, source: str) -> list[str]:
    """The head of the calibration file: where it is from, and how certain it is (one standard deviation)."""
    return [
        f"estimated by monodepth calibrate from {source}",
        *(f"{name}: {value}" for name, value in facts(estimate)),
    ]


def _distortion(estimate: Estimate) -> str:
    lens, sigma = estimate.lens, estimate.sigma
    if not estimate.terms:
        return "none that is significant"
    terms = zip(("k1", "k2", "p1", "p2", "k3"), lens.distortion, sigma[3:])
    return "plumb_bob, " + ", ".join(f"{name} {value:.4f} +- {s:.4f}" for name, value, s in terms if s)


def _known(value: float, sigma: float) -> str:
    return f"{value:.1f} +- {sigma:.1f}" if sigma else f"{value:.1f} as given"
