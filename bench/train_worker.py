# SPDX-License-Identifier: Apache-2.0
"""One variant of the training step for `scripts/bench train`, in a process of its own to measure its memory.

Questions and answers are lines of JSON. The first answer comes without a question: the loss of the initial weights on
the batch. {"steps": n}: times of n steps [s]. {"stages": n}: median times of the stages of n split steps [s].
{"memory": true}: peak memory so far [MB].
"""

import argparse
import os
import sys
import time
from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from torch import Tensor

from bench.images import image_sequence
from bench.processes import memory_mb
from bench.train_baseline import BaselineStep
from bench.worker import answer, questions
from monodepth_ros.training.config import NetworksConfig
from monodepth_ros.training.kept_memory import keep_freed_memory
from monodepth_ros.training.learner import Learner, make_learner
from monodepth_ros.training.objective import Objective, ObjectiveConfig
from monodepth_ros.training.optimizer import gradient_norm, make_adam
from monodepth_ros.training.prediction import PredictedMotion, Prediction
from monodepth_ros.training.samples.augmentation import AugmentationConfig, augment
from monodepth_ros.training.samples.batch import Batch

VARIANTS = ("baseline", "fp32", "bf16")
CAMERA = (0.58, 1.92, 0.5, 0.5)


class PackageStep:
    """The package's step, as in training.trainer. precision: fp32 or bf16."""

    def __init__(self, learner: Learner, objective: ObjectiveConfig, precision: str, device: torch.device):
        if device.type == "cpu":
            keep_freed_memory()
        self._device = device
        self._is_half = precision == "bf16"
        self.learner = learner.to(device, memory_format=torch.channels_last).train()
        self._objective = Objective(objective)
        self.optimizer = make_adam((p for p in learner.parameters() if p.requires_grad), 1e-4)

    def predict(self, batch: Batch) -> Prediction:
        """Disparities and motions of a batch."""
        with torch.autocast(self._device.type, torch.bfloat16, enabled=self._is_half):
            return self.learner(batch)

    def tensors(self, prediction: Prediction) -> list[Tensor]:
        """The tensors of a prediction."""
        moving = [motion for motion in prediction.motions.values() if isinstance(motion, PredictedMotion)]
        return [
            *prediction.disparities.values(),
            *(t for motion in moving for t in (motion.axis_angle, motion.translation)),
        ]

    def loss(self, batch: Batch, prediction: Prediction, noise: torch.Generator) -> Tensor:
        """The objective's total loss."""
        return self._objective(batch, prediction, noise).total

    def optimize(self) -> None:
        """Take a step of the optimiser, as in the trainer: only with finite gradients."""
        if torch.isfinite(gradient_norm(self.learner.parameters())):
            self.optimizer.step()


def make_step(variant: str, networks: NetworksConfig, objective: ObjectiveConfig, device: torch.device):
    """The step of a variant; all variants start from the same weights."""
    learner = make_learner(networks, objective, seed=0)
    if variant == "baseline":
        return BaselineStep(learner, device)
    return PackageStep(learner, objective, variant, device)


def make_batch(size: int, width: int, height: int) -> Batch:
    """A batch of samples on the CPU, each of three successive images of a textured plane that moves sideways."""
    payloads = image_sequence("procedural", width, height, compressed=False).payloads
    images = [torch.from_numpy(np.frombuffer(data, np.uint8).reshape(height, width, 3).copy()) for data in payloads]
    images = torch.stack(images).permute(0, 3, 1, 2).contiguous()
    first = torch.arange(size) % (len(images) - 2)
    fx, fy, cx, cy = CAMERA
    K = torch.tensor([[fx * width, 0, cx * width - 0.5], [0, fy * height, cy * height - 0.5], [0, 0, 1]])
    frames = {source: images[first + 1 + source] for source in (-1, 0, 1)}
    return Batch(frames, frames, K.expand(size, 3, 3).contiguous())


class VariantSteps:
    """Measured steps of one variant on one batch."""

    def __init__(
        self, variant: str, networks: NetworksConfig, objective: ObjectiveConfig, batch: int, device: torch.device
    ):
        self._device = device
        self._step = make_step(variant, networks, objective, device)
        self._batch = make_batch(batch, networks.width, networks.height).to(device)
        self._noise = torch.Generator(device).manual_seed(0)

    def first_loss(self) -> float:
        """Loss of the initial weights, with batch normalisation in inference mode.

        In training mode the statistics would differ: the package's pose network sees all pairs in one pass, the
        baseline's one pair after the other.
        """
        self._step.learner.eval()
        with torch.no_grad():
            loss = self._step.loss(self._batch, self._step.predict(self._batch), self._noise).item()
        self._step.learner.train()
        return loss

    def seconds(self, count: int) -> list[float]:
        """Time of each of `count` steps [s]."""
        return [self._timed(self._take)[1] for _ in range(count)]

    def stages(self, count: int) -> dict[str, float]:
        """Median time of each stage of a step, and of the augmentation of a batch [s]."""
        taken = [self._take_apart() for _ in range(count)]
        return {stage: float(np.median([times[stage] for times in taken])) for stage in taken[0]}

    def peak_mb(self) -> float:
        """Peak memory [MB] of tensors on a GPU, or of the process on a CPU."""
        if self._device.type == "cuda":
            return torch.cuda.max_memory_allocated(self._device) / 1e6
        return memory_mb(os.getpid())["peak"]

    def _timed(self, action: Callable) -> tuple[Any, float]:
        """Result and duration [s] of an action."""
        began = time.perf_counter()
        result = action()
        if self._device.type == "cuda":
            torch.cuda.synchronize(self._device)
        return result, time.perf_counter() - began

    def _take(self) -> None:
        step = self._step
        step.optimizer.zero_grad(set_to_none=True)
        loss = step.loss(self._batch, step.predict(self._batch), self._noise)
        loss.backward()
        step.optimize()
        loss.item()

    def _take_apart(self) -> dict[str, float]:
        step, batch, times = self._step, self._batch, {}
        step.optimizer.zero_grad(set_to_none=True)
        prediction, times["networks forward"] = self._timed(lambda: step.predict(batch))
        loss, times["loss forward"] = self._timed(lambda: step.loss(batch, prediction, self._noise))
        outputs = [tensor for tensor in step.tensors(prediction) if tensor.requires_grad]
        gradients, times["loss backward"] = self._timed(lambda: torch.autograd.grad(loss, outputs))
        _, times["networks backward"] = self._timed(lambda: torch.autograd.backward(outputs, gradients))
        _, times["optimiser"] = self._timed(step.optimize)
        generator = torch.Generator().manual_seed(0)
        _, times["augmentation"] = self._timed(lambda: augment(batch, AugmentationConfig(), generator))
        return times


def main() -> int:
    """Answer questions until standard input ends."""
    parser = argparse.ArgumentParser(prog="bench.train_worker", description=__doc__)
    parser.add_argument("variant", choices=VARIANTS)
    parser.add_argument("--depth", required=True)
    parser.add_argument("--pose", required=True)
    parser.add_argument("--size", nargs=2, type=int, required=True)
    parser.add_argument("--batch-size", type=int, required=True)
    parser.add_argument("--scales", type=int, required=True)
    parser.add_argument("--device", required=True)
    options = parser.parse_args()
    networks = NetworksConfig(depth=options.depth, pose=options.pose, width=options.size[0], height=options.size[1])
    device = torch.device(options.device)
    steps = VariantSteps(options.variant, networks, ObjectiveConfig(scales=options.scales), options.batch_size, device)
    answer({"loss": steps.first_loss(), "threads": torch.get_num_threads()})
    for question in questions():
        if "steps" in question:
            answer({"seconds": steps.seconds(question["steps"])})
        elif "stages" in question:
            answer({"stages": steps.stages(question["stages"])})
        else:
            answer({"peak_mb": steps.peak_mb()})
    return 0


if __name__ == "__main__":
    sys.exit(main())
