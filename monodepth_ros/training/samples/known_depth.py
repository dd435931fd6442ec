# SPDX-License-Identifier: Apache-2.0
"""Depth that is known before the training: the recordings' reference depth, which supervises the networks."""

import math

import numpy as np
import torch

from monodepth_ros.losses.depth_supervision import at_points
from monodepth_ros.networks.checkpoints.checkpoint import Checkpoint, load_checkpoint
from monodepth_ros.networks.disparity import disparity_to_depth
from monodepth_ros.training.config import TrainConfig
from monodepth_ros.training.samples.clip import TrainingError
from monodepth_ros.training.samples.dataset import MIN_SAMPLES, Dataset, Sample

FITTED_FRAMES = 12  # for the scale of a relative checkpoint


def add_known_depth(dataset: Dataset, config: TrainConfig) -> None:
    """Let the reference depth teach, if objective.depth.weight asks for it, and determine the network units in metres.

    A metric checkpoint that the training starts with keeps its units, a relative one gets those that fit the reference
    best. In a training from scratch one unit is a metre. Motion by features, whose length follows from the depth of the
    checkpoint, gets the length that follows from the reference. Without neighbours in time (data.sources none) samples
    without reference depth are left out.

    Raises TrainingError if there is no reference depth, or it leaves too few samples.
    """
    if not config.objective.depth.weight:
        dataset.notes += [
            f"{recording.clip.name}: the measured depth serves for validation; objective.depth.weight=1 learns from it"
            for recording in dataset.recordings
            if recording.clip.source.has_measured_depth
        ]
        return
    holders = [recording for recording in dataset.recordings if recording.clip.index.has_depth.any()]
    if not holders:
        raise TrainingError(
            "objective.depth.weight needs reference depth, and the recordings hold none for their images: name its"
            " topic by data.depth_topic (`monodepth inspect` lists the candidates, and why they cannot be used)"
        )
    dataset.depth_range = config.objective.depth.min_range, config.objective.depth.max_range
    for recording in dataset.recordings:
        index = recording.clip.index
        known = int(index.has_depth.sum())
        dataset.notes.append(
            f"{recording.clip.name}: {known} of {len(index)} frames have reference depth to learn from"
        )
    if dataset.sources == "none":
        dataset.training, dataset.validation = (
            [sample for sample in samples if _has_depth(dataset, sample)]
            for samples in (dataset.training, dataset.validation)
        )
        if len(dataset.training) < MIN_SAMPLES:
            raise TrainingError(
                f"only {len(dataset.training)} samples have reference depth: see `monodepth inspect`, or learn from the"
                " images as well (data.sources mono)"
            )
    if dataset.sources in ("stereo", "both"):
        return  # the baseline gives the units
    start = load_checkpoint(config.networks.start_from) if config.networks.start_from else None
    _determine_units(dataset, config, start)
    topics = {
        dict(recording.clip.source.references).get("reference depth", "").split(" (")[0]
        for recording in holders
        if recording.clip.source.recording is not None
    }
    named = ", ".join(sorted(filter(None, topics)))
    dataset.scale_origin = "reference depth" + (f" of {named}" if named else "")


def _has_depth(dataset: Dataset, sample: Sample) -> bool:
    return bool(dataset.recordings[sample.clip].clip.index.has_depth[sample.frame])


def _determine_units(dataset: Dataset, config: TrainConfig, start: Checkpoint | None) -> None:
    """Set the data set's metres per network unit, and correct the length of motion by features."""
    if start is None:
        if not math.isfinite(dataset.metres_per_unit):
            dataset.metres_per_unit = 1.0
    elif not start.header.is_metric:
        if not math.isfinite(dataset.metres_per_unit):
            dataset.metres_per_unit = _fitted_scale(dataset, config, start)
    else:
        dataset.metres_per_unit = start.header.scale_factor
        if config.data.motion == "features":
            factor = _fitted_scale(dataset, config, start) / dataset.metres_per_unit
            for recording in dataset.recordings:
                recording.steps[:, :3, 3] *= factor
            dataset.notes.append(f"motion by features is {factor:.3g} times as long by the reference depth")


def _fitted_scale(dataset: Dataset, config: TrainConfig, start: Checkpoint) -> float:
    """Median of the reference depth [m] over the checkpoint's depth [network units] at the same points."""
    header, ratios = start.header, []
    start.depth.eval()
    samples = [sample for sample in dataset.training if _has_depth(dataset, sample)]
    for i in np.unique(np.linspace(0, len(samples) - 1, min(len(samples), FITTED_FRAMES)).round().astype(int)):
        clip, frame = dataset.recordings[samples[i].clip].clip, samples[i].frame
        points = torch.from_numpy(np.array(clip.reference(frame, dataset.depth_range)))[None]
        image = torch.from_numpy(np.array(clip.image(frame))).permute(2, 0, 1)[None].float() / 255
        with torch.inference_mode():
            disparity = start.depth(image, (0,))[0]
            predicted = disparity_to_depth(
                at_points(disparity, points[:, :2], image.shape[-2:]), header.min_depth, header.max_depth
            )
        factor = clip.view(frame).depth_factor if config.objective.canonical_camera else 1.0
        ratios.append((points[:, 2] / (predicted * factor)).numpy().ravel())
    values = np.concatenate([*ratios, []])
    values = values[np.isfinite(values)]
    if not len(values):
        raise TrainingError(
            "no reference depth lies in the networks' view within objective.depth.min_range and max_range: change them"
        )
    return float(np.median(values))
