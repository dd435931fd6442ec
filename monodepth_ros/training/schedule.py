# SPDX-License-Identifier: Apache-2.0
"""Learning rate schedule, as a share of the configured rate."""

import math

from monodepth_ros.training.optimizer import OptimizerConfig


def rate_at(step: int, steps_per_epoch: int, total_steps: int, config: OptimizerConfig) -> float:
    """Share of the learning rate for step number `step` (from 0). A linear warm-up multiplies the schedule."""
    share = 1.0
    if config.schedule == "step":
        share = config.step_factor ** (step // steps_per_epoch // config.step_epochs)
    elif config.schedule == "cosine":
        share = 0.5 * (1 + math.cos(math.pi * min(1.0, step / max(1, total_steps))))
    if step < config.warm_up:
        share *= (step + 1) / config.warm_up
    return share
