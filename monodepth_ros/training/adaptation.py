# SPDX-License-Identifier: Apache-2.0
"""Adaptation of networks to a camera by its own recording, judged without ground truth."""

import math
from collections.abc import Collection
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from torch import nn

from monodepth_ros.data.sources.open_source import open_source
from monodepth_ros.data.sources.reference_topics import NONE
from monodepth_ros.networks.checkpoints.checkpoint import Checkpoint, load_checkpoint, save_checkpoint
from monodepth_ros.networks.checkpoints.header import CheckpointHeader
from monodepth_ros.networks.disparity import disparity_to_depth
from monodepth_ros.settings.schema import replace as with_settings
from monodepth_ros.training.config import TrainConfig, network_settings
from monodepth_ros.training.run_log import read_log
from monodepth_ros.training.samples.dataset import Dataset
from monodepth_ros.training.samples.loader import Loader
from monodepth_ros.training.samples.open_dataset import camera_options, open_dataset
from monodepth_ros.training.session import Progress, add_known, reporting
from monodepth_ros.training.trainer import BEST
from monodepth_ros.training.training_folder import ADAPTED

# An adapted checkpoint is kept if the loss falls by this share and depth keeps this share of its spread. Wherever it
# could be measured, depth did not improve with a smaller gain (docs/benchmarks/adapting.md).
GAIN, SPREAD = 0.05, 0.5
# The disagreement in depth of neighbouring frames may grow by this factor plus this margin. Depth that gains detail
# agrees a little less, depth that falls apart far less.
INCONSISTENCY, INCONSISTENCY_MARGIN = 1.5, 0.01
DEFAULTS = {
    "data.validation_share": 0.2,
    "objective.scales": 1,
    "objective.canonical_camera": True,
    "optimizer.learning_rate": 5e-5,
    "optimizer.schedule": "cosine",
    "optimizer.warm_up": 20,
    "optimizer.epochs": 100000,
    "loop.batch_size": 4,
    "loop.best_by": "loss",
    "loop.patience": 4,
    "loop.validate_every": 50,
}
# Where the recording holds depth that a sensor has measured.
BY_DEPTH = {"objective.depth.weight": 1.0, "loop.best_by": "auto"}
# Without a pose network for the networks' view. No motion has to be learned first, so some ten steps are enough.
BY_FEATURES = {"data.motion": "features", "optimizer.learning_rate": 2e-5, "loop.validate_every": 20}


@dataclass(frozen=True)
class Outcome:
    """Result of an adaptation.

    before, after: figures on the held-out blocks (see `Validation`). is_better: whether the new checkpoint is kept.
    reason: why it is kept or refused.
    """

    before: dict[str, float]
    after: dict[str, float]
    is_better: bool
    reason: str


def adaptation_settings(checkpoint: Checkpoint, steps: int) -> TrainConfig:
    """Settings of a training that continues a checkpoint for `steps` steps, with its networks, input size and depth
    range.

    Without a pose network, tracked features give the motion. A pose network trained on this recording alone would be a
    coarse teacher for depth that is good already (docs/benchmarks/negative_results.md).
    """
    return with_settings(
        TrainConfig(),
        {
            **DEFAULTS,
            **(BY_FEATURES if checkpoint.pose is None else {}),
            "networks.start_from": str(checkpoint.path),
            **network_settings(checkpoint.header),
            "loop.max_steps": steps,
            "loop.licence": checkpoint.header.licence,
        },
    )


def with_measured_depth(config: TrainConfig, given: Collection[str]) -> TrainConfig:
    """The settings with supervision by depth, if a sensor has measured some, or data.depth_topic names a topic.

    given: names of settings that a user has chosen; objective.depth.weight among them is kept. Raises what
    `open_source` raises.
    """
    if "objective.depth.weight" in given or config.data.depth_topic == NONE:
        return config
    for path in config.data.recordings:
        options, _ = camera_options(path, config.data, [])
        with open_source(path, options) as source:
            if source.has_measured_depth or (config.data.depth_topic and source.has_reference_depth):
                return with_settings(config, {name: value for name, value in BY_DEPTH.items() if name not in given})
    return config


def open_recordings(
    config: TrainConfig, checkpoint: Checkpoint, given: Collection[str], progress: Progress | None = None
) -> tuple[TrainConfig, Dataset]:
    """The data set, with the views that the node shows the checkpoint's networks, and the settings to adapt with.

    Where that is the whole image of a camera of another shape, features give the motion, unless data.motion is among
    the names `given`: the pose network does not know that view, and in the node it gets its training camera's. It would
    learn the view first, and the loss would fall for that alone. Raises what `open_training_data` raises.
    """
    dataset = open_dataset(config.data, config.networks, reporting("indexing", progress), checkpoint.header)
    sees_whole = any(view.kind == "whole" for recording in dataset.recordings for view in recording.clip.views)
    is_free = "data.motion" not in given and not config.objective.velocity
    if sees_whole and config.learns_motion and is_free:
        config = with_settings(config, {name: value for name, value in BY_FEATURES.items() if name not in given})
        dataset.notes.append(
            "the motion comes from features: the pose network, which sees a part of the image only, stays as it is"
        )
    add_known(dataset, config, progress)
    return config, dataset


def judge(folder: Path, by_depth: bool = False) -> Outcome:
    """Compare the validation before the first step with the best one after it.

    by_depth: judge by the error against the held-out reference depth, as far as there is some, instead of the loss.
    """
    before, *validations = [line for line in read_log(folder) if line["kind"] == "validation"] or [{}]
    measure = "abs_rel" if by_depth and before.get("abs_rel") is not None else "loss"
    if before.get(measure) is None:
        return Outcome(before, before, False, f"the {measure} of the old networks on held-out blocks is unknown")
    later = [line for line in validations if line.get(measure) is not None]
    if not later:
        return Outcome(before, before, False, "the training was stopped before the first validation")
    after = min(later, key=lambda line: line[measure])
    if measure == "abs_rel":
        return _judge_by_depth(before, after)
    reason = _reason_against(before, after)
    if reason:
        return Outcome(before, after, False, reason)
    gain = 1 - after["loss"] / before["loss"]
    return Outcome(before, after, True, f"the loss on held-out blocks fell by {100 * gain:.1f} %")


def _judge_by_depth(before: dict[str, float], after: dict[str, float]) -> Outcome:
    what = "the error against held-out reference depth (abs_rel)"
    if not after["abs_rel"] < (1 - GAIN) * before["abs_rel"]:
        values = f"from {before['abs_rel']:.4f} to {after['abs_rel']:.4f} at best"
        return Outcome(before, after, False, f"{what} did not fall by {100 * GAIN:g} % ({values})")
    gain = 1 - after["abs_rel"] / before["abs_rel"]
    return Outcome(before, after, True, f"{what} fell by {100 * gain:.1f} %")


def _reason_against(before: dict[str, float], after: dict[str, float]) -> str:
    """Reason to refuse the new networks, '' to keep them."""
    if not after["loss"] < (1 - GAIN) * before["loss"]:
        values = f"from {before['loss']:.4f} to {after['loss']:.4f} at best"
        return f"the loss on held-out blocks did not fall by {100 * GAIN:g} % ({values})"
    if None in (before.get("spread"), after.get("spread")):
        return "the spread of depth is not finite"
    if after["spread"] < SPREAD * before["spread"]:
        return (
            f"depth collapsed (the spread of its logarithm fell from {before['spread']:.3f} to {after['spread']:.3f})"
        )
    if (
        None not in (before.get("inconsistency"), after.get("inconsistency"))
        and after["inconsistency"] > INCONSISTENCY * before["inconsistency"] + INCONSISTENCY_MARGIN
    ):
        return (
            f"depth of neighbouring frames agrees less (the disagreement rose from {before['inconsistency']:.3f} to"
            f" {after['inconsistency']:.3f})"
        )
    return ""


def keep(old: Checkpoint, dataset: Dataset, folder: Path, workers: int) -> Path:
    """Write the best weights of a training in `folder` to its adapted.safetensors, in the old checkpoint's scale.

    Reference depth that teaches gives the scale anew, and known motion fixes it. With a learned motion the scale may
    drift, because the video of a single camera has no metres. The new factor then gives the held-out frames the same
    median depth as the old networks. Without a calibration the result is relative. A pose network that was not trained
    stays as it was.
    """
    new = load_checkpoint(folder / BEST)
    pose, pose_header = new.pose, new.header
    if pose is None and old.pose is not None and not old.pose.uses_depth_features:
        pose, pose_header = old.pose, old.header  # known motion has its units
    ratio = 1.0 if new.header.is_metric else scale_ratio(old, new, dataset, workers)
    header = old.header
    if not dataset.is_calibrated:  # the metres of depth depend on the focal length, which is a guess
        header = replace(header, scale_kind="relative", scale_factor=1.0, scale_origin="")
    origin = f"{header.scale_origin}; kept while adapting" if header.is_metric else header.scale_origin
    if dataset.depth_range is not None and dataset.is_calibrated:
        header, origin = (
            replace(header, scale_kind="metric", scale_factor=new.header.scale_factor),
            new.header.scale_origin,
        )
    adapted: CheckpointHeader = replace(
        header,
        pose_network=pose_header.pose_network,
        pose_interval=pose_header.pose_interval,
        scale_factor=header.scale_factor * ratio if header.is_metric else header.scale_factor,
        scale_origin=origin,
        training_data=f"{header.training_data or 'unknown'}; adapted to {new.header.training_data}",
        versions={},
    )
    path = folder / ADAPTED
    save_checkpoint(path, adapted, new.depth, pose)
    return path


def scale_ratio(old: Checkpoint, new: Checkpoint, dataset: Dataset, workers: int) -> float:
    """Median, over the validation frames, of the ratio of old to new median depth."""
    loader = Loader(dataset, 1, workers)
    ratios = []
    try:
        with torch.inference_mode():
            for batch in loader.batches(dataset.validation, drop_last=False):
                images = batch.to("cpu").images[0]
                ratios.append(
                    _median_depth(old.depth, images, old.header) / _median_depth(new.depth, images, new.header)
                )
    finally:
        loader.close()
    ratio = float(np.median(ratios))
    return ratio if math.isfinite(ratio) and ratio > 0 else 1.0


def _median_depth(network: nn.Module, images: torch.Tensor, header: CheckpointHeader) -> float:
    network.eval()
    return float(disparity_to_depth(network(images, (0,))[0], header.min_depth, header.max_depth).median())
