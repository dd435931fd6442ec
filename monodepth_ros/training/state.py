# SPDX-License-Identifier: Apache-2.0
"""State of a training, from which it resumes as if it had never stopped: one file, replaced atomically."""

import io
from dataclasses import MISSING, dataclass, field, fields
from pathlib import Path
from typing import Any

import torch

from monodepth_ros.atomic_file import atomic_file
from monodepth_ros.errors import MonodepthError, one_line
from monodepth_ros.input_file import ordinary_file
from monodepth_ros.limits import LARGEST_STATE
from monodepth_ros.networks.checkpoints.tensor_archive import TensorArchiveError, check_tensor_archive
from monodepth_ros.training.samples.clip import TrainingError
from monodepth_ros.training.state_values import check_best, check_count, check_dictionary, check_seconds

FORMAT = 1
LAST_STEP = 10**9


@dataclass
class TrainingState:
    """State after a step.

    step: number of steps done. weights, optimizer, average, scaler: state dicts; average, that of the moving average,
    is empty without one. config: settings by name. best: best validation so far and its step. skipped: number of steps
    without a finite loss. seconds: time spent training [s].
    """

    step: int
    weights: dict[str, Any]
    optimizer: dict[str, Any]
    config: dict[str, Any]
    average: dict[str, Any] = field(default_factory=dict)
    scaler: dict[str, Any] = field(default_factory=dict)
    best: dict[str, float] = field(default_factory=dict)
    skipped: int = 0
    seconds: float = 0.0

    def check(self) -> None:
        """Raise TrainingError for a value of a wrong type or range.

        What the tensors must be like depends on the networks: see state_values.py.
        """
        check_count("step", self.step, LAST_STEP)
        check_count("skipped", self.skipped, self.step)
        check_seconds("seconds", self.seconds)
        for name in ("weights", "optimizer", "config", "average", "scaler"):
            check_dictionary(name, getattr(self, name))
        check_best("best", self.best, self.step)


def save_state(state: TrainingState, path: Path) -> None:
    """Write a state atomically. Raises TrainingError if it cannot be written; the old file stays as it was."""
    # PyTorch's own writing of files may end the process where the disk is full, so it writes into memory.
    content = io.BytesIO()
    torch.save({"format": FORMAT, **vars(state)}, content)
    try:
        with atomic_file(path) as partial:
            partial.write_bytes(content.getbuffer())
    except OSError as error:
        raise TrainingError(f"{path} cannot be written: {one_line(error)}") from None


def load_state(path: Path) -> TrainingState:
    """Read a state without executing anything in the file. Raises TrainingError for a file that is not a state."""
    if not path.exists():
        raise TrainingError(f"{path}: no such file; there is nothing to resume")
    try:
        with open(ordinary_file(path, LARGEST_STATE), "rb") as file:
            check_tensor_archive(file)
            file.seek(0)
            content = torch.load(file, map_location="cpu", weights_only=True)
    except MonodepthError as error:
        is_content = isinstance(error, TensorArchiveError)
        advice = "; resume from a copy of it, or start a new training" if is_content else ""
        raise TrainingError(f"{path}: {error}{advice}" if is_content else str(error)) from None
    except Exception:  # damaged input makes torch.load raise errors of many kinds
        raise TrainingError(f"{path}: damaged, or no training state; start a new training") from None
    version = content.pop("format", None) if isinstance(content, dict) else None
    if type(version) is not int or version != FORMAT:  # a tensor would be compared element by element
        raise TrainingError(f"{path}: not a training state of this version")
    names = {item.name for item in fields(TrainingState)}
    required = {item.name for item in fields(TrainingState) if item.default is item.default_factory is MISSING}
    for problem, found in (("lacks", required - content.keys()), ("holds unknown", content.keys() - names)):
        if found:
            raise TrainingError(f"{path}: damaged ({problem} {sorted(map(str, found))[0]}); start a new training")
    state = TrainingState(**content)
    try:
        state.check()
    except TrainingError as error:
        raise TrainingError(f"{path}: {error}") from None
    return state
