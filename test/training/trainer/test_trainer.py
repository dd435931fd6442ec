# SPDX-License-Identifier: Apache-2.0
"""The training loop: learning, resuming, and errors."""

import copy
import dataclasses
import itertools
import json
import math
import signal
import subprocess
import sys
import time

import pytest
import torch
from small_training import SMALL, batch_of

from monodepth_ros.networks.checkpoints.checkpoint import load_checkpoint, save_checkpoint
from monodepth_ros.networks.checkpoints.header import CheckpointHeader
from monodepth_ros.networks.registry import build_depth
from monodepth_ros.settings.schema import ConfigError, replace
from monodepth_ros.training.config import TrainConfig
from monodepth_ros.training.run_log import read_log
from monodepth_ros.training.samples.clip import TrainingError
from monodepth_ros.training.samples.open_dataset import open_dataset
from monodepth_ros.training.state import load_state
from monodepth_ros.training.trainer import BEST, LAST, STATE, Trainer


def config_for(drive, **changes):
    named = {name.replace("__", "."): value for name, value in changes.items()}
    return replace(TrainConfig(), {"data.recordings": [str(drive)], **SMALL, **named})


def train(config, folder, resume=False, stop_at=None):
    folder.mkdir(exist_ok=True)

    def report(progress):
        if progress.step == stop_at:
            trainer.stop()

    with open_dataset(config.data, config.networks) as dataset:
        with Trainer(config, dataset, folder, resume, report=report) as trainer:
            trainer.finished = trainer.run()
    return trainer


def weights(folder, name=STATE):
    return load_state(folder / STATE).weights if name == STATE else load_checkpoint(folder / name).depth.state_dict()


def differing(first, second):
    return [name for name, value in first.items() if not torch.equal(value, second[name])]


def test_a_training_leaves_checkpoints_a_state_and_a_log(drive, tmp_path):
    trainer = train(config_for(drive, loop__licence="Apache-2.0"), tmp_path)
    assert trainer.finished and trainer.step == 8
    header = load_checkpoint(tmp_path / LAST).header
    assert (header.depth_network, header.pose_network) == ("rt_monodepth_s", "posecnn")
    assert (header.width, header.height, header.licence) == (96, 32, "Apache-2.0")
    assert not header.is_metric and "drive.mcap" in header.training_data
    assert header.pose_interval == pytest.approx(0.1, abs=1e-6)
    assert header.training_camera == pytest.approx((0.58, 1.92, 0.5, 0.5), abs=1e-6)
    assert load_checkpoint(tmp_path / BEST).header == header
    log = read_log(tmp_path)
    assert [line["step"] for line in log if line["kind"] == "train"] == list(range(1, 9))
    validations = [line for line in log if line["kind"] == "validation"]
    assert validations[0]["step"] == 0 and {"loss", "abs_rel", "a1", "ate_5", "rotation_error"} <= set(validations[-1])


def test_denormal_numbers_are_zero_while_a_training_runs_and_not_after(drive, tmp_path):
    if not torch.set_flush_denormal(False):
        pytest.skip("this CPU has no such mode")
    config, tiny = config_for(drive, loop__max_steps=1), torch.full((64,), 1e-30)
    during = []
    with open_dataset(config.data, config.networks) as dataset:
        report = lambda progress: during.append((tiny * 1e-10).any().item())  # noqa: E731
        with Trainer(config, dataset, tmp_path, False, report=report) as trainer:
            trainer.run()
    assert during and not any(during)
    assert (tiny * 1e-10).any()


def test_the_loss_falls(drive, tmp_path):
    changes = {"networks__pose": "separate_resnet18", "optimizer__learning_rate": 3e-4}
    train(config_for(drive, loop__max_steps=40, loop__validate_every=1000, **changes), tmp_path)
    means = [line["total"] for line in read_log(tmp_path) if line["kind"] == "train"]
    assert sum(means[-10:]) < 0.95 * sum(means[:10]), means


@pytest.mark.parametrize("pose", ["posecnn", "shared_resnet18"])
def test_stopped_and_resumed_is_the_same_as_never_stopped(drive, tmp_path, pose):
    depth = "resnet18" if pose.startswith("shared") else "rt_monodepth_s"
    changes = {"networks__pose": pose, "networks__depth": depth, "optimizer__ema": 0.9, "optimizer__schedule": "cosine"}
    config = config_for(drive, **changes)
    train(config, tmp_path / "whole")
    stopped = train(config, tmp_path / "parts", stop_at=3)
    assert not stopped.finished and load_state(tmp_path / "parts" / STATE).step == 3
    train(config, tmp_path / "parts", resume=True)
    assert differing(weights(tmp_path / "whole"), weights(tmp_path / "parts")) == []
    assert differing(weights(tmp_path / "whole", LAST), weights(tmp_path / "parts", LAST)) == []
    steps = [[(line["step"], line["kind"]) for line in read_log(tmp_path / name)] for name in ("whole", "parts")]
    assert steps[0] == steps[1]


PROGRAM = """
import sys
from pathlib import Path
from monodepth_ros.settings.schema import replace
from monodepth_ros.training.config import TrainConfig
from monodepth_ros.training.samples.open_dataset import open_dataset
from monodepth_ros.training.trainer import STATE, Trainer
import json, torch
torch.set_num_threads(1)
folder = Path(sys.argv[1])
config = replace(TrainConfig(), json.loads(sys.argv[2]))
with open_dataset(config.data, config.networks) as dataset:
    Trainer(config, dataset, folder, resume=(folder / STATE).exists(),
            report=lambda progress: print(progress.step, flush=True)).run()
"""


def start(folder, settings):
    folder.mkdir(exist_ok=True)
    return subprocess.Popen(
        [sys.executable, "-c", PROGRAM, str(folder), json.dumps(settings)], stdout=subprocess.PIPE, text=True
    )


def test_a_killed_training_loses_at_most_one_interval_and_ends_with_the_same_weights(drive, tmp_path):
    settings = {"data.recordings": [str(drive)], **SMALL, "loop.max_steps": 40, "loop.save_every": 4}
    whole = start(tmp_path / "whole", settings)
    assert whole.wait(120) == 0
    kills = 0
    for attempt in range(40):
        process = start(tmp_path / "killed", settings)
        steps = iter(process.stdout)
        # Kill it after a few steps, somewhere within a step or a save.
        for _ in itertools.islice(steps, 6):
            pass
        if kills < 5:
            time.sleep(0.013 * attempt)
            process.kill()
            kills += process.wait() == -signal.SIGKILL
            if (tmp_path / "killed" / STATE).exists():
                last = int(["", *steps][-1] or 0)
                assert load_state(tmp_path / "killed" / STATE).step >= last - 4
        elif process.wait(120) == 0:
            break
    assert kills == 5
    assert differing(weights(tmp_path / "whole"), weights(tmp_path / "killed")) == []


def test_a_step_without_a_finite_loss_is_skipped_and_named(drive, tmp_path):
    config = config_for(drive)
    with open_dataset(config.data, config.networks) as dataset:
        trainer = Trainer(config, dataset, tmp_path)
        before = {name: value.clone() for name, value in trainer.learner.state_dict().items()}
        batch = batch_of(dataset, dataset.training[:4])
        batch.images[0][1] = math.nan
        assert trainer.train_on(dataclasses.replace(batch, network_images=batch.images)) == {}
        trainer.close()
    assert differing(before, trainer.learner.state_dict()) == []
    (line,) = [line for line in read_log(tmp_path) if line["kind"] == "skipped"]
    assert line["samples"] == [dataset.name(sample) for sample in dataset.training[:4]]


def test_a_training_that_diverges_ends_with_a_reason(drive, tmp_path):
    with pytest.raises(
        TrainingError, match="not finite in 5 steps in a row.*drive.mcap at .* lower optimizer.learning_rate"
    ):
        changes = {"optimizer__learning_rate": 1.0, "optimizer__clip_gradient": 0.0, "augmentation__jitter": 0.0}
        changes |= {"networks__pose": "posecnn", "networks__start_from": str(_exploding(tmp_path))}
        train(config_for(drive, loop__max_steps=40, **changes), tmp_path / "run")


def _exploding(tmp_path):
    """A checkpoint with finite weights whose products overflow."""
    header = CheckpointHeader(
        depth_network="rt_monodepth_s", height=32, width=96, training_camera=(0.58, 1.92, 0.5, 0.5)
    )
    depth = build_depth("rt_monodepth_s")
    with torch.no_grad():
        for name, parameter in depth.named_parameters():
            if "conv1" in name or "convs" in name:
                parameter.fill_(3e37)
    save_checkpoint(tmp_path / "exploding.safetensors", header, depth)
    return tmp_path / "exploding.safetensors"


def test_fewer_samples_than_a_batch_are_refused(drive, tmp_path):
    with pytest.raises(TrainingError, match="fewer than loop.batch_size 1000"):
        train(config_for(drive, loop__batch_size=1000), tmp_path)


def test_kept_depth_and_its_scale_stay_while_motion_is_learned(drive, tmp_path):
    torch.manual_seed(0)
    depth = build_depth("resnet18")
    header = CheckpointHeader(
        "resnet18", 32, 96, (0.58, 1.92, 0.5, 0.5), scale_kind="metric", scale_factor=5.4, scale_origin="tape"
    )
    save_checkpoint(tmp_path / "depth.safetensors", header, depth)
    changes = {"networks__depth": "resnet18", "networks__start_from": str(tmp_path / "depth.safetensors")}
    config = config_for(drive, networks__keep_depth=True, loop__max_steps=4, **changes)
    train(config, tmp_path / "run", stop_at=2)
    half = load_checkpoint(tmp_path / "run" / LAST)
    train(config, tmp_path / "run", resume=True)
    found = load_checkpoint(tmp_path / "run" / LAST)
    assert differing(depth.state_dict(), found.depth.state_dict()) == []
    assert differing(half.pose.state_dict(), found.pose.state_dict()) != []
    assert (found.header.scale_factor, found.header.scale_origin) == (5.4, "tape")


def test_a_trainer_leaves_its_data_set_as_it_was(drive, tmp_path):
    header = CheckpointHeader("rt_monodepth_s", 32, 96, (0.58, 1.92, 0.5, 0.5), scale_kind="metric", scale_factor=5.4)
    save_checkpoint(tmp_path / "depth.safetensors", header, build_depth("rt_monodepth_s"))
    start = str(tmp_path / "depth.safetensors")
    config = config_for(drive, networks__keep_depth=True, networks__start_from=start, loop__max_steps=1)
    with open_dataset(config.data, config.networks) as dataset:
        before = copy.copy(vars(dataset))
        with Trainer(config, dataset, tmp_path) as trainer:
            assert trainer.header().scale_factor == 5.4
            trainer.run()
        assert vars(dataset) == before


@pytest.mark.parametrize(
    "changes", [{"networks__start_from": ""}, {"data__sources": "stereo"}, {"data__sources": "both"}]
)
def test_keep_depth_needs_a_checkpoint_and_neighbours_in_time(drive, changes):
    with pytest.raises(ConfigError, match="^networks.keep_depth .*"):
        config_for(drive, networks__keep_depth=True, **{"networks__start_from": "a.safetensors", **changes})


def test_velocity_supervision_needs_odometry(drive, tmp_path):
    config = config_for(drive, objective__velocity=0.1)
    with open_dataset(config.data, config.networks) as dataset:
        for recorded in dataset.recordings:
            recorded.clip.index.poses[:] = math.nan
        with pytest.raises(TrainingError, match="objective.velocity needs odometry.*data.odometry"):
            Trainer(config, dataset, tmp_path)


def test_tensorboard_receives_curves_and_pictures(drive, tmp_path):
    pytest.importorskip("tensorboard", reason="TensorBoard is not installed")
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    train(config_for(drive, loop__max_steps=2), tmp_path)
    events = EventAccumulator(str(tmp_path / "tensorboard"))
    events.Reload()
    logged = {line["step"]: line["total"] for line in read_log(tmp_path) if line["kind"] == "train"}
    assert {event.step: event.value for event in events.Scalars("train/total")} == pytest.approx(logged)
    assert {"validation/loss", "validation/abs_rel"} <= set(events.Tags()["scalars"])
    assert {"target", "depth", "mask"} <= set(events.Tags()["images"])


def test_every_variant_takes_a_step(drive, tmp_path):
    variants = [
        {"objective.predictive_mask": True, "objective.automask": False, "networks.depth": "resnet18"},
        {"networks.pose": "separate_resnet18", "objective.full_resolution": False, "loop.channels_last": False},
        {"objective.velocity": 0.1, "objective.depth_consistency": 0.1, "objective.scales": 1},
        {"objective.affine_brightness": True, "objective.combination": "average", "loop.precision": "bf16"},
    ]
    for number, variant in enumerate(variants):
        config = replace(config_for(drive, loop__max_steps=1), variant)
        trainer = train(config, tmp_path / str(number))
        assert trainer.finished and load_state(tmp_path / str(number) / STATE).skipped == 0, variant
    header = load_checkpoint(tmp_path / "2" / LAST).header
    assert (header.is_metric, header.scale_factor, header.scale_origin) == (True, 1.0, "velocity supervision")
