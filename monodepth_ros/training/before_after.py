# SPDX-License-Identifier: Apache-2.0
"""Picture of depth before and after a training, side by side."""

import cv2
import numpy as np
import torch

from monodepth_ros.networks.checkpoints.checkpoint import Checkpoint
from monodepth_ros.networks.disparity import disparity_to_depth
from monodepth_ros.odometry.scale.source import NETWORK_UNITS
from monodepth_ros.pictures.depth_scale import depth_panel
from monodepth_ros.pictures.picture_sheet import labelled, picture_sheet
from monodepth_ros.training.samples.dataset import Dataset
from monodepth_ros.training.validation import read_truths

SHEET = "before_after.png"
SHOWN = 4  # frames


def before_after_sheet(dataset: Dataset, before: Checkpoint, after: Checkpoint) -> np.ndarray:
    """BGR picture of a few held-out frames, a row each: input, depth by both checkpoints, and ground truth if
    available.

    Both checkpoints are for the data set's views.
    """
    samples = dataset.validation or dataset.training
    chosen = [samples[i] for i in np.unique(np.linspace(0, len(samples) - 1, SHOWN).round().astype(int))]
    truths = read_truths(dataset)
    rows = []
    for sample in chosen:
        clip = dataset.recordings[sample.clip].clip
        image, factor = clip.image(sample.frame), clip.view(sample.frame).depth_factor
        row = [labelled(cv2.cvtColor(image, cv2.COLOR_RGB2BGR), dataset.name(sample))]
        row += [
            depth_panel(factor * _depth(checkpoint, image), _unit(checkpoint), title)
            for checkpoint, title in ((before, "before"), (after, "after"))
        ]
        if sample in truths:
            row.append(depth_panel(truths[sample].depth, "m", "ground truth"))
        rows.append(row)
    return picture_sheet(rows, "depth of frames held out of the training (near is bright)")


def _depth(checkpoint: Checkpoint, image: np.ndarray) -> np.ndarray:
    header = checkpoint.header
    batch = torch.from_numpy(image.copy()).permute(2, 0, 1)[None].float() / 255
    with torch.inference_mode():
        disparity = checkpoint.depth(batch, (0,))[0]
    return header.scale_factor * disparity_to_depth(disparity, header.min_depth, header.max_depth)[0, 0].numpy()


def _unit(checkpoint: Checkpoint) -> str:
    return "m" if checkpoint.header.is_metric else NETWORK_UNITS
