# SPDX-License-Identifier: Apache-2.0
"""What makes a training from these recordings worse, and what to do about it."""

import numpy as np

from monodepth_ros.data.image_motion import FLOW_WIDTH
from monodepth_ros.training.inspection.recording import STATIC, Inspection, RecordingInspection, Warned

# |log| of the ratio of the mean brightness of two frames in a row: autoexposure in traffic stays below.
JUMP, JUMPS_SHARE = 0.15, 0.01
RESTLESS = 0.06  # the median of it
# A pair in which fewer points than this move otherwise than under a rotation, and the share of such pairs.
# A car that drives gives 0.6 and more; what is left where it only turns is objects that move.
ROTATION_ONLY, ROTATION_PAIRS = 0.25, 0.2
# Sharpness below this share of that of the frames around; variance of the Laplacian that is soft by itself.
BLURRED, AROUND, BLURRED_SHARE, SOFT = 0.35, 15, 0.02, 60.0
REPEATED_SHARE = 0.01
UNSTEADY_SHARE = 0.05
GAPS_SHARE = 0.02  # missing frames
STATIC_SHARE = 0.5
FEW, ENOUGH = 500, 3000  # samples
SLOW = 0.003  # image motion per step, share of the width
FAST = 0.15


def add_warnings(inspection: Inspection) -> None:
    """Fill in `warnings`, of each recording and of all together."""
    for one in inspection.recordings:
        one.warnings = [warned for check in CHECKS for warned in check(one)]
    samples = inspection.figures["training_samples"]
    if samples < FEW:
        inspection.warnings.append(
            Warned(
                f"{samples} samples for training are few",
                f"record some minutes ({ENOUGH} samples teach a scene), or fine-tune with monodepth train --from CHECKPOINT",
            )
        )
    if not inspection.reason and not inspection.figures["validation_samples"]:
        advice = "record longer, to the end in motion (the last part of every minute is kept), or raise data.validation_share"
        inspection.warnings.append(
            Warned("no samples for validation: none of the checkpoints can be called the best", advice)
        )


def _calibration(one: RecordingInspection) -> list[Warned]:
    camera = one.figures["camera"]
    if not camera["calibrated"]:
        return [
            Warned(
                "no calibration",
                "record camera_info, or --set data.calibration_file=FILE (of ros2 run camera_calibration)",
            )
        ]
    if camera["calibrations"] > 1:
        return [
            Warned(
                f"{camera['calibrations']} calibrations in one recording",
                "samples do not reach across their changes",
            )
        ]
    return []


def _exposure(one: RecordingInspection) -> list[Warned]:
    change = one.scan.brightness_change[np.isfinite(one.scan.brightness_change)]
    advice = "fix exposure, gain and white balance of the camera, or --set objective.affine_brightness=true"
    if len(change) == 0:
        return []
    jumps = float(np.mean(change > JUMP))
    if jumps >= JUMPS_SHARE:
        text = f"the exposure jumps: in {_percent(jumps)} of the frames the brightness changes by more than {100 * JUMP:.0f} %"
        return [Warned(f"{text} (up to {100 * np.expm1(change.max()):.0f} %)", advice)]
    if np.median(change) > RESTLESS:
        return [
            Warned(
                f"the exposure is restless: brightness changes by {100 * np.median(change):.0f} % from frame to frame",
                advice,
            )
        ]
    return []


def _parallax(one: RecordingInspection) -> list[Warned]:
    known = one.scan.parallax[np.isfinite(one.scan.parallax)]
    share = float(np.mean(known < ROTATION_ONLY)) if len(known) else 0.0
    if share <= ROTATION_PAIRS:
        return []
    return [
        Warned(
            f"low parallax: in {_percent(share)} of the pairs a rotation of the camera explains the image's motion",
            "depth shows only where the camera moves from its place: leave out turns on the spot, drive, or raise data.frame_step",
        )
    ]


def _motion(one: RecordingInspection) -> list[Warned]:
    motion = one.figures["motion_per_step"]
    found = []
    if one.figures["static_share"] > STATIC_SHARE:
        count = one.figures["frames_by_use"].get(STATIC, 0)
        found.append(
            Warned(
                f"{_percent(one.figures['static_share'])} of the triplets are static ({count} frames, left out)",
                "record while the camera moves; if it does, but slowly, lower data.min_motion or raise data.frame_step",
            )
        )
    if motion > FAST:
        found.append(
            Warned(
                f"the image moves by {100 * motion:.0f} % of its width from a target to its neighbours",
                "neighbours share too little: record at a higher rate, or lower data.frame_step",
            )
        )
    elif 0 < motion < SLOW and one.figures["static_share"] <= STATIC_SHARE:
        found.append(
            Warned(
                f"the image moves by only {100 * motion:.2f} % of its width from a target to its neighbours",
                "raise data.frame_step (a longer pair shows more parallax), or record at a higher speed",
            )
        )
    return found


def _region(one: RecordingInspection) -> list[Warned]:
    region = one.scan.region
    if region is None:
        return []
    text = f"{100 * region.area:.0f} % of the image, at its border, never changes while the camera moves: "
    if region.hood:
        advice = f"--set data.hood={region.hood:g}, or --write-mask mask.png and --set data.mask_file=mask.png"
        return [Warned(text + "the vehicle's hood?", advice)]
    return [
        Warned(
            text + "a vignette, or a part of the vehicle?",
            "--write-mask mask.png and --set data.mask_file=mask.png",
        )
    ]


def _blur(one: RecordingInspection) -> list[Warned]:
    sharpness = one.index.sharpness
    around = np.array([np.median(sharpness[max(0, i - AROUND) : i + AROUND + 1]) for i in range(len(sharpness))])
    share = float(np.mean(sharpness < BLURRED * around))
    if share >= BLURRED_SHARE:
        return [
            Warned(
                f"{_percent(share)} of the frames are blurred against those around them",
                "shorten the exposure; more light helps",
            )
        ]
    if np.median(sharpness) < SOFT and one.figures["camera"]["width"] >= FLOW_WIDTH:
        return [Warned("all images are soft, even when small", "focus and clean the lens, and shorten the exposure")]
    return []


def _repeated(one: RecordingInspection) -> list[Warned]:
    share = one.figures["repeated_share"]
    if share < REPEATED_SHARE:
        return []
    return [
        Warned(
            f"{_percent(share)} of the frames repeat the image before them",
            "record what the camera delivers, at its own rate: a driver or a bridge publishes images twice",
        )
    ]


def _timing(one: RecordingInspection) -> list[Warned]:
    figures = one.figures
    found = []
    if figures["missing_frames"] > GAPS_SHARE * figures["frames"]:
        count = len(figures["gaps"])
        where = "1 gap, which ends a run" if count == 1 else f"{count} gaps, which end runs"
        text = f"{figures['missing_frames']} frames are missing in {where}"
        found.append(Warned(text, "record to a faster disk, compressed images, or with a larger --max-cache-size"))
    if figures["unsteady_share"] - len(figures["gaps"]) / max(1, figures["frames"]) > UNSTEADY_SHARE:
        text = f"{_percent(figures['unsteady_share'])} of the intervals are 20 % off the usual one"
        found.append(Warned(text, "stamp images when they are taken; the pose network learns one spacing of frames"))
    return found


CHECKS = (_calibration, _timing, _repeated, _motion, _parallax, _exposure, _region, _blur)


def _percent(share: float) -> str:
    return f"{100 * share:.0f} %" if share >= 0.1 else f"{100 * share:.1f} %"
