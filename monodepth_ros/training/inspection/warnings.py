# SPDX-License-Identifier: Apache-2.0
"""Warnings about recordings that make a training worse, with advice."""

import numpy as np

from monodepth_ros.data.image_motion import FLOW_WIDTH
from monodepth_ros.pipeline import view_choice
from monodepth_ros.training.inspection.inspection import STATIC, Finding, Inspection, RecordingInspection
from monodepth_ros.training.samples.open_dataset import better_view

# |log| of the ratio of mean brightness between two frames; autoexposure in traffic stays below. Share of such frames.
JUMP, JUMPS_SHARE = 0.15, 0.01
RESTLESS = 0.06  # median |log| of that ratio
# Share of points with parallax below which a pair shows a rotation only, and the share of such pairs. A driving car
# gives 0.6 and more; a car that only turns gives the share of moving objects.
ROTATION_ONLY, ROTATION_PAIRS = 0.25, 0.2
# Sharpness below this share of the median over this many frames on either side; share of such frames; variance of the
# Laplacian below which an image is soft.
BLURRED, AROUND, BLURRED_SHARE, SOFT = 0.35, 15, 0.02, 60.0
REPEATED_SHARE = 0.01
UNSTEADY_SHARE = 0.05
GAPS_SHARE = 0.02  # missing frames
STATIC_SHARE = 0.5
FEW, ENOUGH = 500, 3000  # samples
SLOW = 0.003  # image motion per step [share of the width]
FAST = 0.15


def add_warnings(inspection: Inspection) -> None:
    """Fill in the `warnings` of each recording and of the whole inspection."""
    for recording in inspection.recordings:
        recording.warnings = [finding for check in CHECKS for finding in check(recording)]
    samples = inspection.figures["training_samples"]
    if samples < FEW:
        inspection.warnings.append(
            Finding(
                f"{samples} samples for training are few",
                f"record some minutes ({ENOUGH} samples are enough for a scene), or fine-tune with monodepth train"
                " --from CHECKPOINT",
            )
        )
    if not inspection.reason and not inspection.figures["validation_samples"]:
        advice = (
            "record longer and move until the end (the last part of every minute is held out), or raise"
            " data.validation_share"
        )
        inspection.warnings.append(Finding("no samples for validation: the best checkpoint cannot be selected", advice))


def _calibration(recording: RecordingInspection) -> list[Finding]:
    camera = recording.figures["camera"]
    if not camera["calibrated"]:
        return [
            Finding(
                f"no calibration: a horizontal field of view of {camera['assumed_field_of_view']:.0f} degrees is"
                " assumed, and depth will be relative, not in metres",
                "record camera_info, or --calibration FILE (from monodepth calibrate RECORDING, or ros2"
                " run camera_calibration)",
            )
        ]
    if camera["calibrations"] > 1:
        return [
            Finding(
                f"{camera['calibrations']} calibrations in one recording",
                "no sample contains frames of two of them",
            )
        ]
    return []


def _coverage(recording: RecordingInspection) -> list[Finding]:
    seen = recording.figures["networks_input"]
    if seen is None or seen["image_coverage"] >= view_choice.ENOUGH:
        return []
    text = (
        f"the networks' input of {seen['width']}x{seen['height']} shows {_percent(seen['image_coverage'])} of the image"
    )
    return [Finding(text, better_view(seen["follows_camera"]))]


def _exposure(recording: RecordingInspection) -> list[Finding]:
    change = recording.scan.brightness_change[np.isfinite(recording.scan.brightness_change)]
    advice = "fix exposure, gain and white balance of the camera, or --set objective.affine_brightness=true"
    if len(change) == 0:
        return []
    jumps = float(np.mean(change > JUMP))
    if jumps >= JUMPS_SHARE:
        largest = f"up to {100 * np.expm1(change.max()):.0f} %"
        text = f"in {_percent(jumps)} of the frames the brightness changes by more than {100 * JUMP:.0f} % ({largest})"
        return [Finding(f"the exposure jumps: {text}", advice)]
    if np.median(change) > RESTLESS:
        return [
            Finding(
                f"the exposure is unsteady: brightness changes by {100 * np.median(change):.0f} % from frame to frame",
                advice,
            )
        ]
    return []


def _parallax(recording: RecordingInspection) -> list[Finding]:
    known = recording.scan.parallax[np.isfinite(recording.scan.parallax)]
    share = float(np.mean(known < ROTATION_ONLY)) if len(known) else 0.0
    if share <= ROTATION_PAIRS:
        return []
    return [
        Finding(
            f"low parallax: in {_percent(share)} of the pairs a rotation of the camera explains the image's motion",
            "depth needs a camera that changes its place: leave out turns on the spot, drive, or raise data.frame_step",
        )
    ]


def _motion(recording: RecordingInspection) -> list[Finding]:
    motion = recording.figures["motion_per_step"]
    found = []
    if recording.figures["static_share"] > STATIC_SHARE:
        count = recording.figures["frames_by_use"].get(STATIC, 0)
        found.append(
            Finding(
                f"{_percent(recording.figures['static_share'])} of the triplets are static ({count} frames, left out)",
                "record while the camera moves; if it moves slowly, lower data.min_motion or raise data.frame_step",
            )
        )
    if motion > FAST:
        found.append(
            Finding(
                f"the image moves by {100 * motion:.0f} % of its width from a target to its neighbours",
                "neighbours overlap too little: record at a higher rate, or lower data.frame_step",
            )
        )
    elif 0 < motion < SLOW and recording.figures["static_share"] <= STATIC_SHARE:
        found.append(
            Finding(
                f"the image moves by only {100 * motion:.2f} % of its width from a target to its neighbours",
                "raise data.frame_step (a longer pair shows more parallax), or record at a higher speed",
            )
        )
    return found


def _region(recording: RecordingInspection) -> list[Finding]:
    region = recording.scan.region
    if region is None:
        return []
    text = f"{100 * region.area:.0f} % of the image, at its border, never changes while the camera moves: "
    if region.hood:
        advice = f"--set data.hood={region.hood:g}, or --write-mask mask.png and --set data.mask_file=mask.png"
        return [Finding(text + "the vehicle's hood?", advice)]
    return [
        Finding(
            text + "a vignette, or a part of the vehicle?",
            "--write-mask mask.png and --set data.mask_file=mask.png",
        )
    ]


def _blur(recording: RecordingInspection) -> list[Finding]:
    sharpness = recording.index.sharpness
    around = np.array([np.median(sharpness[max(0, i - AROUND) : i + AROUND + 1]) for i in range(len(sharpness))])
    share = float(np.mean(sharpness < BLURRED * around))
    if share >= BLURRED_SHARE:
        return [
            Finding(
                f"{_percent(share)} of the frames are blurred compared with those around them",
                "shorten the exposure; more light helps",
            )
        ]
    if np.median(sharpness) < SOFT and recording.figures["camera"]["width"] >= FLOW_WIDTH:
        return [Finding("all images are soft, even scaled down", "focus and clean the lens, and shorten the exposure")]
    return []


def _repeated(recording: RecordingInspection) -> list[Finding]:
    share = recording.figures["repeated_share"]
    if share < REPEATED_SHARE:
        return []
    return [
        Finding(
            f"{_percent(share)} of the frames repeat the image before them",
            "record at the camera's own rate: a driver or a bridge publishes images twice",
        )
    ]


def _timing(recording: RecordingInspection) -> list[Finding]:
    figures = recording.figures
    found = []
    if figures["missing_frames"] > GAPS_SHARE * figures["frames"]:
        count = len(figures["gaps"])
        where = "1 gap, which ends a run" if count == 1 else f"{count} gaps, which end runs"
        text = f"{figures['missing_frames']} frames are missing in {where}"
        found.append(Finding(text, "record to a faster disk, compressed images, or with a larger --max-cache-size"))
    if figures["unsteady_share"] - len(figures["gaps"]) / max(1, figures["frames"]) > UNSTEADY_SHARE:
        text = f"{_percent(figures['unsteady_share'])} of the intervals are 20 % off the usual one"
        found.append(
            Finding(text, "stamp images when they are taken; the pose network learns one interval between frames")
        )
    return found


CHECKS = (_calibration, _coverage, _timing, _repeated, _motion, _parallax, _exposure, _region, _blur)


def _percent(share: float) -> str:
    return f"{100 * share:.0f} %" if share >= 0.1 else f"{100 * share:.1f} %"
