# SPDX-License-Identifier: Apache-2.0
"""A training step with the structure of the reference, the baseline for the package's own.

The step follows the equations of Godard et al. 2019, section 3, literally. It computes everything again for each scale,
including the statistics of the target and the errors of unwarped sources, and passes each pair through the pose network
by itself. It uses float32, contiguous NCHW tensors, autograd's gradients and PyTorch's default Adam. The networks are
the package's, so that both steps start from the same weights.
"""

import torch
import torch.nn.functional as F
from torch import Tensor

from monodepth_ros.training.learner import Learner
from monodepth_ros.training.samples.batch import TARGET, Batch

MIN_DEPTH, MAX_DEPTH = 0.1, 100.0
SMOOTHNESS = 1e-3
EPSILON = 1e-7


class BaselineStep:
    """Networks, loss and optimiser of the baseline. learner: the networks to train."""

    def __init__(self, learner: Learner, device: torch.device):
        self.learner = learner.to(device).train()
        self.optimizer = torch.optim.Adam([p for p in learner.parameters() if p.requires_grad], 1e-4)

    def predict(self, batch: Batch) -> tuple[dict[int, Tensor], dict[int, tuple[Tensor, Tensor]]]:
        """Disparities by scale, and (axis-angle, translation) by source."""
        images, learner = batch.network_images, self.learner
        disparities = learner.depth(images[TARGET], learner.scales)
        poses = {}
        for source in batch.sources:
            pair = (images[source], images[TARGET]) if source < 0 else (images[TARGET], images[source])
            poses[source] = learner.pose(*pair)
        return disparities, poses

    def tensors(self, prediction) -> list[Tensor]:
        """The tensors of a prediction."""
        disparities, poses = prediction
        return [*disparities.values(), *(tensor for pose in poses.values() for tensor in pose)]

    def loss(self, batch: Batch, prediction, noise: torch.Generator) -> Tensor:
        """The objective of section 3 with minimum reprojection, auto-mask and full-resolution scales."""
        disparities, poses = prediction
        target = batch.images[TARGET]
        height, width = target.shape[-2:]
        total = 0.0
        for scale, disparity in disparities.items():
            full = F.interpolate(disparity, (height, width), mode="bilinear", align_corners=False)
            depth = 1.0 / (1.0 / MAX_DEPTH + (1.0 / MIN_DEPTH - 1.0 / MAX_DEPTH) * full)
            reprojection, identity = [], []
            for source, (axis_angle, translation) in poses.items():
                if self.learner.pose.times_mean_inverse_depth:
                    translation = translation * (1.0 / depth).mean((1, 2, 3))[:, None]
                T = motion_matrix(axis_angle, translation, invert=source < 0)
                warped = reconstruct(batch.images[source], depth, batch.K, T)
                reprojection.append(photometric(warped, target))
                identity.append(photometric(batch.images[source], target))
            identity = torch.cat(identity, 1)
            identity = identity + 1e-5 * torch.randn(identity.shape, device=identity.device, generator=noise)
            best, _ = torch.min(torch.cat([identity, *reprojection], 1), dim=1)
            image = F.avg_pool2d(target, 2**scale) if scale else target
            total = total + best.mean() + SMOOTHNESS / 2**scale * smoothness(disparity, image)
        return total / len(disparities)

    def optimize(self) -> None:
        """Take a step of Adam."""
        self.optimizer.step()


def motion_matrix(axis_angle: Tensor, translation: Tensor, invert: bool) -> Tensor:
    """Translation(t) R, or its inverse, (B, 4, 4), by Rodrigues' formula R = I + sin a [k] + (1 - cos a) [k]^2."""
    angle = axis_angle.norm(dim=1)[:, None, None]
    x, y, z = (axis_angle / (axis_angle.norm(dim=1, keepdim=True) + EPSILON)).unbind(1)
    zero = torch.zeros_like(x)
    cross = torch.stack([zero, -z, y, z, zero, -x, -y, x, zero], 1).view(-1, 3, 3)
    R = torch.eye(3, device=x.device) + torch.sin(angle) * cross + (1 - torch.cos(angle)) * (cross @ cross)
    t = translation[:, :, None]
    if invert:
        R, t = R.transpose(1, 2), -R.transpose(1, 2) @ t
    bottom = torch.tensor([[[0.0, 0.0, 0.0, 1.0]]], device=x.device).expand(len(R), 1, 4)
    return torch.cat([torch.cat([R, t], 2), bottom], 1)


def reconstruct(source: Tensor, depth: Tensor, K: Tensor, T: Tensor) -> Tensor:
    """The source image (B, 3, H, W) sampled at the projections of the target's pixels, by depth and motion."""
    batch, _, height, width = depth.shape
    v, u = torch.meshgrid(torch.arange(height), torch.arange(width), indexing="ij")
    ones = torch.ones(batch, 1, height * width, device=depth.device)
    pixels = torch.stack([u.flatten(), v.flatten(), torch.ones(height * width)]).to(depth).expand(batch, 3, -1)
    points = depth.view(batch, 1, -1) * (torch.inverse(K) @ pixels)
    seen = (K @ T[:, :3]) @ torch.cat([points, ones], 1)
    places = seen[:, :2] / (seen[:, 2:] + EPSILON)
    places = places.view(batch, 2, height, width).permute(0, 2, 3, 1)
    grid = (places / torch.tensor([width - 1, height - 1], device=depth.device) - 0.5) * 2
    return F.grid_sample(source, grid, padding_mode="border", align_corners=True)


def photometric(image: Tensor, target: Tensor) -> Tensor:
    """Photometric error 0.85 (1 - SSIM) / 2 + 0.15 |difference|, means over the channels, (B, 1, H, W)."""
    return 0.85 * dissimilarity(image, target).mean(1, True) + 0.15 * (image - target).abs().mean(1, True)


def dissimilarity(x: Tensor, y: Tensor) -> Tensor:
    """(1 - SSIM) / 2 with 3x3 means and a mirrored border, clamped to 0..1, (B, C, H, W)."""
    x, y = F.pad(x, (1, 1, 1, 1), mode="reflect"), F.pad(y, (1, 1, 1, 1), mode="reflect")
    mean_x, mean_y = F.avg_pool2d(x, 3, 1), F.avg_pool2d(y, 3, 1)
    variance_x = F.avg_pool2d(x**2, 3, 1) - mean_x**2
    variance_y = F.avg_pool2d(y**2, 3, 1) - mean_y**2
    covariance = F.avg_pool2d(x * y, 3, 1) - mean_x * mean_y
    numerator = (2 * mean_x * mean_y + 0.01**2) * (2 * covariance + 0.03**2)
    denominator = (mean_x**2 + mean_y**2 + 0.01**2) * (variance_x + variance_y + 0.03**2)
    return torch.clamp((1 - numerator / denominator) / 2, 0, 1)


def smoothness(disparity: Tensor, image: Tensor) -> Tensor:
    """Sum over both directions of the mean gradient of the normalised disparity, weighted by exp(-|image gradient|)."""
    disparity = disparity / (disparity.mean((2, 3), True) + EPSILON)
    total = 0.0
    for dim in (2, 3):
        edge = image.diff(dim=dim).abs().mean(1, True)
        total = total + (disparity.diff(dim=dim).abs() * torch.exp(-edge)).mean()
    return total
