# SPDX-License-Identifier: Apache-2.0
"""Networks adapted to a camera by its own recording, and whether that made them better: judged without ground truth."""

import math
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from torch import nn

from monodepth_ros.networks.checkpoint import Checkpoint, load_checkpoint, save_checkpoint
from monodepth_ros.networks.checkpoint_header import CheckpointHeader
from monodepth_ros.networks.disparity import disparity_to_depth
from monodepth_ros.settings.schema import replace as with_settings
from monodepth_ros.training.config import NetworksConfig, TrainConfig
from monodepth_ros.training.run_log import read_log
from monodepth_ros.training.samples.dataset import Dataset
from monodepth_ros.training.samples.loader import Loader
from monodepth_ros.training.trainer import BEST

ADAPTED = "adapted.safetensors"
# What an adapted checkpoint must reach: the loss sinks by this share, and depth keeps this share of its spread. A smaller
# gain came without better depth wherever that could be measured (docs/benchmarks.md).
GAIN, SPREAD = 0.05, 0.5
# Neighbouring frames may disagree on depth by so many times more, and by this on top: depth that gains detail agrees a
# little less than a smooth one, depth that falls apart by far more.
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
# Of a checkpoint without a pose network. There is no motion to be learned first: some ten steps are enough.
BY_FEATURES = {"data.motion": "features", "optimizer.learning_rate": 2e-5, "loop.validate_every": 20}


@dataclass(frozen=True)
class Outcome:
    """before, after: figures of the validation (see `Validation`) on the held-out blocks. is_better: the new checkpoint is
    kept; reason: why, or why not."""

    before: dict[str, float]
    after: dict[str, float]
    is_better: bool
    reason: str


def adaptation_settings(checkpoint: Checkpoint, steps: int) -> TrainConfig:
    """Settings of a training that goes on from a checkpoint for so many steps, with its networks, size and range.

    Where it has no pose network, features tell the motion: a new one would know this recording alone, and be a coarse
    teacher for depth that is good already (docs/benchmarks.md).
    """
    header = checkpoint.header
    return with_settings(
        TrainConfig(),
        {
            **DEFAULTS,
            **(BY_FEATURES if checkpoint.pose is None else {}),
            "networks.start_from": str(checkpoint.path),
            "networks.depth": header.depth_network,
            "networks.pose": header.pose_network or NetworksConfig().pose,
            "networks.width": header.width,
            "networks.height": header.height,
            "networks.filter": header.filter,
            "networks.min_depth": header.min_depth,
            "networks.max_depth": header.max_depth,
            "loop.max_steps": steps,
            "loop.licence": header.licence,
        },
    )


def judge(folder: Path) -> Outcome:
    """Compare the validation before the first step with the best later."""
    before, *validations = (line for line in read_log(folder) if line["kind"] == "validation")
    later = [line for line in validations if line["loss"] is not None]
    if not later:
        return Outcome(before, before, False, "it was stopped before the first validation")
    after = min(later, key=lambda line: line["loss"])
    reason = _objection(before, after)
    gain = 1 - after["loss"] / before["loss"]
    return Outcome(before, after, not reason, reason or f"the loss on held-out blocks sank by {100 * gain:.1f} %")


def _objection(before: dict[str, float], after: dict[str, float]) -> str:
    """Why the new networks are not taken, '' if they are."""
    if not after["loss"] < (1 - GAIN) * before["loss"]:
        return f"the loss on held-out blocks did not sink by {100 * GAIN:g} % (from {before['loss']:.4f} to {after['loss']:.4f} at best)"
    if after["spread"] < SPREAD * before["spread"]:
        return (
            f"depth collapsed (the spread of its logarithm fell from {before['spread']:.3f} to {after['spread']:.3f})"
        )
    if (
        "inconsistency" in before
        and after["inconsistency"] > INCONSISTENCY * before["inconsistency"] + INCONSISTENCY_MARGIN
    ):
        return (
            f"neighbouring frames agree less on depth (their disagreement rose from {before['inconsistency']:.3f} to"
            f" {after['inconsistency']:.3f})"
        )
    return ""


def keep(old: Checkpoint, dataset: Dataset, folder: Path, workers: int) -> Path:
    """Write the best weights of a training in `folder` as its adapted.safetensors, in the old checkpoint's units.

    Known motion holds the scale. Where a network learns the motion, a single camera's video says nothing about metres, and
    the scale may drift: the new factor is that at which both networks see the held-out frames at the same median depth.
    """
    new = load_checkpoint(folder / BEST)
    ratio = 1.0 if new.header.is_metric else scale_ratio(old, new, dataset, workers)
    header = old.header
    origin = f"{header.scale_origin}; kept while adapting" if header.is_metric else header.scale_origin
    adapted: CheckpointHeader = replace(
        header,
        pose_network=new.header.pose_network,
        pose_interval=new.header.pose_interval,
        scale_factor=header.scale_factor * ratio if header.is_metric else header.scale_factor,
        scale_origin=origin,
        training_data=f"{header.training_data or 'unknown'}; adapted to {new.header.training_data}",
        versions={},
    )
    path = folder / ADAPTED
    save_checkpoint(path, adapted, new.depth, new.pose)
    return path


def scale_ratio(old: Checkpoint, new: Checkpoint, dataset: Dataset, workers: int) -> float:
    """The median over the validation frames of old over new depth, each the median of its frame."""
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
