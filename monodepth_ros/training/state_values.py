# SPDX-License-Identifier: Apache-2.0
"""Values of a state to resume from, judged before a training takes them over."""

import math
from collections.abc import Mapping
from typing import Any, NoReturn

import torch
from torch import Tensor

from monodepth_ros.foreign_text import shown
from monodepth_ros.networks.checkpoints.weights import is_plain_tensor
from monodepth_ros.training.samples.clip import TrainingError

MEASURES = ("loss", "abs_rel")  # by which the best weights are selected
MOMENTS = ("exp_avg", "exp_avg_sq")  # of Adam
_LONGEST_TRAINING = 3e9  # seconds


def check_count(name: str, value: object, largest: float) -> None:
    """Raise TrainingError unless the value is a whole number from 0 to `largest`."""
    if type(value) is not int or not 0 <= value <= largest:
        _refuse(name, value, f"a whole number from 0 to {largest:g}")


def check_seconds(name: str, value: object) -> None:
    """Raise TrainingError unless the value is a time [s] that a training can take."""
    if not _is_number(value) or not 0 <= value <= _LONGEST_TRAINING:
        _refuse(name, value, "seconds from 0 on")


def check_dictionary(name: str, value: object) -> None:
    """Raise TrainingError unless the value is a dictionary with texts as keys."""
    if not isinstance(value, dict) or not all(isinstance(key, str) for key in value):
        _refuse(name, value, "a dictionary with names")


def check_best(name: str, value: object, step: int) -> None:
    """Raise TrainingError unless the value is empty, or a measure's best figure and its step."""
    check_dictionary(name, value)
    assert isinstance(value, dict)
    if not value:
        return
    measures = [key for key in value if key != "step"]
    if len(value) != 2 or measures[0] not in MEASURES:
        _refuse(name, sorted(value), f"step and one of {', '.join(MEASURES)}")
    check_count(f"{name}.step", value["step"], step)
    figure = value[measures[0]]
    if not _is_number(figure) or not math.isfinite(figure):
        _refuse(f"{name}.{measures[0]}", figure, "a finite number")


def check_tensors(name: str, found: Mapping[str, Any], expected: Mapping[str, Tensor], advice: str) -> None:
    """Raise TrainingError unless `found` has the names, shapes and types of the tensors in `expected`, and finite
    values. advice: what to do if the names or shapes are others."""
    for key in (*(key for key in expected if key not in found), *(key for key in found if key not in expected)):
        problem = "lacks" if key in expected else "holds unknown"
        raise TrainingError(f"{name} {problem} {shown(key)}: {advice}")
    for key, target in expected.items():
        check_tensor(f"{name}.{shown(key)}", found[key], target, advice)


def check_tensor(name: str, value: object, target: Tensor, advice: str = "the file is damaged") -> None:
    """Raise TrainingError unless the value is a tensor of the target's shape and type, and finite."""
    if not is_plain_tensor(value):
        _refuse(name, value, "a tensor")
    # Shapes come first: a tensor of any size can be described by a few bytes.
    if value.shape != target.shape:
        raise TrainingError(f"{name} has shape {tuple(value.shape)}, expected {tuple(target.shape)}: {advice}")
    if value.dtype != target.dtype:
        raise TrainingError(f"{name} is {value.dtype}, expected {target.dtype}: the file is damaged")
    if value.is_floating_point() and not bool(value.isfinite().all()):
        raise TrainingError(f"{name} holds values that are not finite: the file is damaged")


def adam_moments(optimizer: Mapping[str, Any], weights: list[Tensor]) -> dict[int, dict[str, Tensor]]:
    """The moments of Adam in the state dict of an optimizer, by the weights' numbers.

    weights: those that are trained, in order. Raises TrainingError for moments that are not theirs.
    """
    moments = optimizer.get("state")
    if not isinstance(moments, dict):
        _refuse("optimizer.state", moments, "a dictionary")
    for number, entry in moments.items():
        name = f"optimizer.state.{shown(number)}"
        if type(number) is not int or not 0 <= number < len(weights):
            raise TrainingError(f"{name} belongs to no weight of these networks, which have {len(weights)}")
        if not isinstance(entry, dict) or set(entry) != {"step", *MOMENTS}:
            _refuse(name, sorted(map(str, entry)) if isinstance(entry, dict) else entry, "step, exp_avg, exp_avg_sq")
        check_tensor(f"{name}.step", entry["step"], torch.zeros(()))
        for moment in MOMENTS:
            check_tensor(f"{name}.{moment}", entry[moment], weights[number])
        if bool(entry["step"] < 0) or bool((entry["exp_avg_sq"] < 0).any()):
            raise TrainingError(f"{name} holds a negative step or exp_avg_sq: the file is damaged")
    return moments


def loss_scaling(scaler: Mapping[str, Any], fresh: Mapping[str, Any]) -> dict[str, Any]:
    """State of a gradient scaler with the scale of a saved one. fresh: that of a new one, {} if there is none.

    Raises TrainingError for a scale that is none.
    """
    if not scaler or not fresh:
        return dict(fresh)
    scale, steps = scaler.get("scale"), scaler.get("_growth_tracker")
    if not _is_number(scale) or not 0 < scale < 2**100:
        _refuse("scaler.scale", scale, "a positive number")
    check_count("scaler._growth_tracker", steps, 10**9)
    return {**fresh, "scale": scale, "_growth_tracker": steps}


def _is_number(value: object) -> bool:
    return type(value) in (int, float)


def _refuse(name: str, value: object, expected: str) -> NoReturn:
    # Nothing but plain values is shown: a few bytes may describe a container or tensor whose text has gigabytes.
    is_plain = value is None or type(value) in (int, float, bool, str)
    is_list = type(value) is list and len(value) < 10 and all(type(item) is str for item in value)
    if type(value) is int and abs(value) > 1e30:
        is_plain, value = True, math.inf if value > 0 else -math.inf
    found = shown(repr(value)) if is_plain or is_list else f"of type {type(value).__name__}"
    raise TrainingError(f"{name} is {found}, expected {expected}: the file is damaged, start a new training")
