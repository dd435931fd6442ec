# SPDX-License-Identifier: Apache-2.0
"""What a training would use of its recordings, found by the code that the training uses."""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from monodepth_ros.data.bags.recording import Recording
from monodepth_ros.data.frame_index import FrameIndex, index_frames
from monodepth_ros.data.sources.bag import BagSource
from monodepth_ros.data.sources.open_source import open_source
from monodepth_ros.data.sources.source import FrameSource, SourceOptions
from monodepth_ros.data.sources.stereo_partner import stereo_partner
from monodepth_ros.geometry.camera import CameraModel
from monodepth_ros.training.config import TrainConfig
from monodepth_ros.training.inspection.frame_scan import FrameScan, scan_frames
from monodepth_ros.training.samples.clip import TrainingError, read_mask
from monodepth_ros.training.samples.config import DataConfig
from monodepth_ros.training.samples.dataset import Dataset, TrainingRecording
from monodepth_ros.training.samples.open_dataset import camera_options, open_dataset
from monodepth_ros.training.samples.selection import GAP, choose_targets, split

# What becomes of a frame.
TRAINING, VALIDATION, STATIC, AT_AN_END, BETWEEN_BLOCKS, NO_PARTNER = (
    "training",
    "validation",
    "static",
    "no neighbours",
    "between training and validation",
    "no stereo partner",
)
UNSTEADY = 0.2  # of an interval


@dataclass(frozen=True)
class Warned:
    """Something that makes a training worse: what was found, and what to do."""

    found: str
    advice: str


@dataclass(eq=False)
class RecordingInspection:
    """One recording: how it is read, its index, what becomes of each frame (uses: (N,) str), the look at its
    images, and the figures (plain numbers and texts, SI units) that are printed and written as JSON."""

    name: str
    path: str
    options: SourceOptions
    index: FrameIndex
    uses: np.ndarray
    step: int
    scan: FrameScan
    figures: dict[str, Any]
    warnings: list[Warned] = field(default_factory=list)


@dataclass(eq=False)
class Inspection:
    """All recordings. reason: why the training would not begin, '' if it would. notes: what it would say."""

    recordings: list[RecordingInspection]
    reason: str
    notes: list[str]
    figures: dict[str, Any]
    warnings: list[Warned] = field(default_factory=list)


def inspect_recordings(
    config: TrainConfig, progress: Callable[[str, int, int | None], None] | None = None
) -> Inspection:
    """Open the recordings as `open_dataset` does, and look at them. progress: as there.

    Raises what `open_source` raises; what `open_dataset` refuses is the inspection's `reason`. TrainingError
    only where no recording is given.
    """
    data = config.data
    dataset: Dataset | None = None
    reason = ""
    try:
        dataset = open_dataset(data, config.networks, progress)
    except TrainingError as error:
        if not data.recordings:
            raise
        reason = str(error)
    try:
        found = []
        for number, path in enumerate(data.recordings):
            recorded = dataset.recordings[number] if dataset else None
            found.append(_inspect(path, data, recorded, progress))
        figures: dict[str, Any] = {
            "training_samples": sum(one.figures["training_samples"] for one in found),
            "validation_samples": sum(one.figures["validation_samples"] for one in found),
            "would_train": not reason,
        }
        if dataset is not None:
            # The dataset's own word, so that a difference would be seen.
            figures["training_samples"] = len(dataset.training)
            figures["validated_on"] = len(dataset.validation)
            figures["pose_interval"] = dataset.pose_interval
            figures["training_camera"] = list(dataset.training_camera)
            figures["metres_per_unit"] = dataset.metres_per_unit
        return Inspection(found, reason, dataset.notes if dataset else [], figures)
    finally:
        if dataset is not None:
            dataset.close()


def _inspect(path: str, data: DataConfig, recorded: TrainingRecording | None, progress) -> RecordingInspection:
    notes: list[str] = []
    options, _ = camera_options(path, data, notes)
    # The kept one, where the dataset has been opened.
    index = (
        recorded.clip.index
        if recorded
        else index_frames(path, options, progress and (lambda n, total: progress(path, n, total)))
    )
    in_time = data.sources != "stereo"
    choice = recorded.choice if recorded else choose_targets(index, data.frame_step, data.min_motion, in_time)
    uses = _uses(index, data, choice, recorded)
    with open_source(path, options) as source:
        scan = scan_frames(source, index, choice.targets, choice.step, _ignored(data, index.cameras[0]))
        figures = {
            "recording": path,
            "source": source.description,
            "notes": notes,
            "topics": _topics(path, source),
            "camera": camera_figures(index.cameras[0]) | {"calibrations": len(index.cameras)},
            **_timing(index),
            "step": choice.step,
            "pose_interval": choice.step * index.interval,
            "runs": choice.runs,
            **_motion(index, choice.step),
            "static_share": choice.static_share,
            "training_samples": int(np.count_nonzero(uses == TRAINING)),
            "validation_samples": int(np.count_nonzero(uses == VALIDATION)),
            "frames_by_use": {use: int(np.count_nonzero(uses == use)) for use in dict.fromkeys(uses.tolist())},
            "left_out": dict(index.left_out),
            "ground_truth": _ground_truth(index),
            "stereo": _stereo(path, options, data, source, index, recorded),
            "view": [view.description for view in recorded.clip.views] if recorded else [],
            **_scanned(scan, index),
        }
    return RecordingInspection(Path(path).name, path, options, index, uses, choice.step, scan, figures)


def _uses(index: FrameIndex, data: DataConfig, choice, recorded: TrainingRecording | None) -> np.ndarray:
    in_time = data.sources != "stereo"
    uses = np.full(len(index), AT_AN_END, dtype=object)
    uses[choose_targets(index, choice.step, 0.0, in_time).targets] = STATIC
    targets = choice.targets
    if recorded is not None and recorded.partners is not None:
        uses[targets] = NO_PARTNER
        targets = targets[recorded.partners[targets] >= 0]
    uses[targets] = BETWEEN_BLOCKS
    training, validation = split(index, targets, choice.step if in_time else 0, data.validation_share)
    uses[training], uses[validation] = TRAINING, VALIDATION
    return uses


def camera_figures(camera: CameraModel) -> dict[str, Any]:
    """Size [px], intrinsics [px], distortion and field of view [degrees] of the image as published."""
    figures: dict[str, Any] = {
        "width": camera.width,
        "height": camera.height,
        "calibrated": camera.is_calibrated,
    }
    if camera.is_calibrated:
        figures |= {
            "fx": camera.fx,
            "fy": camera.fy,
            "cx": camera.cx,
            "cy": camera.cy,
            "rectified": camera.is_rectified,
        }
        figures |= {
            "distortion_model": camera.distortion_model if camera.is_distorted else "none",
            "D": camera.D.tolist(),
        }
        across = (
            ((-0.5, camera.cy), (camera.width - 0.5, camera.cy)),
            ((camera.cx, -0.5), (camera.cx, camera.height - 0.5)),
        )
        for name, ends in zip(("horizontal_field_of_view", "vertical_field_of_view"), across):
            rays = camera.backproject(np.array(ends, np.float64), np.ones(2))
            rays = rays / np.linalg.norm(rays, axis=1, keepdims=True)
            figures[name] = float(np.degrees(np.arccos(np.clip(rays[0] @ rays[1], -1, 1))))
    return figures


def _topics(path: str, source: FrameSource) -> list[dict[str, Any]]:
    """Of a bag: every topic, and what the chosen ones are for."""
    if not isinstance(source, BagSource):
        return []
    stream = source.stream
    with Recording(path) as recording:
        topics = [{"name": t.name, "type": t.type, "count": t.count} for t in recording.topics.values()]
    for topic in topics:
        if topic["name"] in (stream.image, stream.camera_info):
            topic["use"] = "image" if topic["name"] == stream.image else "calibration"
    return topics


def _timing(index: FrameIndex) -> dict[str, Any]:
    intervals = np.diff(index.stamps_ns) * 1e-9
    usual = index.interval
    seconds = (index.stamps_ns - index.stamps_ns[0]) * 1e-9
    gaps = np.flatnonzero(intervals > GAP * usual) if len(intervals) else np.array([], int)
    return {
        "frames": len(index),
        "duration": float(seconds[-1]),
        "rate": 1.0 / usual if usual > 0 else float("nan"),
        "unsteady_share": float(np.mean(np.abs(intervals / usual - 1) > UNSTEADY)) if len(intervals) else 0.0,
        "gaps": [{"at": float(seconds[gap]), "seconds": float(intervals[gap])} for gap in gaps],
        "missing_frames": int(sum(round(intervals[gap] / usual) - 1 for gap in gaps)),
    }


def _motion(index: FrameIndex, step: int) -> dict[str, Any]:
    flow = index.flow[np.isfinite(index.flow)]
    moved = np.concatenate(([0.0], np.cumsum(np.nan_to_num(index.flow[1:]))))
    steps = moved[step:] - moved[:-step] if len(index) > step else np.array([])
    return {
        "motion_per_frame": float(np.median(flow)) if len(flow) else float("nan"),
        "motion_per_step": float(np.median(steps)) if len(steps) else float("nan"),
    }


def _ground_truth(index: FrameIndex) -> dict[str, Any]:
    known = np.isfinite(index.poses).all(axis=(1, 2))
    both = known[1:] & known[:-1]
    steps = np.linalg.norm(index.poses[1:, :3, 3] - index.poses[:-1, :3, 3], axis=1)[both]
    seconds = (np.diff(index.stamps_ns) * 1e-9)[both]
    return {
        "depth_images": int(index.has_depth.sum()),
        "poses": int(known.sum()),
        "path_length": float(steps.sum()),
        "mean_speed": float(steps.sum() / seconds.sum()) if len(steps) else float("nan"),
    }


def _stereo(
    path: str,
    options: SourceOptions,
    data: DataConfig,
    source: FrameSource,
    index: FrameIndex,
    recorded: TrainingRecording | None,
) -> dict[str, Any] | None:
    partner = stereo_partner(path, options, source, data.stereo_topic)
    if partner is None:
        return None
    with open_source(path, partner) as right:
        camera = next((frame.camera for frame in right.frames()), None)
        is_known = camera is not None and camera.is_calibrated and index.cameras[0].is_calibrated
        found: dict[str, Any] = {
            "right": right.description,
            "baseline": camera.baseline - index.cameras[0].baseline if is_known else float("nan"),
            "used": data.sources != "mono",
        }
    if recorded is not None and recorded.partners is not None:
        found["paired_share"] = float(np.mean(recorded.partners >= 0))
    return found


def _ignored(data: DataConfig, camera: CameraModel) -> np.ndarray | None:
    """(H, W) bool: what the settings leave out already."""
    ignored = np.zeros((camera.height, camera.width), bool)
    if data.hood > 0:
        ignored[round(camera.height * (1 - data.hood)) :] = True
    mask = read_mask(data.mask_file)
    if mask is not None and mask.shape == ignored.shape:
        ignored |= ~mask
    return ignored if ignored.any() else None


def _scanned(scan: FrameScan, index: FrameIndex) -> dict[str, Any]:
    change = scan.brightness_change[np.isfinite(scan.brightness_change)]
    parallax = scan.parallax[np.isfinite(scan.parallax)]
    region = scan.region
    return {
        "looked_at": len(scan.frames),
        "brightness": float(np.median(scan.brightness)),
        "brightness_change": float(np.median(change)) if len(change) else float("nan"),
        "largest_brightness_change": float(change.max()) if len(change) else float("nan"),
        "repeated_share": float(scan.repeated.mean()) if len(scan.repeated) else 0.0,
        "parallax": float(np.median(parallax)) if len(parallax) else float("nan"),
        "static_region": {"area": region.area, "hood": region.hood} if region else None,
        "sharpness": float(np.median(index.sharpness)),
    }
