# SPDX-License-Identifier: Apache-2.0
"""Predictions for a batch: disparities, and the motion to every source."""

from dataclasses import dataclass, field, replace

import torch
from torch import Tensor, nn

from monodepth_ros.geometry.warp import transform_from_axis_angle
from monodepth_ros.networks.depth_network import DepthNetwork
from monodepth_ros.training.samples.batch import STEREO, TARGET, Batch, Source


@dataclass(frozen=True)
class PredictedMotion:
    """Output of a pose network for the target and one source: T_later_earlier of the two.

    axis_angle, translation: (B, 3). invert: whether the source is the earlier one. times_mean_inverse_depth: whether
    the translation has to be multiplied by the target's mean inverse depth (see networks.pose_cnn).
    """

    axis_angle: Tensor
    translation: Tensor
    invert: bool
    times_mean_inverse_depth: bool = False

    def matrix(self, depth: Tensor) -> Tensor:
        """T_source_target (B, 4, 4), float32 or float64, for the target's depth (B, 1, H, W)."""
        return transform_from_axis_angle(self.axis_angle, self.scaled_translation(depth), self.invert)

    def scaled_translation(self, depth: Tensor) -> Tensor:
        """Translation (B, 3) [network units] for the target's depth (B, 1, H, W)."""
        if not self.times_mean_inverse_depth:
            return self.translation
        return self.translation * (1.0 / depth).mean(dim=(1, 2, 3))[:, None]

    def for_focal_length(self, factor: Tensor) -> "PredictedMotion":
        """The motion of a camera with `factor` (B,) times the focal length that the network assumes.

        Rotations about x and y shrink, t_z grows, as in pipeline.network_view.NetworkView.correct_motion.
        """
        one = torch.ones_like(factor)
        axis_angle = self.axis_angle / torch.stack((factor, factor, one), dim=1)
        return replace(
            self, axis_angle=axis_angle, translation=self.translation * torch.stack((one, one, factor), dim=1)
        )


@dataclass(frozen=True)
class KnownMotion:
    """A motion that no network predicts: to the other camera of a stereo pair, or from odometry or features."""

    T_source_target: Tensor

    def matrix(self, depth: Tensor) -> Tensor:
        """T_source_target (B, 4, 4), independent of the depth."""
        return self.T_source_target


@dataclass(frozen=True)
class Prediction:
    """Predictions for a batch.

    disparities: (B, 1, H / 2^s, W / 2^s) of the target, by scale s. motions: by source. source_disparities: (B, 1, H,
    W) by source, empty unless requested. masks: predictive masks (B, sources, H / 2^s, W / 2^s), by scale.
    """

    disparities: dict[int, Tensor]
    motions: dict[Source, PredictedMotion | KnownMotion]
    source_disparities: dict[Source, Tensor] = field(default_factory=dict)
    masks: dict[int, Tensor] = field(default_factory=dict)

    def for_focal_length(self, factor: Tensor) -> "Prediction":
        """The prediction with its motions for cameras with `factor` (B,) times the training camera's focal length."""
        motions = {
            source: motion.for_focal_length(factor.to(motion.translation))
            if isinstance(motion, PredictedMotion)
            else motion
            for source, motion in self.motions.items()
        }
        return replace(self, motions=motions)


def predict(
    depth: DepthNetwork,
    pose: nn.Module | None,
    batch: Batch,
    scales: tuple[int, ...],
    with_source_depth: bool = False,
    mask_decoder: nn.Module | None = None,
) -> Prediction:
    """Run the networks on a batch. Results are float32, or float64 for images in float64.

    with_source_depth: predict the disparity of the sources in time as well.
    """
    images = batch.network_images
    offsets = [source for source in batch.sources if source != STEREO]
    shares_features = pose is not None and pose.uses_depth_features
    # One pass over all frames if more than the target's features are needed.
    frames = [TARGET, *offsets] if shares_features or with_source_depth else [TARGET]
    features = depth.encode(torch.cat([images[frame] for frame in frames]) if len(frames) > 1 else images[TARGET])
    count = batch.size

    def of(frame: Source) -> list[Tensor]:
        index = frames.index(frame)
        return [feature[index * count : (index + 1) * count] for feature in features]

    disparities = {scale: _full(value) for scale, value in depth.decode(of(TARGET), scales).items()}
    source_disparities = {}
    if with_source_depth:
        source_disparities = {offset: _full(depth.decode(of(offset), (0,))[0]) for offset in offsets}
    masks = {}
    if mask_decoder is not None:
        masks = {scale: _full(value) for scale, value in mask_decoder(of(TARGET), scales).items()}
    motions: dict[Source, PredictedMotion | KnownMotion] = {
        source: KnownMotion(T) for source, T in batch.known_motions.items()
    }
    if pose is not None:
        inputs = {frame: of(frame)[-1] if shares_features else images[frame] for frame in (TARGET, *offsets)}
        motions.update(_motions(pose, inputs, offsets, count))
    return Prediction(disparities, motions, source_disparities, masks)


def _motions(
    pose: nn.Module, inputs: dict[Source, Tensor], offsets: list[Source], count: int
) -> dict[Source, PredictedMotion]:
    """Motions to all sources in one pass. The frames of each pair are in the order of time."""
    pairs = [(offset, TARGET) if offset < 0 else (TARGET, offset) for offset in offsets]
    axis_angles, translations = pose(*(torch.cat([inputs[pair[side]] for pair in pairs]) for side in (0, 1)))
    return {
        offset: PredictedMotion(
            _full(axis_angles[index * count : (index + 1) * count]),
            _full(translations[index * count : (index + 1) * count]),
            invert=offset < 0,
            times_mean_inverse_depth=pose.times_mean_inverse_depth,
        )
        for index, offset in enumerate(offsets)
    }


def _full(tensor: Tensor) -> Tensor:
    """Full precision, for losses and geometry."""
    return tensor.float() if tensor.dtype in (torch.float16, torch.bfloat16) else tensor
