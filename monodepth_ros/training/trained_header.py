# SPDX-License-Identifier: Apache-2.0
"""Checkpoint header of a training."""

import math

from monodepth_ros.networks.checkpoints.header import CheckpointHeader
from monodepth_ros.training.config import TrainConfig
from monodepth_ros.training.samples.dataset import Dataset

NAMED_RECORDINGS = 5


def trained_header(config: TrainConfig, dataset: Dataset, has_pose: bool, metres_per_unit: float) -> CheckpointHeader:
    """Header for the networks of a training. metres_per_unit: NaN for relative depth."""
    networks, is_metric = config.networks, math.isfinite(metres_per_unit)
    names = [recording.clip.name for recording in dataset.recordings]
    if len(names) > NAMED_RECORDINGS:
        names = [*names[:NAMED_RECORDINGS], f"{len(names) - NAMED_RECORDINGS} more"]
    taught_by = [] if config.data.sources == "none" else [config.data.sources]
    taught_by += ["reference depth"] if config.objective.depth.weight else []
    return CheckpointHeader(
        depth_network=networks.depth,
        pose_network=networks.pose if has_pose else "",
        height=networks.height,
        width=networks.width,
        training_camera=dataset.training_camera,
        min_depth=networks.min_depth,
        max_depth=networks.max_depth,
        filter=networks.filter,
        pose_interval=dataset.pose_interval,
        scale_kind="metric" if is_metric else "relative",
        scale_factor=metres_per_unit if is_metric else 1.0,
        scale_origin=(dataset.scale_origin or "velocity supervision") if is_metric else "",
        training_data=f"{', '.join(names)} ({len(dataset.training)} samples, {' and '.join(taught_by)})",
        licence=config.loop.licence,
    )
