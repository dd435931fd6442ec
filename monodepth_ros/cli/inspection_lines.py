# SPDX-License-Identifier: Apache-2.0
"""Lines that `monodepth inspect` prints: (name, value) pairs from the figures of an inspection."""

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from monodepth_ros.data.sources.left_out import few_reasons
from monodepth_ros.foreign_text import safe_line, shown
from monodepth_ros.limits import MOST_LISTED
from monodepth_ros.training.inspection.inspection import Finding, Inspection, RecordingInspection

Lines = list[tuple[str, str]]
Figures = Mapping[str, Any]


def recording_lines(recording: RecordingInspection) -> Lines:
    """Facts of a recording, then its warnings."""
    figures = recording.figures
    lines = [("recording", safe_line(figures["source"]))]
    lines += _topic_lines(figures["topics"])
    lines += [(name, safe_line(text)) for name, text in figures["references"].items()]
    lines += [("note", safe_line(note)) for note in figures["notes"]]
    lines += camera_lines(figures["camera"])
    lines += [("view", text) for text in figures["view"]]
    seen = figures["networks_input"]
    if seen:
        share = f"{100 * seen['image_coverage']:.0f} % of the image"
        lines.append(("networks", f"input of {seen['width']}x{seen['height']}, which shows {share}"))
    lines += timing_lines(figures) + image_lines(figures) + sample_lines(figures)
    return lines + warning_lines(recording.warnings)


def camera_lines(camera: Figures) -> Lines:
    """Size, intrinsics, field of view and distortion."""
    size = f"{camera['width']}x{camera['height']}"
    if not camera["calibrated"]:
        return [("camera", f"{size}, not calibrated, {camera['assumed_field_of_view']:.0f} degrees wide by assumption")]
    intrinsics = ", ".join(f"{name} {camera[name]:.2f}" for name in ("fx", "fy", "cx", "cy"))
    if camera["skew"]:
        intrinsics += f", skew {camera['skew']:.2f}"
    distortion = camera["distortion_model"]
    if distortion != "none":
        distortion += f" ({', '.join(f'{value:.4g}' for value in camera['D'])})"
    fields = camera["horizontal_field_of_view"], camera["vertical_field_of_view"]
    text = " x ".join(f"{angle:.0f}" if math.isfinite(angle) else "?" for angle in fields)
    state = "" if camera["rectified"] else ", rectified when read"
    return [("camera", f"{size}, {intrinsics}, {text} degrees"), ("distortion", distortion + state)]


def timing_lines(figures: Figures) -> Lines:
    """Rate, gaps, and the step from a target to its neighbours."""
    lines = [("rate", "one frame")]
    if math.isfinite(figures["rate"]):
        unsteady = f"{_percent(figures['unsteady_share'])} of the intervals off by more than 20 %"
        text = f"{figures['rate']:.2f} Hz, {figures['frames']} frames in {figures['duration']:.2f} s, {unsteady}"
        lines = [("rate", text)]
    gaps = figures["gaps"]
    if gaps:
        shown = ", ".join(f"{gap['seconds']:.2f} s at {gap['at']:.2f} s" for gap in gaps[:5])
        more = f", and {len(gaps) - 5} more" if len(gaps) > 5 else ""
        lines.append(("gaps", f"{len(gaps)}, {figures['missing_frames']} frames missing: {shown}{more}"))
    step = figures["step"]
    if math.isfinite(figures["pose_interval"]):
        frames = f"{step} frame{'s' if step > 1 else ''}"
        lines.append(("step", f"{frames}, {figures['pose_interval']:.3f} s between target and neighbours"))
    return lines


def image_lines(figures: Figures) -> Lines:
    """Motion, static triplets, parallax and exposure."""
    lines = []
    motion = figures["motion_per_step"]
    if math.isfinite(motion):
        overlap = f"; neighbours overlap by about {100 * max(0.0, 1 - motion):.0f} %"
        lines.append(("motion", f"{100 * motion:.2f} % of the width per step (median){overlap}"))
    lines.append(("static", f"{_percent(figures['static_share'])} of the triplets, left out"))
    if math.isfinite(figures["parallax"]):
        share = f"{100 * figures['parallax']:.0f} % of the tracked points"
        lines.append(("parallax", f"{share} move as no rotation explains (median of {figures['looked_at']})"))
    if math.isfinite(figures["brightness_change"]):
        usual, largest = (
            100 * math.expm1(figures[name]) for name in ("brightness_change", "largest_brightness_change")
        )
        text = f"brightness changes by {usual:.1f} % from frame to frame (median), at most by {largest:.0f} %"
        lines.append(("exposure", text))
    return lines


def sample_lines(figures: Figures) -> Lines:
    """Samples, frames that are left out with the reason, ground truth and stereo partner."""
    counts = f"{figures['training_samples']} for training, {figures['validation_samples']} for validation"
    lines = [("samples", counts)]
    unused = {use: n for use, n in figures["frames_by_use"].items() if use not in ("training", "validation")}
    lines += [
        ("left out", f"{count}: {safe_line(reason)}")
        for reason, count in [*unused.items(), *few_reasons(figures["left_out"])]
    ]
    lines.append(("ground truth", ground_truth_text(figures["ground_truth"])))
    stereo = figures["stereo"]
    if stereo:
        paired = f", {_percent(stereo['paired_share'])} of the frames paired" if "paired_share" in stereo else ""
        use = "" if stereo["used"] else " (not used; --sources both would)"
        baseline = f"{stereo['baseline']:.4f} m" if math.isfinite(stereo["baseline"]) else "unknown"
        lines.append(("stereo partner", f"{stereo['right']}, baseline {baseline}{paired}{use}"))
    return lines


def ground_truth_text(figures: Figures) -> str:
    """Depth images and poses of a recording, and what the training uses them for."""
    found = []
    if figures["depth_images"]:
        found.append((f"{figures['depth_images']} depth images", figures["depth_teaching_setting"]))
    if figures["poses"]:
        path = f"{figures['path_length']:.1f} m at {figures['mean_speed']:.2f} m/s"
        found.append((f"{figures['poses']} poses, {path}", figures["teaching_setting"]))
    if not found:
        return "none"
    for_validation = " (for validation only)"
    if not any(teaching for _, teaching in found):
        return ", ".join(text for text, _ in found) + for_validation
    return ", ".join(
        text + (f" (for training: {teaching})" if teaching else for_validation) for text, teaching in found
    )


def outcome_lines(inspection: Inspection) -> Lines:
    """Warnings about all recordings together, then the training's samples and camera, or why it would not start."""
    figures = inspection.figures
    lines = warning_lines(inspection.warnings)
    if inspection.reason:
        return [*lines, ("training", f"would refuse: {inspection.reason}")]
    fx, fy, cx, cy = figures["training_camera"]
    text = (
        f"{figures['training_samples']} samples, validated on {figures['validated_on']};"
        f" camera of the networks fx {fx:.3f}, fy {fy:.3f}, cx {cx:.3f}, cy {cy:.3f} (of width, height);"
        f" pose interval {figures['pose_interval']:.3f} s"
    )
    return [*lines, ("training", text)]


def warning_lines(warnings: Iterable[Finding]) -> Lines:
    """Two lines for each warning: what was found, and what to do."""
    return [line for warning in warnings for line in (("WARNING", warning.found), ("  do", warning.advice))]


def _topic_lines(topics: Sequence[Figures]) -> Lines:
    """The topics; of many those that are used and the first ones."""
    ordered = sorted(topics, key=lambda topic: "use" not in topic) if len(topics) > MOST_LISTED else topics
    lines = [("topic", _topic(topic)) for topic in ordered[:MOST_LISTED]]
    more = len(topics) - MOST_LISTED
    return [*lines, ("topic", f"and {more} more")] if more > 0 else lines


def _topic(topic: Figures) -> str:
    use = f": {topic['use']}" if "use" in topic else ""
    return f"{shown(topic['name'])} ({shown(topic['type'])}, {topic['count']}){use}"


def _percent(share: float) -> str:
    return f"{100 * share:.0f} %"
