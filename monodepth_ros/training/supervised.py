"""Supervised losses and loops: networks taught by exact depth and motion, as only a synthetic world has them."""

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from monodepth_ros.geometry.warp import transform_from_axis_angle
from monodepth_ros.networks.disparity import disparity_to_depth

# Farther than this [m] nothing is learned but that it is far.
FARTHEST = 80.0


def log_depth_loss(depth: Tensor, truth: Tensor) -> Tensor:
    """Mean |ln depth - ln truth| plus the same of their differences between neighbours, which keeps edges sharp.

    depth, truth: (B, 1, H, W) [m]; infinite truth (sky) is taken for FARTHEST, NaN is left out.
    """
    valid = ~torch.isnan(truth)
    difference = torch.where(valid, depth.clamp(max=FARTHEST).log() - truth.clamp(max=FARTHEST).nan_to_num(1.0).log(), 0.0)
    loss = difference.abs().sum() / valid.sum().clamp(min=1)
    for dim in (2, 3):
        loss = loss + difference.diff(dim=dim).abs().mean()
    return loss


def motion_loss(axis_angle: Tensor, translation: Tensor, T_later_earlier: Tensor) -> Tensor:
    """Mean length of the translation error [network units] plus ten times that of the rotation matrix's error.

    axis_angle, translation: (B, 3); T_later_earlier: (B, 4, 4).
    """
    error = transform_from_axis_angle(axis_angle, translation) - T_later_earlier
    return error[:, :3, 3].norm(dim=-1).mean() + 10.0 * error[:, :3, :3].flatten(1).norm(dim=-1).mean()


@dataclass(frozen=True)
class Schedule:
    """Adam with a warm-up and a cosine decay; `report` is called with (step, mean loss) now and then."""

    steps: int
    learning_rate: float
    report: Callable[[int, float], None]
    warm_up: int = 50
    report_every: int = 50

    def rate(self, step: int) -> float:
        """Share of the learning rate at a step."""
        if step < self.warm_up:
            return (step + 1) / self.warm_up
        return 0.5 * (1 + math.cos(math.pi * (step - self.warm_up) / max(1, self.steps - self.warm_up)))


def fit(network: nn.Module, batches: Iterator, loss_of: Callable[..., Tensor], schedule: Schedule) -> None:
    """Train in place: one step per batch; a loss that is not finite ends the training with an error."""
    network.train()
    optimizer = torch.optim.Adam(network.parameters(), schedule.learning_rate)
    decay = torch.optim.lr_scheduler.LambdaLR(optimizer, schedule.rate)
    losses = []
    for step in range(schedule.steps):
        loss = loss_of(*next(batches))
        if not torch.isfinite(loss):
            raise FloatingPointError(f"the loss is {loss.item()} at step {step}")
        optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(network.parameters(), 1.0)
        optimizer.step()
        decay.step()
        losses.append(loss.item())
        if (step + 1) % schedule.report_every == 0:
            schedule.report(step + 1, sum(losses) / len(losses))
            losses.clear()
    network.eval()


def multi_scale_depth_loss(
    network: nn.Module, images: Tensor, truth: Tensor, min_depth: float, max_depth: float, factor: float
) -> Tensor:
    """log_depth_loss of every scale of a depth network, enlarged to the truth's size; half the weight for each coarser.

    images: (B, 3, H, W) in [0, 1]; truth: (B, 1, H, W) [m]; factor: metres per network unit.
    """
    loss = 0.0
    for scale, disparity in network(images).items():
        enlarged = F.interpolate(disparity, truth.shape[2:], mode="bilinear", align_corners=False)
        depth = factor * disparity_to_depth(enlarged.float(), min_depth, max_depth)
        loss = loss + 0.5**scale * log_depth_loss(depth, truth)
    return loss
