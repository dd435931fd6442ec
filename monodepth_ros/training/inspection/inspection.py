# SPDX-License-Identifier: Apache-2.0
"""Inspection of recordings before a training, by the code that the training uses."""

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from monodepth_ros.data.frame_index import FrameIndex, index_frames
from monodepth_ros.data.sources.open_source import open_source
from monodepth_ros.data.sources.source import SourceOptions
from monodepth_ros.geometry.camera import CameraModel
from monodepth_ros.training.config import TrainConfig
from monodepth_ros.training.inspection.figures import (
    camera_figures,
    ground_truth_figures,
    motion_figures,
    scan_figures,
    stereo_figures,
    timing_figures,
    topic_figures,
    view_figures,
)
from monodepth_ros.training.inspection.frame_scan import FrameScan, scan_frames
from monodepth_ros.training.inspection.view_outline import view_outline
from monodepth_ros.training.samples.clip import TrainingError, read_mask
from monodepth_ros.training.samples.config import DataConfig
from monodepth_ros.training.samples.dataset import Dataset, TrainingRecording
from monodepth_ros.training.samples.open_dataset import camera_options, open_dataset
from monodepth_ros.training.samples.targets import TargetSelection, select_targets, split

# Uses of a frame, and reasons for using it as no target.
TRAINING, VALIDATION, STATIC, AT_AN_END, BETWEEN_BLOCKS, NO_PARTNER = (
    "training",
    "validation",
    "static",
    "no neighbours",
    "between training and validation",
    "no stereo partner",
)

Progress = Callable[[str, int, int | None], None]


@dataclass(frozen=True)
class Finding:
    """Something that makes a training worse, with advice."""

    found: str
    advice: str


@dataclass(eq=False)
class RecordingInspection:
    """Inspection of one recording.

    options, index: how it is read, and its frames. uses: (N,) str, the use of each frame. step: number of frames from a
    target to its neighbours. scan: of its images. outline: of what the networks see in the images of the first camera
    (see view_outline.py), None if a training would refuse the recordings. figures: plain numbers and texts in SI units,
    for the terminal and for JSON.
    """

    name: str
    path: str
    options: SourceOptions
    index: FrameIndex
    uses: np.ndarray
    step: int
    scan: FrameScan
    figures: dict[str, Any]
    outline: np.ndarray | None = None
    warnings: list[Finding] = field(default_factory=list)


@dataclass(eq=False)
class Inspection:
    """Inspection of all recordings.

    reason: why a training would refuse them, '' if it would not. notes: what it would print.
    """

    recordings: list[RecordingInspection]
    reason: str
    notes: list[str]
    figures: dict[str, Any]
    warnings: list[Finding] = field(default_factory=list)

    def as_dict(self) -> dict[str, Any]:
        """Everything in plain types, for JSON."""
        return {
            **self.figures,
            "refusal": self.reason or None,
            "notes": self.notes,
            "warnings": [vars(finding) for finding in self.warnings],
            "recordings": [
                {**recording.figures, "warnings": [vars(finding) for finding in recording.warnings]}
                for recording in self.recordings
            ],
        }


def inspect_recordings(config: TrainConfig, progress: Progress | None = None) -> Inspection:
    """Open the recordings as `open_dataset` does, and inspect them.

    progress: called with (what is done, frames done, all frames or None). Raises what `open_source` raises, and
    TrainingError if no recording is given. A TrainingError of `open_dataset` becomes the inspection's `reason`.
    """

    def reading(path: str, count: int, total: int | None) -> None:
        if progress is not None:
            progress(f"reading {path}", count, total)

    data = config.data
    dataset: Dataset | None = None
    reason = ""
    try:
        dataset = open_dataset(data, config.networks, reading)
    except TrainingError as error:
        if not data.recordings:
            raise
        reason = str(error)
    try:
        inspected = []
        for number, path in enumerate(data.recordings):
            recording = dataset.recordings[number] if dataset else None
            inspected.append(_inspect(path, config, recording, reading))
        figures: dict[str, Any] = {
            "training_samples": sum(one.figures["training_samples"] for one in inspected),
            "validation_samples": sum(one.figures["validation_samples"] for one in inspected),
            "would_train": not reason,
        }
        if dataset is not None:
            # From the data set itself, so that a difference would show.
            figures["training_samples"] = len(dataset.training)
            figures["validated_on"] = len(dataset.validation)
            figures["pose_interval"] = dataset.pose_interval
            figures["training_camera"] = list(dataset.training_camera)
            figures["metres_per_unit"] = dataset.metres_per_unit
        return Inspection(inspected, reason, dataset.notes if dataset else [], figures)
    finally:
        if dataset is not None:
            dataset.close()


def _inspect(
    path: str, config: TrainConfig, recording: TrainingRecording | None, progress: Progress
) -> RecordingInspection:
    data = config.data
    notes: list[str] = []
    options, _ = camera_options(path, data, notes)
    if recording is not None:
        index, selection = recording.clip.index, recording.selection
    else:
        reading = partial(progress, path)
        index = index_frames(path, options, reading, data.index_beside, notes.append)
        selection = select_targets(index, data.frame_step, data.min_motion, data.has_neighbours)
    uses = _uses(index, data, selection, recording)
    with open_source(path, options) as source:
        scan = scan_frames(source, index, selection.targets, selection.step, _ignored(data, index.cameras[0]))
        figures = {
            "recording": path,
            "source": source.description,
            "notes": [*notes, *source.notes],
            "topics": topic_figures(path, source),
            "references": dict(source.references),
            "camera": camera_figures(index.cameras[0]) | {"calibrations": len(index.cameras)},
            **timing_figures(index),
            "step": selection.step,
            "pose_interval": selection.step * index.interval,
            "runs": selection.runs,
            **motion_figures(index, selection.step),
            "static_share": selection.static_share,
            "training_samples": int(np.count_nonzero(uses == TRAINING)),
            "validation_samples": int(np.count_nonzero(uses == VALIDATION)),
            "frames_by_use": {use: int(np.count_nonzero(uses == use)) for use in dict.fromkeys(uses.tolist())},
            "left_out": dict(index.left_out),
            "ground_truth": ground_truth_figures(index, config.pose_supervision, config.depth_supervision),
            "stereo": stereo_figures(path, options, data, source, index, recording),
            "view": [view.description for view in recording.clip.views] if recording else [],
            "networks_input": view_figures(recording, config.networks) if recording else None,
            **scan_figures(scan, index),
        }
    return RecordingInspection(
        name=Path(path).name,
        path=path,
        options=options,
        index=index,
        uses=uses,
        step=selection.step,
        scan=scan,
        figures=figures,
        outline=view_outline(recording.clip.views[0], index.cameras[0]) if recording else None,
    )


def _uses(
    index: FrameIndex, data: DataConfig, selection: TargetSelection, recording: TrainingRecording | None
) -> np.ndarray:
    in_time = data.has_neighbours
    uses = np.full(len(index), AT_AN_END, dtype=object)
    uses[select_targets(index, selection.step, 0.0, in_time).targets] = STATIC
    targets = selection.targets
    if recording is not None and recording.partners is not None:
        uses[targets] = NO_PARTNER
        targets = targets[recording.partners[targets] >= 0]
    uses[targets] = BETWEEN_BLOCKS
    training, validation = split(index, targets, selection.step if in_time else 0, data.validation_share)
    uses[training], uses[validation] = TRAINING, VALIDATION
    return uses


def _ignored(data: DataConfig, camera: CameraModel) -> np.ndarray | None:
    """Pixels (H, W) bool that the settings leave out already, or None."""
    ignored = np.zeros((camera.height, camera.width), bool)
    if data.hood > 0:
        ignored[round(camera.height * (1 - data.hood)) :] = True
    mask = read_mask(data.mask_file)
    if mask is not None and mask.shape == ignored.shape:
        ignored |= ~mask
    return ignored if ignored.any() else None
