# SPDX-License-Identifier: Apache-2.0
"""The loop: it learns, goes on exactly where it was stopped, and says what goes wrong."""

import copy
import dataclasses
import json
import math
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch

from monodepth_ros.cli.main import main as monodepth
from monodepth_ros.networks.checkpoint import load_checkpoint, save_checkpoint
from monodepth_ros.networks.checkpoint_header import CheckpointHeader
from monodepth_ros.networks.disparity import disparity_to_depth
from monodepth_ros.networks.registry import build_depth
from monodepth_ros.settings.schema import ConfigError, replace
from monodepth_ros.training.config import TrainConfig
from monodepth_ros.training.hardware import training_precision
from monodepth_ros.training.learner import make_learner
from monodepth_ros.training.optimizer import OptimizerConfig
from monodepth_ros.training.run_log import read_log
from monodepth_ros.training.samples.clip import TrainingError
from monodepth_ros.training.samples.loader import Loader
from monodepth_ros.training.samples.open_dataset import open_dataset
from monodepth_ros.training.schedule import rate_at
from monodepth_ros.training.state import TrainingState, load_state, save_state
from monodepth_ros.training.trainer import BEST, LAST, STATE, Trainer

SMALL = {
    "networks.depth": "rt_monodepth_s",
    "networks.pose": "posecnn",
    "networks.width": 96,
    "networks.height": 32,
    "objective.scales": 3,
    "loop.batch_size": 4,
    "loop.max_steps": 8,
    "loop.save_every": 3,
    "loop.log_every": 1,
    "loop.device": "cpu",
    "optimizer.learning_rate": 1e-3,
}


@pytest.fixture(scope="module")
def drive(tmp_path_factory):
    path = tmp_path_factory.mktemp("drive") / "drive.mcap"
    words = ["synth", "--out", str(path), "--seconds", "2", "--width", "96", "--height", "32", "--seed", "5"]
    assert monodepth(words) == 0
    return path


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


def batch_of(dataset, samples):
    loader = Loader(dataset, len(samples), workers=1)
    try:
        return next(loader.batches(samples)).to("cpu")
    finally:
        loader.close()


def weights(folder, name=STATE):
    return load_state(folder / STATE).weights if name == STATE else load_checkpoint(folder / name).depth.state_dict()


def differing(first, second):
    return [name for name, value in first.items() if not torch.equal(value, second[name])]


def test_it_leaves_checkpoints_a_state_and_a_log(drive, tmp_path):
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


def test_numbers_too_small_for_fast_arithmetic_are_zero(drive, tmp_path):
    if not torch.set_flush_denormal(False):
        pytest.skip("this CPU has no such mode")
    tiny = torch.full((64,), 1e-30)
    assert (tiny * 1e-10).any()
    train(config_for(drive, loop__max_steps=1), tmp_path)
    assert not (tiny * 1e-10).any()


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


def test_killed_at_any_moment_it_loses_at_most_an_interval_and_ends_the_same(drive, tmp_path):
    settings = {"data.recordings": [str(drive)], **SMALL, "loop.max_steps": 40, "loop.save_every": 4}
    whole = start(tmp_path / "whole", settings)
    assert whole.wait(120) == 0
    kills = 0
    for attempt in range(40):
        process = start(tmp_path / "killed", settings)
        steps = iter(process.stdout)
        seen = 0
        # A few steps on, and then somewhere in the middle of one, or of saving.
        for seen, _ in zip(range(1, 7), steps, strict=False):
            pass
        if kills < 5:
            time.sleep(0.013 * attempt)
            process.kill()
            kills += process.wait() == -signal.SIGKILL
            if (tmp_path / "killed" / STATE).exists():
                last = int(([""] + [line for line in steps])[-1] or 0)
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


def test_a_training_without_hope_ends_with_a_reason(drive, tmp_path):
    with pytest.raises(
        TrainingError, match="not finite in 5 steps in a row.*drive.mcap at .* lower optimizer.learning_rate"
    ):
        train(config_for(drive, optimizer__learning_rate=1.0, loop__max_steps=40, networks__pose="posecnn", optimizer__clip_gradient=0.0,
                         augmentation__jitter=0.0, networks__start_from=str(_exploding(tmp_path))), tmp_path / "run")  # fmt: skip


def _exploding(tmp_path):
    """Finite weights whose products are not."""
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


def test_a_full_disk_is_one_line_and_the_old_state_stays(tmp_path):
    if not os.path.exists("/dev/full"):
        pytest.skip("no /dev/full")
    state = TrainingState(1, {"w": torch.ones(3)}, {}, {})
    save_state(state, tmp_path / STATE)
    partial = tmp_path / f".{STATE}.{os.getpid()}"
    partial.symlink_to("/dev/full")
    with pytest.raises(TrainingError, match="state.pt cannot be written .*make room"):
        save_state(TrainingState(2, {"w": torch.ones(300000)}, {}, {}), tmp_path / STATE)
    assert load_state(tmp_path / STATE).step == 1
    assert not partial.is_symlink()


@pytest.mark.parametrize("content", [b"", b"no state", None])
def test_a_state_that_is_none_is_refused(tmp_path, content):
    if content is not None:
        (tmp_path / STATE).write_bytes(content)
    with pytest.raises(TrainingError, match="nothing to resume" if content is None else "damaged|not a training state"):
        load_state(tmp_path / STATE)


def test_fewer_samples_than_a_batch_are_refused(drive, tmp_path):
    with pytest.raises(TrainingError, match="fewer than loop.batch_size 1000"):
        train(config_for(drive, loop__batch_size=1000), tmp_path)


def test_schedules():
    config = OptimizerConfig(step_epochs=2, warm_up=4)
    assert [rate_at(step, 10, 60, config) for step in (0, 3, 4, 19, 20, 40)] == pytest.approx(
        [0.25, 1, 1, 1, 0.1, 0.01]
    )
    cosine = OptimizerConfig(schedule="cosine")
    assert [rate_at(step, 10, 60, cosine) for step in (0, 30, 60)] == pytest.approx([1, 0.5, 0])
    assert rate_at(59, 10, 60, OptimizerConfig(schedule="constant")) == 1


def test_imagenet_weights_begin_both_encoders(tmp_path):
    donor = build_depth("resnet18").encoder.encoder.state_dict()
    torch.save({**donor, "fc.weight": torch.zeros(1000, 512)}, tmp_path / "resnet18.pth")
    config = replace(TrainConfig(), {"networks.encoder_weights": str(tmp_path / "resnet18.pth")})
    learner = make_learner(config.networks, config.objective, 0)
    assert differing(donor, learner.depth.encoder.encoder.state_dict()) == []
    stem = learner.pose.encoder.encoder.conv1.weight
    assert torch.equal(stem, torch.cat((donor["conv1.weight"],) * 2, dim=1) / 2)


def test_fine_tuning_begins_with_the_checkpoint(tmp_path):
    header = CheckpointHeader(
        depth_network="rt_monodepth_s", height=64, width=96, training_camera=(0.58, 1.92, 0.5, 0.5)
    )
    depth = build_depth("rt_monodepth_s")
    save_checkpoint(tmp_path / "a.safetensors", header, depth)
    settings = {"networks.start_from": str(tmp_path / "a.safetensors"), "networks.depth": "rt_monodepth_s"}
    config = replace(TrainConfig(), settings)
    assert differing(depth.state_dict(), make_learner(config.networks, config.objective, 0).depth.state_dict()) == []
    with pytest.raises(
        TrainingError, match="holds a rt_monodepth_s, networks.depth is resnet18: set it to rt_monodepth_s"
    ):
        make_learner(replace(config, {"networks.depth": "resnet18"}).networks, config.objective, 0)


def test_kept_depth_stays_as_it_is_in_metres_while_motion_is_learned(drive, tmp_path):
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
def test_depth_can_be_kept_only_where_motion_is_learned_for_depth_that_exists(drive, changes):
    with pytest.raises(ConfigError, match="^networks.keep_depth .*"):
        config_for(drive, networks__keep_depth=True, **{"networks__start_from": "a.safetensors", **changes})


@pytest.mark.parametrize("name", ["rt_monodepth_s", "resnet18"])
@pytest.mark.parametrize(
    ("sources", "middle"), [("stereo", math.sqrt(0.2 * 50)), ("both", math.sqrt(0.2 * 50)), ("mono", 0.4)]
)
def test_depth_whose_scale_is_known_begins_in_the_middle_of_its_range(name, sources, middle):
    config = replace(TrainConfig(), {"networks.depth": name, "networks.min_depth": 0.2, "networks.max_depth": 50.0})
    learner = make_learner(config.networks, config.objective, 0, sources, sources != "stereo").eval()
    with torch.inference_mode():
        disparities = learner.depth(torch.rand(2, 3, 64, 96))
    for scale, disparity in disparities.items():
        assert disparity_to_depth(disparity, 0.2, 50.0).median() == pytest.approx(middle, rel=0.35), scale


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"objective.predictive_mask": True, "objective.automask": False}, "needs a ResNet depth network"),
        ({"networks.pose": "shared_resnet18"}, "shared_resnet18 needs networks.depth resnet18"),
    ],
)
def test_networks_that_do_not_fit_are_refused(changes, expected):
    config = replace(TrainConfig(), {"networks.depth": "rt_monodepth_s", **changes})
    with pytest.raises(ConfigError, match=expected):
        make_learner(config.networks, config.objective, 0)


def test_velocity_supervision_needs_odometry(drive, tmp_path):
    config = config_for(drive, objective__velocity=0.1)
    with open_dataset(config.data, config.networks) as dataset:
        for recorded in dataset.recordings:
            recorded.clip.index.poses[:] = math.nan
        with pytest.raises(TrainingError, match="objective.velocity needs odometry.*data.odometry"):
            Trainer(config, dataset, tmp_path)


def test_tensorboard_gets_curves_and_pictures(drive, tmp_path):
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


@pytest.mark.parametrize(
    ("capabilities", "expected"),
    [({"avx512_bf16": True}, "bf16"), ({"amx_bf16": True}, "bf16"), ({"avx512_bf16": False}, "fp32"), ({}, "fp32")],
)
def test_the_precision_auto_is_what_the_cpu_is_fast_in(monkeypatch, capabilities, expected):
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: capabilities, raising=False)
    assert training_precision("auto", torch.device("cpu")) == expected
    assert training_precision("fp32", torch.device("cpu")) == "fp32"
    with pytest.raises(TrainingError, match="fp16 needs a CUDA device"):
        training_precision("fp16", torch.device("cpu"))
