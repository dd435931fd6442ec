# SPDX-License-Identifier: Apache-2.0
"""The self-supervised objective (Godard et al. 2019): the target image explained by its neighbours.

Sources, warped by the predicted depth and motion, must look like the target; disparity must be smooth where the image is.
"""

from dataclasses import dataclass, field, replace

import torch
from torch import Tensor
from torch.nn import functional as F

from monodepth_ros.geometry.warp import backproject, project, sample, transform_points, warp
from monodepth_ros.losses.brightness import match_brightness
from monodepth_ros.losses.depth_consistency import depth_inconsistency
from monodepth_ros.losses.motion import motion_error
from monodepth_ros.losses.photometric import PhotometricTarget
from monodepth_ros.losses.predictive_mask import masked_reprojection
from monodepth_ros.losses.reprojection import COMBINATIONS, combine_reprojections, still_error
from monodepth_ros.losses.smoothness import smoothness
from monodepth_ros.losses.velocity import velocity_error
from monodepth_ros.networks.disparity import disparity_to_depth
from monodepth_ros.settings.schema import ConfigError, setting
from monodepth_ros.training.prediction import KnownMotion, PredictedMotion, Prediction
from monodepth_ros.training.samples.batch import TARGET, Batch, Source


@dataclass(frozen=True)
class ObjectiveConfig:
    """Which terms, with which weights."""

    ssim_weight: float = setting(
        0.85, "Share of structural dissimilarity in the photometric error; the rest is L1.", minimum=0.0, maximum=1.0
    )
    combination: str = setting(
        "minimum", "How the errors of several sources become one per pixel.", choices=COMBINATIONS
    )
    automask: bool = setting(True, "Leave out pixels that an unwarped source explains better.")
    predictive_mask: bool = setting(
        False, "Let a network say which pixels a source can explain, instead of automask (ResNet depth networks)."
    )
    scales: int = setting(4, "How many disparity scales are trained, from full resolution on.", minimum=1, maximum=4)
    full_resolution: bool = setting(
        True, "Enlarge every scale's disparity to full resolution before warping; false: warp images of its size."
    )
    smoothness: float = setting(
        1e-3, "Weight of the edge-aware smoothness; halved with every scale.", minimum=0.0, maximum=10.0
    )
    affine_brightness: bool = setting(
        False, "Take exposure and white balance that differ between frames out of the error."
    )
    velocity: float = setting(
        0.0,
        "Weight of the velocity supervision: motion as long as the recording's odometry says, which makes depth metric.",
        minimum=0.0,
        maximum=100.0,
    )
    canonical_camera: bool = setting(
        False,
        "With cameras of different focal lengths: take the networks' depth and motion for those of the training camera, as the "
        "live node does.",
    )
    depth_consistency: float = setting(
        0.0,
        "Weight of the depth consistency of neighbouring frames, which gives them one scale.",
        minimum=0.0,
        maximum=100.0,
    )

    def __post_init__(self) -> None:
        if self.predictive_mask and self.automask:
            raise ConfigError("objective.predictive_mask needs objective.automask: false (one mask at a time)")
        if self.predictive_mask and not self.full_resolution:
            raise ConfigError("objective.predictive_mask needs objective.full_resolution: true")


@dataclass
class Loss:
    """total: what is minimised. terms: its parts, as scalars without gradient, for the log. pictures: (B, C, H, W) of scale
    0 for the report: 'depth', 'mask' (where warped sources count) and 'warped_<source>'."""

    total: Tensor
    terms: dict[str, Tensor]
    pictures: dict[str, Tensor] = field(default_factory=dict)


class Objective:
    """The loss of predictions on a batch. min_depth, max_depth: the range of depth in network units."""

    def __init__(self, config: ObjectiveConfig, min_depth: float = 0.1, max_depth: float = 100.0):
        self.config = config
        self._range = min_depth, max_depth

    def __call__(
        self,
        batch: Batch,
        prediction: Prediction,
        generator: torch.Generator | None = None,
        with_pictures: bool = False,
    ) -> Loss:
        """generator: of the noise that breaks ties in the auto-mask, on the images' device."""
        config = self.config
        if config.canonical_camera and batch.depth_factor is not None:
            prediction = prediction.for_focal_length(batch.depth_factor)
        if any(isinstance(prediction.motions[source], PredictedMotion) for source in batch.known_motions):
            return self._imitation_loss(batch, prediction)
        count = len(prediction.disparities)
        zero = batch.images[TARGET].new_zeros(())
        terms = {"photometric": zero, "smoothness": zero}
        pictures: dict[str, Tensor] = {}
        pyramid = [batch.images[TARGET]]
        full = None
        for scale, disparity in sorted(prediction.disparities.items()):
            while len(pyramid) <= scale:
                pyramid.append(F.avg_pool2d(pyramid[-1], 2))
            if config.full_resolution:
                # What belongs to the target alone is the same for every scale.
                full = full or _View(batch, config, generator)
                view, size = full, batch.images[TARGET].shape[-2:]
                enlarged = (
                    disparity if scale == 0 else F.interpolate(disparity, size, mode="bilinear", align_corners=False)
                )
            else:
                view, enlarged = _View(_shrunk(batch, scale), config, generator), disparity
            depth = self._depth(enlarged, batch)
            error, mask, warped = view.error(depth, prediction, scale)
            terms["photometric"] = terms["photometric"] + error / count
            weight = config.smoothness / 2**scale
            if weight:
                terms["smoothness"] = terms["smoothness"] + weight * smoothness(disparity, pyramid[scale]) / count
            if scale == 0 and with_pictures:
                pictures = {"depth": depth.detach(), "mask": mask.float()}
                pictures |= {f"warped_{source}": image.detach() for source, image in warped.items()}
        terms |= self._additional_terms(batch, prediction)
        total = sum(terms.values())
        return Loss(total, {name: value.detach() for name, value in terms.items()}, pictures)

    def _additional_terms(self, batch: Batch, prediction: Prediction) -> dict[str, Tensor]:
        """The terms that monodepth2 does not have, on the finest scale."""
        config, terms = self.config, {}
        if not config.velocity and not config.depth_consistency:
            return terms
        depth = self._depth(prediction.disparities[0], batch)
        moving = {
            source: motion for source, motion in prediction.motions.items() if not isinstance(motion, KnownMotion)
        }
        if config.velocity and batch.distances and moving:
            errors = [
                velocity_error(motion.scaled_translation(depth), batch.distances[source])
                for source, motion in moving.items()
            ]
            terms["velocity"] = config.velocity * sum(errors) / len(errors)
        if config.depth_consistency and prediction.source_disparities:
            terms["depth_consistency"] = config.depth_consistency * self.inconsistency(batch, prediction)
        return terms

    def _imitation_loss(self, batch: Batch, prediction: Prediction) -> Loss:
        """Of a pose network that is taught by motion that is known."""
        depth = self._depth(prediction.disparities[0], batch)
        errors = [
            motion_error(prediction.motions[source].matrix(depth), T, depth)
            for source, T in batch.known_motions.items()
        ]
        error = sum(errors) / len(errors)
        return Loss(error, {"imitation": error.detach()})

    def inconsistency(self, batch: Batch, prediction: Prediction) -> Tensor:
        """Mean disagreement on depth, in [0, 1), between the target and the sources whose disparities were predicted."""
        depth = self._depth(prediction.disparities[0], batch)
        points = backproject(depth, batch.K)
        errors = []
        for source, disparity in prediction.source_disparities.items():
            T = prediction.motions[source].matrix(depth)
            transformed = transform_points(points, T)[:, 2:].clamp(min=1e-3)
            _, grid = project(points, batch.K, T)
            sampled = sample(self._depth(disparity, batch), grid)
            inside = (grid.abs().amax(-1, keepdim=True) <= 1).permute(0, 3, 1, 2)
            errors.append(_mean(depth_inconsistency(transformed, sampled), inside))
        return sum(errors) / len(errors)

    def _depth(self, disparity: Tensor, batch: Batch) -> Tensor:
        depth = disparity_to_depth(disparity, *self._range)
        if self.config.canonical_camera and batch.depth_factor is not None:
            depth = depth * batch.depth_factor.to(depth).view(-1, 1, 1, 1)
        return depth


class _View:
    """A batch at one resolution, with what all predictions are compared with."""

    def __init__(self, batch: Batch, config: ObjectiveConfig, generator: torch.Generator | None):
        self._batch, self._config = batch, config
        self._target = PhotometricTarget(batch.images[TARGET], config.ssim_weight)
        self._still = None
        if config.automask:
            with torch.no_grad():
                identity = torch.cat([self._error(batch.images[source]) for source in batch.sources], dim=1)
                self._still = still_error(identity, config.combination, generator)

    def error(self, depth: Tensor, prediction: Prediction, scale: int) -> tuple[Tensor, Tensor, dict[Source, Tensor]]:
        """The mean error, the auto-mask (B, 1, H, W), and each source as it was warped."""
        batch = self._batch
        warped = {
            source: warp(batch.images[source], depth, batch.K, prediction.motions[source].matrix(depth))
            for source in batch.sources
        }
        reprojection = torch.cat([self._error(image) for image in warped.values()], dim=1)
        penalty = 0.0
        if prediction.masks:
            mask = F.interpolate(prediction.masks[scale], depth.shape[-2:], mode="bilinear", align_corners=False)
            reprojection, penalty = masked_reprojection(reprojection, mask)
        error, used = combine_reprojections(reprojection, self._still, self._config.combination)
        return _mean(error, batch.valid) + penalty, used, warped

    def _error(self, image: Tensor) -> Tensor:
        if self._config.affine_brightness:
            image = match_brightness(image, self._batch.images[TARGET])
        return self._target.error(image)


def _mean(error: Tensor, valid: Tensor | None) -> Tensor:
    if valid is None:
        return error.mean()
    return (error * valid).sum() / valid.sum().clamp(min=1)


def _shrunk(batch: Batch, scale: int) -> Batch:
    """The batch at 1 / 2^scale of its size: u -> (u + 1/2) / 2^s - 1/2."""
    if scale == 0:
        return batch
    factor = 2**scale
    K = batch.K.clone()
    K[:, :2] = K[:, :2] / factor
    K[:, :2, 2] += 0.5 / factor - 0.5
    images = {source: F.avg_pool2d(image, factor) for source, image in batch.images.items()}
    valid = None if batch.valid is None else F.avg_pool2d(batch.valid.float(), factor) > 0.5
    return replace(batch, images=images, network_images=images, K=K, valid=valid)
