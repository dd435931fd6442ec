# SPDX-License-Identifier: Apache-2.0
"""The optimisation step: augment, predict, compare, and change the weights."""

from typing import Any

import torch
from torch import nn
from torch.nn.parallel import DistributedDataParallel

from monodepth_ros.training.config import TrainConfig
from monodepth_ros.training.hardware import training_precision
from monodepth_ros.training.learner import Learner
from monodepth_ros.training.moving_average import MovingAverage
from monodepth_ros.training.objective import Loss, Objective
from monodepth_ros.training.optimizer import gradient_norm, make_adam
from monodepth_ros.training.processes import Processes
from monodepth_ros.training.samples.augmentation import augment
from monodepth_ros.training.samples.batch import Batch
from monodepth_ros.training.samples.loader import mix
from monodepth_ros.training.state_values import adam_moments, loss_scaling

AUTOCAST = {"bf16": torch.bfloat16, "fp16": torch.float16}


class Optimization:
    """Optimises the weights of `learner`, which is moved to the device.

    The gradient is that of all processes' batches. Augmentation and noise follow from the seed, the step and the
    process.
    """

    def __init__(
        self, config: TrainConfig, learner: Learner, objective: Objective, device: torch.device, processes: Processes
    ):
        self._config, self._learner, self._objective = config, learner, objective
        self._device, self._processes = device, processes
        self._precision = training_precision(config.loop.precision, device)
        layout = torch.channels_last if config.loop.channels_last else torch.contiguous_format
        learner.to(device, memory_format=layout)
        self._average = MovingAverage(learner, config.optimizer.ema) if config.optimizer.ema else None
        self._forward = self._wrapped(learner)
        trained = [weight for weight in learner.parameters() if weight.requires_grad]
        self._optimizer = make_adam(trained, config.optimizer.learning_rate)
        self._scaler = torch.amp.GradScaler(device.type, enabled=self._precision == "fp16")

    @property
    def kept_learner(self) -> Learner:
        """The learner to validate and to save: the moving average if there is one."""
        return self._learner if self._average is None else self._average.learner

    @property
    def learning_rate(self) -> float:
        """Learning rate of the last step."""
        return self._optimizer.param_groups[-1]["lr"]

    def __call__(self, batch: Batch, step: int, rate: float) -> dict[str, float]:
        """Take step number `step` (from 0) on a batch, with a share `rate` of the configured learning rate.

        Returns the terms of the loss and their 'total', or {} if the loss or the gradient is not finite. The weights
        are unchanged then.
        """
        config, rank = self._config, self._processes.rank
        for group in self._optimizer.param_groups:
            group["lr"] = config.optimizer.learning_rate * rate
        draws = torch.Generator().manual_seed(mix(config.loop.seed, step, rank, 1))
        noise = torch.Generator(self._device).manual_seed(mix(config.loop.seed, step, rank, 2))
        batch = augment(batch.to(self._device), config.augmentation, draws)
        self._learner.train()
        self._optimizer.zero_grad(set_to_none=True)
        loss = self.loss(batch, noise)
        if self._processes.any(not bool(torch.isfinite(loss.total)), self._device):
            return self._skip()
        self._scaler.scale(loss.total).backward()
        self._scaler.unscale_(self._optimizer)
        norm = gradient_norm(self._learner.parameters(), config.optimizer.clip_gradient)
        if not torch.isfinite(norm) and not self._scaler.is_enabled():
            return self._skip()
        self._scaler.step(self._optimizer)
        self._scaler.update()
        if self._average is not None:
            self._average.update(self._learner, step)
        return {"total": loss.total.item(), **{name: value.item() for name, value in loss.terms.items()}}

    def loss(self, batch: Batch, noise: torch.Generator | None = None) -> Loss:
        """Loss of a batch on the device. noise: see `Objective`."""
        with torch.autocast(self._device.type, AUTOCAST.get(self._precision), enabled=self._precision in AUTOCAST):
            prediction = self._forward(batch)
        return self._objective(batch, prediction, noise)

    def state(self) -> dict[str, Any]:
        """State dicts by the names of `TrainingState`: weights, optimizer, scaler and average."""
        return {
            "weights": self._learner.state_dict(),
            "optimizer": self._optimizer.state_dict(),
            "scaler": self._scaler.state_dict(),
            "average": {} if self._average is None else self._average.learner.state_dict(),
        }

    def load(self, optimizer: dict[str, Any], scaler: dict[str, Any]) -> None:
        """Continue with the moments of a saved optimizer and the scale of a saved scaler.

        Everything else of them follows from the settings. Raises TrainingError for states of other weights.
        """
        fresh = self._optimizer.state_dict()
        weights = [weight for group in self._optimizer.param_groups for weight in group["params"]]
        moments = adam_moments(optimizer, weights)
        scaling = loss_scaling(scaler, self._scaler.state_dict())
        self._optimizer.load_state_dict({**fresh, "state": moments})
        if scaling:
            self._scaler.load_state_dict(scaling)

    def _skip(self) -> dict[str, float]:
        self._optimizer.zero_grad(set_to_none=True)
        return {}

    def _wrapped(self, learner: Learner) -> nn.Module:
        if self._config.loop.compile:
            learner.depth.encoder.compile()
            learner.depth.decoder.compile()
        if self._processes.count == 1:
            return learner
        ids = [self._device.index] if self._device.type == "cuda" else None
        return DistributedDataParallel(learner, device_ids=ids, broadcast_buffers=False)
