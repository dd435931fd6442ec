# SPDX-License-Identifier: Apache-2.0
"""Accuracy of the networks on the validation samples."""

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
    """Ground-truth depth (H', W') [m] of the image as published, and the crop to compare in."""

    depth: np.ndarray
    crop: str


class Validation:
    """Validates a learner on the validation samples of a data set.

    depth_range: of the networks [network units]. metres_per_unit: NaN if unknown; depth is then scaled by each image's
    median. uses_truth: whether ground-truth depth, if there is any, selects the best weights.

    Figures: loss; inconsistency, the mean disagreement in depth of neighbouring frames, in [0, 1); spread, the standard
    deviation of log depth in an image, near 0 for depth that has collapsed to a plane; and against ground truth
    abs_rel, rmse [m], a1, ate_5 [m] and rotation_error [degrees].
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
        """Reference and estimated poses (N, 4, 4) of each chain in the last validation, scaled to the reference's
        length."""

    @property
    def measure(self) -> str:
        """Name of the figure that selects the best weights; lower is better."""
        return "abs_rel" if self._truths and self._uses_truth else "loss"

    def __call__(self, learner: Learner, device: torch.device) -> tuple[dict[str, float], dict[str, torch.Tensor]]:
        """Mean figures by name, and pictures (C, H, W) of the first sample by name."""
        losses, depths, spreads, inconsistencies = [], [], [], []
        has_neighbours = self._dataset.has_neighbours
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
                # The same noise every time, so that figures of different steps can be compared.
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
        figures = {name: float(np.mean(values)) for name, values in means.items() if values}
        if depths:
            mean = mean_metrics(depths)
            figures |= {name: getattr(mean, name) for name in ("abs_rel", "rmse", "a1")}
        return figures | odometry, pictures

    def _depth_metrics(self, sample: Sample, disparity: np.ndarray) -> list:
        truth = self._truths.get(sample)
        if truth is None:
            return []
        clip = self._dataset.recordings[sample.clip].clip
        view = clip.view(sample.frame)
        camera = clip.index.cameras[clip.index.camera_ids[sample.frame]]
        known = math.isfinite(self._metres_per_unit)
        depth = (
            disparity_to_depth(disparity, *self._range) * view.depth_factor * (self._metres_per_unit if known else 1.0)
        )
        published = DepthInCamera(view.camera, camera.assumed())(depth)
        try:
            return [evaluate_depth(truth.depth, published, crop=truth.crop, scaling="none" if known else "median")]
        except EvaluationError:  # no pixel with ground truth in the networks' view
            return []

    def _odometry(self, learner: Learner, device: torch.device) -> dict[str, float]:
        """Errors of the trajectories over the chains.

        ate_5: 5-frame ATE [m], each snippet aligned by its own scale (Zhou et al. 2017). rotation_error: mean angle
        [degrees] between the rotations of an estimated and a reference step.
        """
        errors, rotations = [], []
        self.trajectories = []
        for chain in self._dataset.chains:
            recording = self._dataset.recordings[chain[0].clip]
            reference, estimate = [np.eye(4)], [np.eye(4)]
            for batch in self._loader.batches(chain, drop_last=False):
                batch = batch.to(device)
                prediction = learner(batch)
                motion = prediction.motions[1]
                depth = disparity_to_depth(prediction.disparities[0], *self._range)
                for step in motion.matrix(depth).double().cpu().numpy():
                    if not np.isfinite(step).all():  # the networks have diverged, which shows in the loss
                        return {}
                    T = recording.reference_motion(chain[len(reference) - 1].frame, 1)
                    rotations.append(np.degrees(np.linalg.norm(rotation_to_axis_angle(T[:3, :3].T @ step[:3, :3]))))
                    reference.append(reference[-1] @ invert(T))
                    estimate.append(estimate[-1] @ invert(step))
            references, estimates = np.array(reference), np.array(estimate)
            errors.append(snippet_ate(references, estimates).mean)
            estimates[:, :3, 3] *= path_length(references[:, :3, 3]) / max(path_length(estimates[:, :3, 3]), 1e-9)
            self.trajectories.append((references, estimates))
        return {"ate_5": float(np.mean(errors)), "rotation_error": float(np.mean(rotations))} if errors else {}


def read_truths(dataset: Dataset) -> dict[Sample, Truth]:
    """Ground-truth depth of the validation samples that have some."""
    found: dict[Sample, Truth] = {}
    for sample in dataset.validation:
        clip, frame = dataset.recordings[sample.clip].clip, sample.frame
        index = clip.index
        if not index.has_depth[frame]:
            continue
        camera = index.cameras[index.camera_ids[frame]]
        depth = clip.source.reference_depth(int(index.stamps_ns[frame]), int(index.received_ns[frame]), camera)
        if depth is not None:
            found[sample] = Truth(depth, clip.source.reference_crop)
    return found
