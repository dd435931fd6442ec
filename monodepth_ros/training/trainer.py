# SPDX-License-Identifier: Apache-2.0
"""The training loop: steps, validation, saving, and going on where an earlier run was stopped."""

import dataclasses
import math
import time
from collections import deque
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn
from torch.nn.parallel import DistributedDataParallel

from monodepth_ros.inference.cpu_arithmetic import cpu_has_bf16
from monodepth_ros.inference.pytorch import find_device
from monodepth_ros.networks.checkpoint import load_checkpoint, save_checkpoint
from monodepth_ros.networks.checkpoint_header import CheckpointHeader
from monodepth_ros.settings.schema import values
from monodepth_ros.training.config import TrainConfig
from monodepth_ros.training.kept_memory import keep_freed_memory
from monodepth_ros.training.learner import Learner, make_learner
from monodepth_ros.training.moving_average import MovingAverage
from monodepth_ros.training.objective import Objective
from monodepth_ros.training.optimizer import gradient_norm, make_adam
from monodepth_ros.training.processes import Processes
from monodepth_ros.training.run_log import RunLog
from monodepth_ros.training.samples.augmentation import augment
from monodepth_ros.training.samples.batch import Batch
from monodepth_ros.training.samples.clip import TrainingError
from monodepth_ros.training.samples.dataset import Dataset
from monodepth_ros.training.samples.loader import Loader, epoch_order, mix
from monodepth_ros.training.schedule import rate_at
from monodepth_ros.training.state import TrainingState, load_state, save_state
from monodepth_ros.training.trained_header import trained_header
from monodepth_ros.training.validation import Validation

STATE, LAST, BEST = "state.pt", "last.safetensors", "best.safetensors"
# Steps in a row without a finite loss that end a training.
MAX_NON_FINITE_STEPS = 5
AUTOCAST = {"bf16": torch.bfloat16, "fp16": torch.float16}


@dataclasses.dataclass(frozen=True)
class Progress:
    """How far a training is. waiting: share of the time spent waiting for data. seconds_left: by the speed so far."""

    step: int
    steps: int
    epoch: int
    loss: float
    samples_per_second: float
    waiting: float
    seconds_left: float


class Trainer:
    """Trains on a dataset and leaves in `folder`: state.pt, last.safetensors, best.safetensors, log.jsonl.

    resume: go on from folder's state.pt. processes: those that train together. report: called with Progress after each
    step. On a CPU a training that was stopped and resumed ends with the weights of one that was not: order, augmentation
    and noise follow from the seed and the step.
    """

    def __init__(
        self,
        config: TrainConfig,
        dataset: Dataset,
        folder: Path,
        resume: bool = False,
        processes: Processes = Processes(),
        report: Callable[[Progress], None] = lambda progress: None,
    ):
        self.config, self.dataset, self.folder = config, dataset, folder
        self._processes, self._report = processes, report
        loop, networks = config.loop, config.networks
        device = loop.device if processes.count == 1 or loop.device == "cpu" else f"cuda:{processes.local_rank}"
        self.device = find_device(device if loop.device != "auto" or processes.count == 1 else _auto(processes))
        self._precision = _precision(loop.precision, self.device)
        if self.device.type == "cpu":
            keep_freed_memory()
            # Sigmoids and ELUs that saturate yield gradients below 1e-38, with which a CPU computes eight times slower.
            torch.set_flush_denormal(True)
        if config.objective.velocity and not any(recorded.knows_motion for recorded in dataset.recordings):
            raise TrainingError(
                "objective.velocity needs odometry, and the recordings have none that is named as ground truth: name its"
                " topic by data.odometry (its frame must be connected with the camera's by static transforms)"
            )
        if config.data.motion != "network" and any(recorded.steps is None for recorded in dataset.recordings):
            raise TrainingError(
                f"data.motion is {config.data.motion}, and the dataset has none: see known_motion.add_known_motion"
            )
        state = load_state(folder / STATE) if resume else None
        if networks.keep_depth:
            header = load_checkpoint(networks.start_from).header
            if header.is_metric:
                dataset.metres_per_unit, dataset.scale_origin = header.scale_factor, header.scale_origin
        if resume:  # where the weights began does not matter any more
            networks = dataclasses.replace(networks, start_from="", encoder_weights="")
        data = config.data
        self.learner = make_learner(networks, config.objective, loop.seed, data.sources, config.learns_motion)
        if state is not None:
            _load(self.learner, state.weights, folder / STATE)
        layout = torch.channels_last if loop.channels_last else torch.contiguous_format
        self.learner.to(self.device, memory_format=layout)
        self._average = MovingAverage(self.learner, config.optimizer.ema) if config.optimizer.ema else None
        if self._average is not None and state is not None:
            _load(self._average.learner, state.average, folder / STATE)
        self._forward = self._wrapped(self.learner)
        trained = [weight for weight in self.learner.parameters() if weight.requires_grad]
        self._optimizer = make_adam(trained, config.optimizer.learning_rate)
        self._scaler = torch.amp.GradScaler(self.device.type, enabled=self._precision == "fp16")
        self._objective = Objective(config.objective, networks.min_depth, networks.max_depth)
        self.step = self._skipped = 0
        self._best: dict[str, float] = {}
        self._seconds = 0.0
        if state is not None:
            self._optimizer.load_state_dict(state.optimizer)
            if state.scaler:
                self._scaler.load_state_dict(state.scaler)
            self.step, self._skipped, self._best, self._seconds = state.step, state.skipped, state.best, state.seconds
        per_process = len(dataset.training) // processes.count
        self.steps_per_epoch = per_process // loop.batch_size
        if self.steps_per_epoch == 0:
            raise TrainingError(
                f"{per_process} samples per process are fewer than loop.batch_size {loop.batch_size}: make it smaller"
            )
        self.steps = self.steps_per_epoch * config.optimizer.epochs
        if loop.max_steps:
            self.steps = min(self.steps, loop.max_steps)
        self._loader = Loader(dataset, loop.batch_size, config.data.workers)
        self._log = RunLog(folder, self.step) if processes.is_first else None
        self._validation = None
        if dataset.validation and processes.is_first:
            self._validation = Validation(
                dataset,
                self._objective,
                self._loader,
                (networks.min_depth, networks.max_depth),
                self.metres_per_unit,
                uses_truth=loop.best_by == "auto",
            )
        self.pictures: dict[str, torch.Tensor] = {}
        self.trajectories: list[tuple[np.ndarray, np.ndarray]] = []
        self._stopping = self._is_done = False

    @property
    def metres_per_unit(self) -> float:
        """Of the depth that is learned, NaN where nothing says it."""
        if math.isfinite(self.dataset.metres_per_unit):
            return self.dataset.metres_per_unit
        return 1.0 if self.config.objective.velocity else math.nan

    def stop(self) -> None:
        """End after the step in progress; may be called from a signal handler."""
        self._stopping = True

    def close(self) -> None:
        """End the reading threads and the log."""
        self._loader.close()
        if self._log:
            self._log.close()

    def run(self) -> bool:
        """Train to the end; False if `stop` ended it before. Everything is saved either way."""
        loop = self.config.loop
        if self.step == 0:
            self._validate()
        began, done_before, waited_before = time.monotonic(), self.step, self._loader.waited
        in_a_row = 0
        losses: deque[float] = deque(maxlen=loop.log_every)
        seconds_before = self._seconds
        while self.step < self.steps and not self._stopped():
            epoch, first = divmod(self.step, self.steps_per_epoch)
            order = epoch_order(
                len(self.dataset.training), loop.seed, epoch, self._processes.rank, self._processes.count
            )
            samples = [self.dataset.training[i] for i in order[first * loop.batch_size :]]
            for batch in self._loader.batches(samples):
                terms = self._train(batch)
                in_a_row = 0 if terms else in_a_row + 1
                if in_a_row >= MAX_NON_FINITE_STEPS:
                    raise TrainingError(
                        f"the loss was not finite in {MAX_NON_FINITE_STEPS} steps in a row, up to step {self.step}"
                        f" ({', '.join(batch.names[:3])} ...): lower optimizer.learning_rate or set optimizer.clip_gradient"
                    )
                losses += [terms["total"]] if terms else []
                self.step += 1
                spent = time.monotonic() - began
                self._seconds = seconds_before + spent
                per_step = spent / (self.step - done_before)
                waiting = (self._loader.waited - waited_before) / max(spent, 1e-9)
                progress = Progress(
                    self.step,
                    self.steps,
                    epoch,
                    losses[-1] if losses else math.nan,
                    self._processes.count * loop.batch_size / per_step,
                    waiting,
                    (self.steps - self.step) * per_step,
                )
                self._report(progress)
                if self._log and terms and (self.step % loop.log_every == 0 or self.step == self.steps):
                    mean = sum(losses) / len(losses)
                    facts = {"samples_per_second": progress.samples_per_second, "waiting": waiting}
                    rate = self._optimizer.param_groups[-1]["lr"]
                    self._log.write(
                        self.step, kind="train", epoch=epoch, learning_rate=rate, mean=mean, **facts, **terms
                    )
                every = loop.validate_every or self.steps_per_epoch
                if self.step % every == 0 or self.step == self.steps:
                    self._validate()
                    if self._is_out_of_patience(every):
                        self._is_done = self._stopping = True
                if self.step % loop.save_every == 0:
                    self._save()
                if self.step == self.steps or self._stopped():
                    break
        self._save()
        return self._is_done or self.step >= self.steps

    def _is_out_of_patience(self, every: int) -> bool:
        """Whether as many validations as a user's patience allows were no better than the best."""
        patience = self.config.loop.patience
        return bool(patience and self._best) and self.step - self._best["step"] >= patience * every

    def _train(self, batch: Batch) -> dict[str, float]:
        """One step; its terms, or nothing where the loss or the gradient was not finite: the weights stay then."""
        config, rank = self.config, self._processes.rank
        rate = rate_at(self.step, self.steps_per_epoch, self.steps, config.optimizer)
        for group in self._optimizer.param_groups:
            group["lr"] = config.optimizer.learning_rate * rate
        draws = torch.Generator().manual_seed(mix(config.loop.seed, self.step, rank, 1))
        noise = torch.Generator(self.device).manual_seed(mix(config.loop.seed, self.step, rank, 2))
        batch = augment(batch.to(self.device), config.augmentation, draws)
        self.learner.train()
        self._optimizer.zero_grad(set_to_none=True)
        with torch.autocast(self.device.type, AUTOCAST.get(self._precision), enabled=self._precision in AUTOCAST):
            prediction = self._forward(batch)
        loss = self._objective(batch, prediction, noise)
        if self._processes.any(not bool(torch.isfinite(loss.total)), self.device):
            return self._skip(batch)
        self._scaler.scale(loss.total).backward()
        self._scaler.unscale_(self._optimizer)
        norm = gradient_norm(self.learner.parameters(), config.optimizer.clip_gradient)
        if not torch.isfinite(norm) and not self._scaler.is_enabled():
            return self._skip(batch)
        self._scaler.step(self._optimizer)
        self._scaler.update()
        if self._average is not None:
            self._average.update(self.learner, self.step)
        return {"total": loss.total.item(), **{name: value.item() for name, value in loss.terms.items()}}

    def _skip(self, batch: Batch) -> dict[str, float]:
        self._skipped += 1
        if self._log:
            self._log.write(self.step + 1, kind="skipped", samples=list(batch.names))
        self._optimizer.zero_grad(set_to_none=True)
        return {}

    def _validate(self) -> None:
        if self._validation is None:
            return
        found, self.pictures = self._validation(self._kept_learner, self.device)
        self.trajectories = self._validation.trajectories
        self._log.write(self.step, kind="validation", **found)
        self._log.show(self.step, self.pictures)
        measure = self._validation.measure
        value = found.get(measure, math.nan)
        if self.step > 0 and value < self._best.get(measure, math.inf):
            self._best = {measure: value, "step": self.step}
            self._write(self.folder / BEST)

    def _save(self) -> None:
        if not self._processes.is_first:
            return
        self._write(self.folder / LAST)
        state = TrainingState(
            step=self.step,
            weights=self.learner.state_dict(),
            optimizer=self._optimizer.state_dict(),
            config=_plain(values(self.config)),
            average={} if self._average is None else self._average.learner.state_dict(),
            scaler=self._scaler.state_dict(),
            best=self._best,
            skipped=self._skipped,
            seconds=self._seconds,
        )
        save_state(state, self.folder / STATE)

    def _write(self, path: Path) -> None:
        save_checkpoint(path, self.header(), self._kept_learner.depth, self._kept_learner.pose)

    @property
    def _kept_learner(self) -> Learner:
        """The one that is validated and written."""
        return self.learner if self._average is None else self._average.learner

    def header(self) -> CheckpointHeader:
        """What the checkpoint says about itself."""
        return trained_header(self.config, self.dataset, self.learner.pose is not None, self.metres_per_unit)

    def _stopped(self) -> bool:
        return self._processes.any(self._stopping, self.device)

    def _wrapped(self, learner: Learner) -> nn.Module:
        if self.config.loop.compile:
            learner.depth.encoder.compile()
            learner.depth.decoder.compile()
        if self._processes.count == 1:
            return learner
        ids = [self.device.index] if self.device.type == "cuda" else None
        return DistributedDataParallel(learner, device_ids=ids, broadcast_buffers=False)


def _auto(processes: Processes) -> str:
    return f"cuda:{processes.local_rank}" if torch.cuda.is_available() else "cpu"


def _precision(name: str, device: torch.device) -> str:
    if name == "auto":
        return "bf16" if device.type == "cuda" or cpu_has_bf16() else "fp32"
    if name == "fp16" and device.type == "cpu":
        raise TrainingError("loop.precision fp16 needs a CUDA device: choose auto, fp32 or bf16 on the CPU")
    return name


def _load(learner: Learner, weights: dict[str, Any], path: Path) -> None:
    try:
        learner.load_state_dict(weights)
    except RuntimeError:
        raise TrainingError(
            f"{path} is of other networks than the configuration's: resume with its own train.yaml"
        ) from None


def _plain(settings: dict[str, Any]) -> dict[str, Any]:
    """Without tuples, which a reader of plain data does not know."""
    return {name: list(value) if isinstance(value, tuple) else value for name, value in settings.items()}
