# SPDX-License-Identifier: Apache-2.0
"""An exponential moving average of the weights, smoother than the weights themselves."""

import copy

import torch

from monodepth_ros.training.learner import Learner


class MovingAverage:
    """learner: a copy whose weights follow those of the one that is trained. decay: of what it was, per step."""

    def __init__(self, learner: Learner, decay: float):
        self.learner, self._decay = copy.deepcopy(learner).requires_grad_(False), decay

    @torch.no_grad()
    def update(self, learner: Learner, step: int) -> None:
        """Follow the weights after a step, the first of which is 0."""
        # A young average follows faster, so that it does not remember the first weights for long.
        decay = min(self._decay, (1 + step) / (10 + step))
        for kept, new in zip(self.learner.state_dict().values(), learner.state_dict().values(), strict=True):
            if kept.is_floating_point():
                kept.lerp_(new, 1 - decay)
            else:
                kept.copy_(new)
