# SPDX-License-Identifier: Apache-2.0
"""State of a training, from which it resumes as if it had never stopped: one file, replaced atomically."""

import pickle
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch

from monodepth_ros.atomic_file import atomic_file
from monodepth_ros.errors import one_line
from monodepth_ros.training.samples.clip import TrainingError

FORMAT = 1


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


def save_state(state: TrainingState, path: Path) -> None:
    """Write a state atomically. Raises TrainingError if it cannot be written; the old file stays as it was."""
    write_atomically(path, lambda partial: torch.save({"format": FORMAT, **vars(state)}, partial))


def load_state(path: Path) -> TrainingState:
    """Read a state without executing anything in the file. Raises TrainingError for a file that is not a state."""
    try:
        content = torch.load(path, map_location="cpu", weights_only=True)
        if not isinstance(content, dict) or content.pop("format", None) != FORMAT:
            raise TrainingError(f"{path}: not a training state of this version")
        return TrainingState(**content)
    except FileNotFoundError:
        raise TrainingError(f"{path}: no such file; there is nothing to resume") from None
    except (OSError, RuntimeError, pickle.UnpicklingError, TypeError, EOFError) as error:
        raise TrainingError(f"{path}: damaged ({one_line(error, 120)}); start a new training") from None


def write_atomically(path: Path, write: Callable[[Path], object]) -> None:
    """Write a file by `write(partial path)` and move it into place, so that a crash leaves the old or the new file.

    Raises TrainingError if it cannot be written.
    """
    try:
        with atomic_file(path) as partial:
            write(partial)
    except (OSError, RuntimeError) as error:  # torch raises RuntimeError for a full disk
        reason = one_line(error, 120)
        raise TrainingError(
            f"{path} cannot be written ({reason}): make room or choose another --out, then resume"
        ) from None
