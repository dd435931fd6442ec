# SPDX-License-Identifier: Apache-2.0
"""Several processes that train together."""

import json
import os
import subprocess
import sys
from pathlib import Path

import torch
from small_training import SMALL, batch_of

from monodepth_ros.settings.schema import replace
from monodepth_ros.training.config import TrainConfig
from monodepth_ros.training.samples.open_dataset import open_dataset
from monodepth_ros.training.trainer import Trainer

WORKER = """
import json, os, sys
from pathlib import Path
import torch
from monodepth_ros.settings.schema import replace
from monodepth_ros.training.config import TrainConfig
from monodepth_ros.training.samples.open_dataset import open_dataset
from monodepth_ros.training.samples.loader import Loader, epoch_order
from monodepth_ros.training.processes import join_processes
from monodepth_ros.training.trainer import Trainer
torch.set_num_threads(1)
folder = Path(sys.argv[1])
config = replace(TrainConfig(), json.loads(sys.argv[2]))
processes = join_processes("cpu")
with open_dataset(config.data, config.networks) as dataset:
    trainer = Trainer(config, dataset, folder, processes=processes)
    order = epoch_order(len(dataset.training), 0, 0, processes.rank, processes.count)
    samples = [dataset.training[i] for i in order[: config.loop.batch_size]]
    loader = Loader(dataset, len(samples), workers=1)
    batch = next(loader.batches(samples)).to("cpu")
    loader.close()
    trainer.learner.eval()
    trainer.optimization.loss(batch).total.backward()
    gradients = {name: p.grad for name, p in trainer.learner.named_parameters() if p.grad is not None}
    torch.save({"gradients": gradients, "names": list(batch.names)}, folder / f"rank{processes.rank}.pt")
    trainer.close()
processes.end()
"""


def test_two_processes_have_the_gradients_of_one_and_share_the_data(drive, tmp_path):
    settings = {"data.recordings": [str(drive)], **SMALL, "objective.automask": False, "loop.batch_size": 2}
    settings["loop.precision"] = "fp32"
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"]
    (tmp_path / "worker.py").write_text(WORKER)
    environment = {key: value for key, value in os.environ.items() if key not in ("WORLD_SIZE", "RANK")}
    found = subprocess.run(
        [*command, str(tmp_path / "worker.py"), str(tmp_path), json.dumps(settings)],
        env=environment, capture_output=True, text=True, timeout=240,
    )  # fmt: skip
    assert found.returncode == 0, found.stderr[:2000] + found.stderr[-1000:]
    ranks = [torch.load(tmp_path / f"rank{rank}.pt") for rank in (0, 1)]
    assert not set(ranks[0]["names"]) & set(ranks[1]["names"])
    config = replace(TrainConfig(), {**settings, "loop.batch_size": 4})
    with open_dataset(config.data, config.networks) as dataset:
        by_name = {dataset.name(sample): sample for sample in dataset.training}
        trainer = Trainer(config, dataset, Path(tmp_path))
        batch = batch_of(dataset, [by_name[name] for rank in ranks for name in rank["names"]])
        trainer.learner.eval()
        trainer.optimization.loss(batch).total.backward()
        trainer.close()
    for name, parameter in trainer.learner.named_parameters():
        if parameter.grad is None:
            continue
        expected = parameter.grad
        for rank in ranks:
            error = (rank["gradients"][name] - expected).abs().max() / expected.abs().max().clamp(min=1e-8)
            assert error < 1e-3, (name, error.item())


def test_a_training_without_improvement_ends_successfully_in_every_process(drive, tmp_path):
    changes = {"optimizer.learning_rate": 0.0, "loop.patience": 1, "loop.validate_every": 1, "loop.batch_size": 2}
    (tmp_path / "mine.yaml").write_text(json.dumps({**SMALL, **changes}))
    words = ["--data", str(drive), "--config", str(tmp_path / "mine.yaml"), "--out", str(tmp_path / "t")]
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"]
    environment = {key: value for key, value in os.environ.items() if key not in ("WORLD_SIZE", "RANK")}
    done = subprocess.run(
        [*command, "-m", "monodepth_ros.cli.main", "train", *words],
        env=environment,
        capture_output=True,
        text=True,
        timeout=240,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    assert "(step 2)" in done.stdout and "stopped" not in done.stdout, done.stdout
