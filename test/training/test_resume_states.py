# SPDX-License-Identifier: Apache-2.0
"""States to resume from with values that no training saved."""

import copy
import math
import os
import pickle
import zipfile

import pytest
import torch
from torch import nn

from monodepth_ros.training.resumed import about
from monodepth_ros.training.samples.clip import TrainingError
from monodepth_ros.training.state import TrainingState, load_state, save_state
from monodepth_ros.training.state_values import adam_moments, check_tensors, loss_scaling


def good():
    network = nn.Linear(3, 2)
    optimizer = torch.optim.Adam(network.parameters())
    network(torch.ones(1, 3)).sum().backward()
    optimizer.step()
    state = TrainingState(
        step=40,
        weights=network.state_dict(),
        optimizer=optimizer.state_dict(),
        config={"loop.seed": 0, "data.recordings": ["a"]},
        best={"loss": 0.2, "step": 20},
        skipped=1,
        seconds=2.5,
    )
    return {"format": 1, **copy.deepcopy(vars(state))}, network


def resume(path):
    """What a training does with a state."""
    state = load_state(path)
    network = good()[1]
    with about(path):
        check_tensors("weights", state.weights, network.state_dict(), "other networks")
        adam_moments(state.optimizer, list(network.parameters()))
        fresh = torch.amp.GradScaler("cpu", enabled=True).state_dict()
        loss_scaling(state.scaler, fresh)
    return state


def changed(content, names, value):
    *groups, last = names
    for name in groups:
        content = content[name]
    if value is ABSENT:
        del content[last]
    else:
        content[last] = value


ABSENT = object()
MOMENTS = ("optimizer", "state", 0)
NESTED = []
for _ in range(60):
    NESTED = [NESTED, NESTED]  # as text it would have 2^60 brackets
LIES = [
    (("step",), "40", "step is '40', expected a whole number"),
    (("step",), -1, "step is -1"),
    (("step",), 4.0, "step is 4.0"),
    (("step",), True, "step is True"),
    (("step",), 10**12, "step is 1000000000000"),
    (("step",), 10**40, "step is inf"),
    (("step",), torch.tensor(40), "step is of type Tensor"),
    (("step",), ABSENT, "lacks step"),
    (("skipped",), 41, "skipped is 41, expected a whole number from 0 to 40"),
    (("skipped",), NESTED, "skipped is of type list"),
    (("seconds",), math.nan, "seconds is nan"),
    (("seconds",), -1.0, "seconds is -1.0"),
    (("seconds",), "long\x1b[31m", "seconds is 'long"),
    (("best",), [0.2, 20], "best is of type list, expected a dictionary"),
    (("best",), {"loss": 0.2}, "best is .'loss'., expected step and one of"),
    (("best", "step"), 41, "best.step is 41"),
    (("best", "loss"), math.inf, "best.loss is inf"),
    (("best", "loss"), "low", "best.loss is 'low'"),
    (("config",), None, "config is None"),
    (("config",), {1: 2}, "config is of type dict, expected a dictionary with names"),
    (("more",), 1, "holds unknown more"),
    (("weights",), [], r"weights is \[\]"),
    (("weights", "weight"), ABSENT, "weights lacks weight: other networks"),
    (("weights", "gamma\n"), torch.ones(1), "weights holds unknown gamma"),
    (("weights", "weight"), torch.ones(3, 2), r"weights.weight has shape \(3, 2\), expected \(2, 3\)"),
    (("weights", "weight"), torch.ones(1).expand(2**20, 2**20), "weights.weight has shape"),
    (("weights", "weight"), torch.ones(2, 3, dtype=torch.int32), "weights.weight is torch.int32"),
    (("weights", "weight"), torch.full((2, 3), math.nan), "weights.weight holds values that are not finite"),
    (("weights", "weight"), torch.ones(2, 3, device="meta"), "weights.weight is of type Tensor, expected a tensor"),
    (("weights", "weight"), 1.0, "weights.weight is 1.0, expected a tensor"),
    (("optimizer",), [], r"optimizer is \[\]"),
    (("optimizer",), {}, "optimizer.state is None"),
    (("optimizer", "state"), {"0": {}}, "optimizer.state.0 belongs to no weight"),
    (("optimizer", "state", 7), {}, "optimizer.state.7 belongs to no weight .* have 2"),
    (MOMENTS, [], r"optimizer.state.0 is \[\]"),
    ((*MOMENTS, "exp_avg"), ABSENT, "optimizer.state.0 is .*expected step, exp_avg, exp_avg_sq"),
    ((*MOMENTS, "more"), 1, "optimizer.state.0 is .*expected step, exp_avg, exp_avg_sq"),
    ((*MOMENTS, "exp_avg"), torch.ones(2**12, 3), r"optimizer.state.0.exp_avg has shape \(4096, 3\)"),
    ((*MOMENTS, "exp_avg"), torch.full((2, 3), math.inf), "optimizer.state.0.exp_avg holds values"),
    ((*MOMENTS, "exp_avg_sq"), torch.full((2, 3), -1.0), "negative step or exp_avg_sq"),
    ((*MOMENTS, "step"), torch.tensor(-1.0), "negative step or exp_avg_sq"),
    ((*MOMENTS, "step"), 12, "optimizer.state.0.step is 12, expected a tensor"),
    (("scaler",), {"scale": -1.0, "_growth_tracker": 0}, "scaler.scale is -1.0"),
    (("scaler",), {"scale": math.nan, "_growth_tracker": 0}, "scaler.scale is nan"),
    (("scaler",), {"scale": 2.0, "_growth_tracker": "many"}, "scaler._growth_tracker is 'many'"),
    (("format",), 2, "not a training state of this version"),
    (("format",), torch.zeros(2), "not a training state of this version"),
]


@pytest.mark.parametrize(
    ("names", "value", "expected"), LIES, ids=[f"{names}-{i}" for i, (names, *_) in enumerate(LIES)]
)
def test_a_state_with_a_lie_is_refused_in_one_line_that_names_file_and_key(tmp_path, names, value, expected):
    content, _ = good()
    changed(content, names, value)
    torch.save(content, tmp_path / "state.pt")
    with pytest.raises(TrainingError, match=expected) as caught:
        resume(tmp_path / "state.pt")
    message = str(caught.value)
    assert message.startswith(str(tmp_path / "state.pt")) and message.isprintable() and len(message) < 800, message


def test_a_true_state_resumes(tmp_path):
    content = good()[0]
    save_state(TrainingState(**{name: value for name, value in content.items() if name != "format"}), tmp_path / "s")
    assert resume(tmp_path / "s").step == 40
    content["optimizer"]["param_groups"] = "anything: the settings say it"
    torch.save(content, tmp_path / "s")
    assert resume(tmp_path / "s").best == {"loss": 0.2, "step": 20}


class Hostile:
    def __init__(self, mark):
        self.mark = mark

    def __reduce__(self):
        return os.system, (f"touch {self.mark}",)


def write_code(path):
    torch.save({**good()[0], "config": Hostile(path.with_name("mark"))}, path)


def write_pickle(path):
    path.write_bytes(pickle.dumps(good()[0]))


def write_claim(path):
    """A tensor whose description claims more than the file holds."""
    torch.save(good()[0], path)
    with zipfile.ZipFile(path) as archive:
        entries = {name: archive.read(name) for name in archive.namelist()}
    largest = next(name for name in entries if name.endswith("/data/0"))
    entries[largest] = entries[largest][:4]
    with zipfile.ZipFile(path, "w") as archive:
        for name, data in entries.items():
            archive.writestr(name, data)


def write_half(path):
    torch.save(good()[0], path)
    path.write_bytes(path.read_bytes()[:-700])


@pytest.mark.parametrize(
    ("write", "expected"),
    [
        (write_code, "holds code or objects .*system.*nothing of it was run"),
        (write_pickle, "not a PyTorch weight file"),
        (write_claim, "claims 24 bytes for 4"),
        (write_half, "damaged or truncated"),
        (lambda path: path.write_bytes(b""), "not a PyTorch weight file"),
        (lambda path: path.mkdir(), "is a folder"),
        (os.mkfifo, "no ordinary file"),
        (lambda path: path.symlink_to("/dev/zero"), "no ordinary file"),
        (lambda path: torch.save([1], path), "not a training state"),
    ],
)
def test_files_that_are_no_state_are_refused_without_running_anything(tmp_path, write, expected):
    write(tmp_path / "state.pt")
    with pytest.raises(TrainingError, match=expected) as caught:
        load_state(tmp_path / "state.pt")
    assert str(tmp_path / "state.pt") in str(caught.value) and "\n" not in str(caught.value)
    assert not (tmp_path / "mark").exists()
