# SPDX-License-Identifier: Apache-2.0
"""How good the networks are on the samples that were kept for validation."""

import math
from dataclasses import dataclass

import numpy as np
import torch

from monodepth_ros.evaluation.depth_in_camera import DepthInCamera
from monodepth_ros.evaluation.depth_metrics import EvaluationError, evaluate_depth, mean_metrics
from monodepth_ros.evaluation.snippet_ate import snippet_ate
from monodepth_ros.evaluation.trajectory_metrics import path_length
from monodepth_ros.geometry.motion import invert, rotation_to_axis_angle
from monodepth_ros.networks.disparity import disparity_to_depth
from monodepth_ros.training.learner import Learner
from monodepth_ros.training.objective import Objective
from monodepth_ros.training.samples.dataset import Dataset, Sample
from monodepth_ros.training.samples.loader import Loader, mix


@dataclass(frozen=True)
class Truth:
    """Exact depth (H', W') [m] of the image as published, and its part that counts."""

    depth: np.ndarray
    crop: str


class Validation:
    """Validates a learner on a dataset's validation samples.

    metres_per_unit: of the networks' depth, NaN where it is not known: depth is scaled by each image's median then.
    uses_truth: exact depth, where there is some, decides which weights are best.

    Figures: loss; inconsistency (mean disagreement of neighbouring frames on depth, in [0, 1)); spread (standard deviation
    of the logarithm of an image's depth: near 0 where depth has collapsed to a plane); and against ground truth abs_rel,
    rmse, a1, ate_5, rotation_error.
    """

    def __init__(
        self,
        dataset: Dataset,
        objective: Objective,
        loader: Loader,
        depth_range: tuple[float, float],
        metres_per_unit: float,
        uses_truth: bool = True,
    ):
        self._dataset, self._objective, self._loader, self._uses_truth = dataset, objective, loader, uses_truth
        self._range, self._metres_per_unit = depth_range, metres_per_unit
        self._truths = read_truths(dataset)
        self.trajectories: list[tuple[np.ndarray, np.ndarray]] = []
        """Of the last validation: exact and predicted poses (N, 4, 4) over each chain, the latter at the former's length."""

    @property
    def measure(self) -> str:
        """The name of the figure that says which weights are best; lower is better."""
        return "abs_rel" if self._truths and self._uses_truth else "loss"

    def __call__(self, learner: Learner, device: torch.device) -> tuple[dict[str, float], dict[str, torch.Tensor]]:
        """Mean figures, and the pictures of the first sample: (C, H, W) by name."""
        losses, depths, spreads, inconsistencies = [], [], [], []
        has_neighbours = self._dataset.sources != "stereo"
        pictures: dict[str, torch.Tensor] = {}
        samples = self._dataset.validation
        learner.eval()
        done = 0
        with torch.inference_mode():
            for batch in self._loader.batches(samples, drop_last=False):
                chosen = samples[done : done + batch.size]
                done += batch.size
                batch = batch.to(device)
                prediction = learner(batch, with_source_depth=has_neighbours)
                # The same noise every time: figures of different steps compare.
                noise = torch.Generator(device).manual_seed(mix(done))
                loss = self._objective(batch, prediction, noise, with_pictures=not pictures)
                losses += [loss.total.item()] * batch.size
                if has_neighbours:
                    inconsistencies += [self._objective.inconsistency(batch, prediction).item()] * batch.size
                if not pictures:
                    pictures = {"target": batch.images[0][0].cpu()}
                    pictures |= {name: picture[0].float().cpu() for name, picture in loss.pictures.items()}
                disparity = prediction.disparities[0][:, 0].float().cpu().numpy()
                for sample, values in zip(chosen, disparity, strict=True):
                    spreads.append(float(np.log(disparity_to_depth(values, *self._range)).std()))
                    depths += self._depth_metrics(sample, values)
            odometry = self._odometry(learner, device)
        learner.train()
        means = {"loss": losses, "inconsistency": inconsistencies, "spread": spreads}
        found = {name: float(np.mean(values)) for name, values in means.items() if values}
        if depths:
            mean = mean_metrics(depths)
            found |= {name: getattr(mean, name) for name in ("abs_rel", "rmse", "a1")}
        return found | odometry, pictures

    def _depth_metrics(self, sample: Sample, disparity: np.ndarray) -> list:
        truth = self._truths.get(sample)
        if truth is None:
            return []
        recorded = self._dataset.recordings[sample.clip]
        clip = recorded.clip
        view = clip.view(sample.frame)
        known = math.isfinite(self._metres_per_unit)
        depth = (
            disparity_to_depth(disparity, *self._range) * view.depth_factor * (self._metres_per_unit if known else 1.0)
        )
        published = DepthInCamera(view.camera, clip.index.cameras[clip.index.camera_ids[sample.frame]])(depth)
        try:
            return [evaluate_depth(truth.depth, published, crop=truth.crop, scaling="none" if known else "median")]
        except EvaluationError:  # no true pixel where the networks look
            return []

    def _odometry(self, learner: Learner, device: torch.device) -> dict[str, float]:
        """Error of the trajectories over the chains: 5-frame ATE [m], each snippet at its own best scale (Zhou et al. 2017),
        and the mean angle [degrees] between a step's predicted and exact rotation."""
        errors, rotations = [], []
        self.trajectories = []
        for chain in self._dataset.chains:
            recorded = self._dataset.recordings[chain[0].clip]
            exact, found = [np.eye(4)], [np.eye(4)]
            for batch in self._loader.batches(chain, drop_last=False):
                batch = batch.to(device)
                prediction = learner(batch)
                motion = prediction.motions[1]
                depth = disparity_to_depth(prediction.disparities[0], *self._range)
                for step in motion.matrix(depth).double().cpu().numpy():
                    if not np.isfinite(step).all():  # networks that have diverged: the loss says so
                        return {}
                    T = recorded.reference_motion(chain[len(exact) - 1].frame, 1)
                    rotations.append(np.degrees(np.linalg.norm(rotation_to_axis_angle(T[:3, :3].T @ step[:3, :3]))))
                    exact.append(exact[-1] @ invert(T))
                    found.append(found[-1] @ invert(step))
            exact, found = np.array(exact), np.array(found)
            errors.append(snippet_ate(exact, found).mean)
            found[:, :3, 3] *= path_length(exact[:, :3, 3]) / max(path_length(found[:, :3, 3]), 1e-9)
            self.trajectories.append((exact, found))
        return {"ate_5": float(np.mean(errors)), "rotation_error": float(np.mean(rotations))} if errors else {}


def read_truths(dataset: Dataset) -> dict[Sample, Truth]:
    """Exact depth of the validation samples, by one pass over each recording that has some."""
    found: dict[Sample, Truth] = {}
    for number, recorded in enumerate(dataset.recordings):
        clip = recorded.clip
        wanted = {
            int(clip.index.stamps_ns[sample.frame]): sample
            for sample in dataset.validation
            if sample.clip == number and clip.index.has_depth[sample.frame]
        }
        if not wanted:
            continue
        for frame in clip.source.frames():
            if frame.stamp_ns in wanted and frame.truth_depth is not None:
                found[wanted.pop(frame.stamp_ns)] = Truth(frame.truth_depth, clip.source.truth_crop)
                if not wanted:
                    break
    return found
