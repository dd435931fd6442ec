# SPDX-License-Identifier: Apache-2.0
"""An exponential moving average of the weights, smoother than the weights themselves."""

import copy

import torch

from monodepth_ros.training.learner import Learner


class MovingAverage:
    """Keeps a copy of a learner whose weights follow those that are trained.

    decay: share of the average that is kept per step. learner: the copy.
    """

    def __init__(self, learner: Learner, decay: float):
        self.learner, self._decay = copy.deepcopy(learner).requires_grad_(False), decay

    @torch.no_grad()
    def update(self, learner: Learner, step: int) -> None:
        """Follow the weights after step number `step` (from 0)."""
        # A young average follows faster, so that the initial weights fade quickly.
        decay = min(self._decay, (1 + step) / (10 + step))
        for kept, new in zip(self.learner.state_dict().values(), learner.state_dict().values(), strict=True):
            if kept.is_floating_point():
                kept.lerp_(new, 1 - decay)
            else:
                kept.copy_(new)
