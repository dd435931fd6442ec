# SPDX-License-Identifier: Apache-2.0
"""What a training needs to go on as if it had never stopped: one file, replaced only when the new one is complete."""

import pickle
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
    """step: steps done. weights, average, optimizer, scaler: state dicts (average: of the moving average, or empty). best: the
    best validation so far and its step. skipped: steps without a finite loss. seconds: spent. config: settings by name."""

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
    """Write atomically; TrainingError where it cannot be written, and the old file is as it was."""
    write_atomically(path, lambda partial: torch.save({"format": FORMAT, **vars(state)}, partial))


def load_state(path: Path) -> TrainingState:
    """Read what `save_state` wrote; nothing in the file is executed. TrainingError for anything else."""
    try:
        content = torch.load(path, map_location="cpu", weights_only=True)
        if not isinstance(content, dict) or content.pop("format", None) != FORMAT:
            raise TrainingError(f"{path}: not a training state of this version")
        return TrainingState(**content)
    except FileNotFoundError:
        raise TrainingError(f"{path}: no such file; there is nothing to resume") from None
    except (OSError, RuntimeError, pickle.UnpicklingError, TypeError, EOFError) as error:
        raise TrainingError(f"{path}: damaged ({one_line(error, 120)}); start anew") from None


def write_atomically(path: Path, write) -> None:
    """Let `write` fill a file beside `path`, then put it in place, so that a crash leaves the old or the new one."""
    try:
        with atomic_file(path) as partial:
            write(partial)
    except (OSError, RuntimeError) as error:  # torch raises RuntimeError for a full disk
        reason = one_line(error, 120)
        raise TrainingError(
            f"{path} cannot be written ({reason}): make room or choose another --out, then resume"
        ) from None
