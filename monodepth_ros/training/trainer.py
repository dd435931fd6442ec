# SPDX-License-Identifier: Apache-2.0
"""The training loop: steps, validation, saving, and resuming."""

import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import torch

from monodepth_ros.errors import MonodepthError
from monodepth_ros.networks.checkpoints.checkpoint import save_checkpoint
from monodepth_ros.networks.checkpoints.header import CheckpointHeader
from monodepth_ros.settings.schema import values
from monodepth_ros.training.config import TrainConfig
from monodepth_ros.training.hardware import restore_arithmetic, training_device
from monodepth_ros.training.objective import Objective
from monodepth_ros.training.optimization import Optimization
from monodepth_ros.training.processes import Processes
from monodepth_ros.training.progress import ProgressMeter, TrainingProgress
from monodepth_ros.training.resumed import about, load_learner, start_learner
from monodepth_ros.training.run_log import RunLog
from monodepth_ros.training.samples.batch import Batch
from monodepth_ros.training.samples.clip import TrainingError
from monodepth_ros.training.samples.dataset import Dataset, Sample
from monodepth_ros.training.samples.loader import Loader, epoch_order
from monodepth_ros.training.schedule import rate_at
from monodepth_ros.training.state import TrainingState, load_state, save_state
from monodepth_ros.training.trained_header import trained_header
from monodepth_ros.training.validation import Validation

STATE, LAST, BEST = "state.pt", "last.safetensors", "best.safetensors"
# A training ends after this many steps in a row without a finite loss.
MAX_NON_FINITE_STEPS = 5


class NotWritten(TrainingError):
    """A file of a training cannot be written: the disk is full, read-only or gone."""


class Trainer:
    """Trains on a data set; leaves state.pt, last.safetensors, best.safetensors and log.jsonl in `folder`.

    resume: continue from the folder's state.pt. processes: the processes that train together. report: called with the
    progress after each step. A context manager, which closes the trainer.

    On a CPU a training that was stopped and resumed ends with the weights of one that was not, because order,
    augmentation and noise follow from the seed and the step.
    """

    def __init__(
        self,
        config: TrainConfig,
        dataset: Dataset,
        folder: Path,
        resume: bool = False,
        processes: Processes = Processes(),
        report: Callable[[TrainingProgress], None] = lambda progress: None,
    ):
        self.config = config = config.with_input_size(dataset.checkpoint_size)
        self.dataset, self.folder = dataset, folder
        self._processes, self._report = processes, report
        _check_motion(config, dataset)
        self.device = training_device(config.loop.device, processes)
        self.steps_per_epoch = _steps_per_epoch(config, dataset, processes)
        self.steps = self.steps_per_epoch * config.optimizer.epochs
        if config.loop.max_steps:
            self.steps = min(self.steps, config.loop.max_steps)
        state = load_state(folder / STATE) if resume else None
        self.learner = start_learner(config, state, folder / STATE)
        objective = Objective(config.objective, config.networks.min_depth, config.networks.max_depth)
        self.optimization = Optimization(config, self.learner, objective, self.device, processes)
        self.step = self._skipped = self._non_finite_steps = 0
        self._best: dict[str, float] = {}
        self._seconds = 0.0
        self._saved_step: int | None = None
        if state is not None:
            with about(folder / STATE):
                self.optimization.load(state.optimizer, state.scaler)
                if config.optimizer.ema:
                    load_learner(self.optimization.kept_learner, "average", state.average)
            self.step, self._skipped, self._best, self._seconds = state.step, state.skipped, state.best, state.seconds
            self._saved_step = state.step
        self._loader = Loader(dataset, config.loop.batch_size, config.data.workers)
        self._validation = None
        if dataset.validation and processes.is_first:
            self._validation = Validation(
                dataset,
                objective,
                self._loader,
                depth_range=(config.networks.min_depth, config.networks.max_depth),
                metres_per_unit=self.metres_per_unit,
                uses_truth=config.loop.best_by == "auto",
            )
        self.pictures: dict[str, torch.Tensor] = {}
        self.trajectories: list[tuple[np.ndarray, np.ndarray]] = []
        self._is_stopping = self._is_out_of_patience = False
        with self._saving():
            self._log = RunLog(folder, self.step) if processes.is_first else None

    @property
    def notes(self) -> list[str]:
        """What was left out of the log of a training that is resumed."""
        return [self._log.note] if self._log and self._log.note else []

    @property
    def metres_per_unit(self) -> float:
        """Metres per network unit, or NaN if nothing determines the scale."""
        if not self.dataset.is_calibrated:
            return math.nan
        if math.isfinite(self.dataset.metres_per_unit):
            return self.dataset.metres_per_unit
        return 1.0 if self.config.objective.velocity else math.nan

    def stop(self) -> None:
        """End after the step in progress. Safe to call from a signal handler."""
        self._is_stopping = True

    def close(self) -> None:
        """End the reading threads and close the log."""
        self._loader.close()
        if self._log:
            self._log.close()
        restore_arithmetic()

    def __enter__(self) -> "Trainer":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def run(self) -> bool:
        """Train to the end; returns False if `stop` ended the training earlier. Everything is saved either way.

        Raises NotWritten if a file cannot be written; the training so far is saved as far as that is possible.
        """
        loop = self.config.loop
        if self.step == 0:
            self._save()  # shows a disk without room at once, and an early end can be resumed, too
            self._validate()
        samples_per_step = self._processes.count * loop.batch_size
        meter = ProgressMeter(self.step, self.steps, samples_per_step, self._loader.waited, loop.log_every)
        seconds_before = self._seconds
        validate_every = loop.validate_every or self.steps_per_epoch
        while self.step < self.steps and not self._is_stopped():
            epoch = self.step // self.steps_per_epoch
            for batch in self._loader.batches(self._rest_of_epoch(epoch)):
                terms = self.train_on(batch)
                progress = meter.after(self.step, epoch, terms, self._loader.waited)
                self._seconds = seconds_before + meter.seconds
                self._report(progress)
                self._log_step(progress, meter.mean_loss, terms)
                if self.step % validate_every == 0 or self.step == self.steps:
                    self._validate()
                    self._is_out_of_patience = self._best_is_older_than(loop.patience * validate_every)
                if self.step % loop.save_every == 0:
                    self._save()
                if self.step == self.steps or self._is_stopped():
                    break
        self._save()
        if self._log and self._log.failure:
            self._log.close()  # with room again, nothing is missing
            raise NotWritten(f"{self._log.failure}; {self._saved}")
        # Only the first process validates.
        return self.step >= self.steps or self._processes.any(self._is_out_of_patience, self.device)

    def train_on(self, batch: Batch) -> dict[str, float]:
        """Take one step; returns the terms of the loss, or {} for a step that was skipped because it was not finite.

        Raises TrainingError after MAX_NON_FINITE_STEPS skipped steps in a row.
        """
        rate = rate_at(self.step, self.steps_per_epoch, self.steps, self.config.optimizer)
        terms = self.optimization(batch, self.step, rate)
        self.step += 1
        if terms:
            self._non_finite_steps = 0
            return terms
        self._skipped += 1
        self._non_finite_steps += 1
        if self._log:
            self._log.write(self.step, kind="skipped", samples=list(batch.names))
        if self._non_finite_steps >= MAX_NON_FINITE_STEPS:
            raise TrainingError(
                f"the loss was not finite in {MAX_NON_FINITE_STEPS} steps in a row, up to step {self.step}"
                f" ({', '.join(batch.names[:3])} ...): lower optimizer.learning_rate or set optimizer.clip_gradient"
            )
        return terms

    def header(self) -> CheckpointHeader:
        """Header of the checkpoints that this training writes."""
        return trained_header(self.config, self.dataset, self.learner.pose is not None, self.metres_per_unit)

    def _rest_of_epoch(self, epoch: int) -> list[Sample]:
        """This process's samples of an epoch in their order, from the current step on."""
        samples, processes = self.dataset.training, self._processes
        order = epoch_order(len(samples), self.config.loop.seed, epoch, processes.rank, processes.count)
        done = self.step % self.steps_per_epoch * self.config.loop.batch_size
        return [samples[i] for i in order[done:]]

    def _log_step(self, progress: TrainingProgress, mean_loss: float, terms: dict[str, float]) -> None:
        is_due = self.step % self.config.loop.log_every == 0 or self.step == self.steps
        if self._log and terms and is_due:
            self._log.write(
                self.step,
                kind="train",
                epoch=progress.epoch,
                learning_rate=self.optimization.learning_rate,
                mean=mean_loss,
                samples_per_second=progress.samples_per_second,
                waiting=progress.waiting,
                **terms,
            )

    def _validate(self) -> None:
        if self._validation is None:
            return
        figures, self.pictures = self._validation(self.optimization.kept_learner, self.device)
        self.trajectories = self._validation.trajectories
        self._log.write(self.step, kind="validation", **figures)
        self._log.show(self.step, self.pictures)
        measure = self._validation.measure
        value = figures.get(measure, math.nan)
        if self.step > 0 and value < self._best.get(measure, math.inf):
            self._write(self.folder / BEST)
            self._best = {measure: value, "step": self.step}

    def _best_is_older_than(self, steps: int) -> bool:
        """Whether the best validation lies `steps` or more back; 0: never."""
        return bool(steps and self._best) and self.step - self._best["step"] >= steps

    def _is_stopped(self) -> bool:
        has_failed = bool(self._log and self._log.failure)
        return self._processes.any(self._is_stopping or self._is_out_of_patience or has_failed, self.device)

    def _save(self) -> None:
        if not self._processes.is_first:
            return
        self._write(self.folder / LAST)
        state = TrainingState(
            step=self.step,
            config=_plain(values(self.config)),
            best=self._best,
            skipped=self._skipped,
            seconds=self._seconds,
            **self.optimization.state(),
        )
        with self._saving():
            save_state(state, self.folder / STATE)
        self._saved_step = self.step

    def _write(self, path: Path) -> None:
        learner = self.optimization.kept_learner
        with self._saving():
            save_checkpoint(path, self.header(), learner.depth, learner.pose)

    @contextmanager
    def _saving(self) -> Iterator[None]:
        """Add to an error of the block what is saved."""
        try:
            yield
        except MonodepthError as error:
            raise NotWritten(f"{error}; {self._saved}") from None

    @property
    def _saved(self) -> str:
        if self._saved_step is None or not (self.folder / STATE).exists():
            return "nothing of this training is saved"
        return f"the training is saved up to step {self._saved_step}"


def _check_motion(config: TrainConfig, dataset: Dataset) -> None:
    """Raise TrainingError for a data set without the motion that the settings learn from."""
    if config.objective.velocity and not any(recording.has_poses for recording in dataset.recordings):
        raise TrainingError(
            "objective.velocity needs odometry, and the recordings have none that is named as ground truth: name its"
            " topic by data.odometry_topic (its frame must be connected with the camera's by static transforms)"
        )
    if config.data.motion != "network" and any(recording.steps is None for recording in dataset.recordings):
        raise TrainingError(
            f"data.motion is {config.data.motion}, and the data set holds no motion: call known_motion.add_known_motion"
        )


def _steps_per_epoch(config: TrainConfig, dataset: Dataset, processes: Processes) -> int:
    per_process = len(dataset.training) // processes.count
    steps = per_process // config.loop.batch_size
    if steps == 0:
        raise TrainingError(
            f"{per_process} samples per process are fewer than loop.batch_size {config.loop.batch_size}: make it"
            " smaller"
        )
    return steps


def _plain(settings: dict[str, Any]) -> dict[str, Any]:
    """Settings without tuples, which the reader of a state does not accept."""
    return {name: list(value) if isinstance(value, tuple) else value for name, value in settings.items()}
