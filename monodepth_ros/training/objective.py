# SPDX-License-Identifier: Apache-2.0
"""The objective: the target image reconstructed from its sources (Godard et al. 2019, section 3), and reference depth.

Sources warped by the predicted depth and motion must look like the target. Disparity must be smooth where the image is.
Where a recording holds reference depth, it may teach beside the sources or instead of them.
"""

from dataclasses import dataclass, field, replace

import torch
from torch import Tensor
from torch.nn import functional as F

from monodepth_ros.geometry.warp import backproject, project, sample, transform_points, warp
from monodepth_ros.losses.brightness import match_brightness
from monodepth_ros.losses.depth_consistency import depth_inconsistency
from monodepth_ros.losses.depth_supervision import at_points, depth_error
from monodepth_ros.losses.motion import motion_error
from monodepth_ros.losses.photometric import PhotometricTarget
from monodepth_ros.losses.predictive_mask import masked_reprojection
from monodepth_ros.losses.reprojection import COMBINATIONS, combine_reprojections, still_error
from monodepth_ros.losses.smoothness import smoothness
from monodepth_ros.losses.velocity import velocity_error
from monodepth_ros.networks.disparity import disparity_to_depth
from monodepth_ros.settings.schema import ConfigError, section, setting
from monodepth_ros.training.depth_term import DepthTermConfig
from monodepth_ros.training.prediction import KnownMotion, PredictedMotion, Prediction
from monodepth_ros.training.samples.batch import TARGET, Batch, Source


@dataclass(frozen=True)
class ObjectiveConfig:
    """Terms of the training loss and their weights."""

    ssim_weight: float = setting(
        0.85, "Share of SSIM in the photometric error; the rest is L1.", minimum=0.0, maximum=1.0
    )
    combination: str = setting(
        "minimum",
        "Combination of the sources' errors at a pixel: the minimum (handles occlusions) or the average.",
        choices=COMBINATIONS,
    )
    automask: bool = setting(
        True,
        "Leave out pixels that an unwarped source matches better, such as objects that move along with the camera.",
    )
    predictive_mask: bool = setting(
        False,
        "Learn a mask of the pixels that a source can explain, instead of automask; for ResNet depth networks.",
    )
    scales: int = setting(4, "Number of disparity scales to train, starting at full resolution.", minimum=1, maximum=4)
    full_resolution: bool = setting(
        True,
        "Upsample the disparity of every scale to full resolution before warping; false warps downscaled images"
        " instead.",
    )
    smoothness: float = setting(
        1e-3,
        "Weight of the edge-aware smoothness of disparity, halved at every scale.",
        minimum=0.0,
        maximum=10.0,
    )
    affine_brightness: bool = setting(False, "Compensate exposure and white balance that change between frames.")
    velocity: float = setting(
        0.0,
        "Weight of the velocity supervision, which makes depth metric: predicted motion must be as long as recorded"
        " odometry.",
        minimum=0.0,
        maximum=100.0,
    )
    canonical_camera: bool = setting(
        False,
        "For recordings with different focal lengths: treat the networks' depth and motion as those of the training"
        " camera, as the live node does.",
    )
    depth_consistency: float = setting(
        0.0,
        "Weight of the depth consistency between neighbouring frames, which keeps their scale equal.",
        minimum=0.0,
        maximum=100.0,
    )
    depth: DepthTermConfig = section(DepthTermConfig)

    def __post_init__(self) -> None:
        if self.predictive_mask and self.automask:
            raise ConfigError("objective.predictive_mask needs objective.automask: false (one mask at a time)")
        if self.predictive_mask and not self.full_resolution:
            raise ConfigError("objective.predictive_mask needs objective.full_resolution: true")


@dataclass
class Loss:
    """A loss and its parts.

    total: scalar to minimise. terms: its parts without gradient, for the log. pictures: (B, C, H, W) at scale 0, for
    the report: 'depth', 'mask' (1 where warped sources count) and 'warped_<source>'.
    """

    total: Tensor
    terms: dict[str, Tensor]
    pictures: dict[str, Tensor] = field(default_factory=dict)


class Objective:
    """Computes the loss of a prediction on a batch. min_depth, max_depth: range of depth [network units]."""

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
        """Loss of a prediction.

        generator: for the noise that breaks ties in the auto-mask, on the images' device. with_pictures: fill in
        `Loss.pictures`.
        """
        config = self.config
        if config.canonical_camera and batch.depth_factor is not None:
            prediction = prediction.for_focal_length(batch.depth_factor)
        if any(isinstance(prediction.motions[source], PredictedMotion) for source in batch.known_motions):
            return self._imitation_loss(batch, prediction)
        terms, pictures = self._terms_by_scale(batch, prediction, generator, with_pictures)
        terms |= self._optional_terms(batch, prediction)
        total = sum(terms.values())
        return Loss(total, {name: value.detach() for name, value in terms.items()}, pictures)

    def _terms_by_scale(
        self, batch: Batch, prediction: Prediction, generator: torch.Generator | None, with_pictures: bool
    ) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
        """Photometric error, if there are sources, and smoothness: means over the scales; and pictures at scale 0."""
        config, count = self.config, len(prediction.disparities)
        zero = batch.images[TARGET].new_zeros(())
        terms = {"photometric": zero, "smoothness": zero} if batch.sources else {"smoothness": zero}
        pictures: dict[str, Tensor] = {}
        pyramid = [batch.images[TARGET]]
        full = None
        for scale, disparity in sorted(prediction.disparities.items()):
            while len(pyramid) <= scale:
                pyramid.append(F.avg_pool2d(pyramid[-1], 2))
            weight = config.smoothness / 2**scale
            if weight:
                terms["smoothness"] = terms["smoothness"] + weight * smoothness(disparity, pyramid[scale]) / count
            if not batch.sources:
                if scale == 0 and with_pictures:
                    pictures = {"depth": self._depth(disparity, batch).detach()}
                continue
            if config.full_resolution:
                # The parts that depend on the target alone are the same for every scale.
                full = full or _PhotometricTerm(batch, config, generator)
                photometric, size = full, batch.images[TARGET].shape[-2:]
                enlarged = (
                    disparity if scale == 0 else F.interpolate(disparity, size, mode="bilinear", align_corners=False)
                )
            else:
                photometric, enlarged = _PhotometricTerm(_shrunk(batch, scale), config, generator), disparity
            depth = self._depth(enlarged, batch)
            error, mask, warped = photometric.error(depth, prediction, scale)
            terms["photometric"] = terms["photometric"] + error / count
            if scale == 0 and with_pictures:
                pictures = {"depth": depth.detach(), "mask": mask.float()}
                pictures |= {f"warped_{source}": image.detach() for source, image in warped.items()}
        return terms, pictures

    def _optional_terms(self, batch: Batch, prediction: Prediction) -> dict[str, Tensor]:
        """Supervision by depth, at every scale, and by velocity, and depth consistency. Monodepth2 has none of them."""
        config, terms = self.config, {}
        if config.depth.weight and batch.reference is not None:
            terms["depth"] = config.depth.weight * self._supervision(batch, prediction)
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

    def _supervision(self, batch: Batch, prediction: Prediction) -> Tensor:
        """Error against the reference depth at its points: the mean over the scales."""
        size = batch.images[TARGET].shape[-2:]
        points, reference = batch.reference[:, :2], batch.reference[:, 2]
        errors = []
        for disparity in prediction.disparities.values():
            depth = self._depth(at_points(disparity, points, size)[:, None, None], batch)[:, 0, 0]
            errors.append(depth_error(depth, reference.to(depth), self.config.depth.kind))
        return sum(errors) / len(errors)

    def _imitation_loss(self, batch: Batch, prediction: Prediction) -> Loss:
        """Error of a pose network against known motion."""
        depth = self._depth(prediction.disparities[0], batch)
        errors = [
            motion_error(prediction.motions[source].matrix(depth), T, depth)
            for source, T in batch.known_motions.items()
        ]
        error = sum(errors) / len(errors)
        return Loss(error, {"imitation": error.detach()})

    def inconsistency(self, batch: Batch, prediction: Prediction) -> Tensor:
        """Mean disagreement in depth, in [0, 1), between the target and the sources with predicted disparity."""
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


class _PhotometricTerm:
    """Photometric error of predictions on a batch at one resolution."""

    def __init__(self, batch: Batch, config: ObjectiveConfig, generator: torch.Generator | None):
        self._batch, self._config = batch, config
        self._target = PhotometricTarget(batch.images[TARGET], config.ssim_weight)
        self._still = None
        if config.automask:
            with torch.no_grad():
                identity = torch.cat([self._error(batch.images[source]) for source in batch.sources], dim=1)
                self._still = still_error(identity, config.combination, generator)

    def error(self, depth: Tensor, prediction: Prediction, scale: int) -> tuple[Tensor, Tensor, dict[Source, Tensor]]:
        """Mean error, auto-mask (B, 1, H, W), and the warped sources."""
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
    """The batch at 1 / 2^scale of its size. Pixel u moves to (u + 1/2) / 2^s - 1/2."""
    if scale == 0:
        return batch
    factor = 2**scale
    K = batch.K.clone()
    K[:, :2] = K[:, :2] / factor
    K[:, :2, 2] += 0.5 / factor - 0.5
    images = {source: F.avg_pool2d(image, factor) for source, image in batch.images.items()}
    valid = None if batch.valid is None else F.avg_pool2d(batch.valid.float(), factor) > 0.5
    return replace(batch, images=images, network_images=images, K=K, valid=valid)
