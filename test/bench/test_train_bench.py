# SPDX-License-Identifier: Apache-2.0
"""scripts/bench train with small networks and images."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch

# Before the checkout is on the path, so that the package is the installed one.
from monodepth_ros.training.config import NetworksConfig
from monodepth_ros.training.objective import ObjectiveConfig

ROOT = Path(__file__).resolve().parents[2]
sys.path.append(str(ROOT))  # for bench/ alone

from bench.errors import BenchError  # noqa: E402
from bench.train import check_losses  # noqa: E402
from bench.train_worker import make_batch, make_step  # noqa: E402

sys.path.remove(str(ROOT))

ENVIRONMENT = {**os.environ, "PYTHONPATH": os.pathsep.join((*filter(None, [os.environ.get("PYTHONPATH")]), str(ROOT)))}
TINY = ["--depth", "rt_monodepth_s", "--pose", "posecnn", "--scales", "3", "--size", "64x32", "--batch-size", "2"]
CPU = torch.device("cpu")


def run_train(results, *arguments):
    """The benchmark's figures and its output."""
    command = [sys.executable, "-m", "bench", "train", *TINY, "--rounds", "2", "--steps", "1"]
    command += ["--results", str(results), *arguments]
    process = subprocess.run(command, env=ENVIRONMENT, capture_output=True, text=True, timeout=300)
    assert process.returncode == 0, f"{process.stdout}\n{process.stderr}"
    (result,) = results.glob("train_*.json")
    return json.loads(result.read_text()), process.stdout


@pytest.mark.parametrize(
    ("depth", "pose", "scales"), [("resnet18", "separate_resnet18", 4), ("rt_monodepth_s", "posecnn", 3)]
)
def test_loss_and_gradients_of_package_and_baseline_agree(depth, pose, scales):
    networks, objective = NetworksConfig(depth=depth, pose=pose, width=96, height=64), ObjectiveConfig(scales=scales)
    batch = make_batch(2, 96, 64).to(CPU)
    losses, gradients = [], []
    for variant in ("baseline", "fp32"):
        step = make_step(variant, networks, objective, CPU)
        step.learner.eval()
        prediction = step.predict(batch)
        loss = step.loss(batch, prediction, torch.Generator().manual_seed(0))
        losses.append(loss.item())
        gradients.append(torch.autograd.grad(loss, step.tensors(prediction)))
    assert losses[1] == pytest.approx(losses[0], abs=1e-5)
    baseline, package = ({tuple(g.shape): g for g in found} for found in gradients)
    for scale in range(scales):
        shape = (2, 1, 64 >> scale, 96 >> scale)
        difference = (package[shape] - baseline[shape]).norm() / baseline[shape].norm()
        # If two sources are equally good up to rounding, either may get the gradient.
        assert difference < 0.05, (scale, difference)


def test_the_package_is_compared_with_the_baseline(tmp_path):
    figures, printed = run_train(tmp_path)
    variants = figures["variants"]
    assert list(variants) == ["baseline", "fp32", "bf16"]
    for values in variants.values():
        assert len(values["seconds"]) == 2 and values["peak_mb"] > 50
        assert values["samples_per_second"] == pytest.approx(2 / values["step_seconds"])
        assert min(values["stages"].values()) > 0
    assert variants["bf16"]["ratio"] == pytest.approx(
        variants["baseline"]["step_seconds"] / variants["bf16"]["step_seconds"]
    )
    assert f"{variants['bf16']['ratio']:.2f}" in printed
    (result,) = tmp_path.glob("train_*.json")
    command = [sys.executable, "-m", "bench", "table", str(result)]
    table = subprocess.run(command, env=ENVIRONMENT, capture_output=True, text=True, check=True).stdout.splitlines()
    assert len(table) == 5 and len({line.count("|") for line in table}) == 1, table
    assert "| bf16 |" in table[-1] and f" {variants['bf16']['ratio']:.2f} |" in table[-1]


def test_different_losses_are_refused():
    check_losses({"baseline": 0.2, "fp32": 0.20005, "bf16": 0.3})
    for wrong in (0.2002, float("nan")):
        with pytest.raises(BenchError, match="the first losses differ"):
            check_losses({"baseline": 0.2, "fp32": wrong, "bf16": 0.2})


def test_the_wait_for_data_is_a_share_of_the_time(tmp_path):
    from monodepth_ros.cli.main import main

    bag = tmp_path / "drive.mcap"
    assert main(["synth", "--out", str(bag), "--seconds", "2", "--width", "96", "--height", "64", "--compressed"]) == 0
    figures, printed = run_train(tmp_path, "--data", str(bag))
    assert 0 <= figures["waiting_share"] < 1 and figures["steps"] == 2
    assert "% of the time waiting" in printed


def test_bad_input_gives_an_error_of_one_line(tmp_path):
    command = [sys.executable, "-m", "bench", "train", *TINY]
    command += ["--data", str(tmp_path / "none.mcap"), "--results", str(tmp_path)]
    process = subprocess.run(command, env=ENVIRONMENT, capture_output=True, text=True, timeout=100)
    assert process.returncode == 2 and "none.mcap" in process.stderr and "Traceback" not in process.stderr, process
