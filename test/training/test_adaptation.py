# SPDX-License-Identifier: Apache-2.0
"""Adaptation of a checkpoint: judgement without ground truth, scale, and motion by features."""

import dataclasses
import json
import math

import cv2
import pytest
import torch

from monodepth_ros.cli.main import main as monodepth
from monodepth_ros.data.sources.open_source import open_source
from monodepth_ros.networks.checkpoints.bundled_checkpoint import bundled_checkpoint
from monodepth_ros.networks.checkpoints.checkpoint import load_checkpoint, save_checkpoint
from monodepth_ros.networks.checkpoints.header import CheckpointHeader
from monodepth_ros.networks.registry import build_depth, build_pose
from monodepth_ros.settings.schema import replace
from monodepth_ros.training.adaptation import ADAPTED, adaptation_settings, judge, keep
from monodepth_ros.training.run_log import read_log
from monodepth_ros.training.samples.open_dataset import open_dataset
from monodepth_ros.training.trainer import BEST, Trainer

CAMERA = (0.7, 1.9, 0.5, 0.5)


@pytest.fixture(scope="module")
def drive(tmp_path_factory):
    path = tmp_path_factory.mktemp("drive") / "drive.mcap"
    words = ["synth", "--out", str(path), "--seconds", "6", "--width", "96", "--height", "32", "--seed", "5"]
    assert monodepth(words) == 0
    return path


def checkpoint(path, pose="posecnn", **header):
    """A metric checkpoint with random weights."""
    torch.manual_seed(3)
    networks = build_depth("rt_monodepth_s"), build_pose(pose) if pose else None
    facts = dict(scale_kind="metric", scale_factor=5.0, scale_origin="stereo", licence="MIT", training_data="elsewhere")
    save_checkpoint(path, CheckpointHeader("rt_monodepth_s", 32, 96, CAMERA, pose, **{**facts, **header}), *networks)
    return load_checkpoint(path)


def validations(folder, *lines):
    folder.mkdir(exist_ok=True)
    names = ("step", "loss", "spread", "inconsistency")
    rows = [{"kind": "validation", **dict(zip(names, line, strict=True))} for line in lines]
    (folder / "log.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    return folder


@pytest.mark.parametrize(
    "later, expected",
    [
        ([(50, 0.09, 0.5, 0.15), (100, 0.095, 0.5, 0.1)], ""),
        ([(50, 0.1, 0.5, 0.1)], "did not fall by 5 %"),
        ([(50, 0.09, 0.2, 0.1)], "collapsed"),
        ([(50, 0.09, 0.5, 0.17)], "agrees less"),
        ([(50, None, 0.5, 0.1)], "stopped before"),
        ([], "stopped before"),
    ],
    ids=["better", "no better", "collapsed", "inconsistent", "diverged", "interrupted"],
)
def test_the_new_checkpoint_must_be_better_on_held_out_blocks(tmp_path, later, expected):
    folder = validations(tmp_path, (0, 0.1, 0.5, 0.1), *later)
    outcome = judge(folder)
    assert outcome.is_better == (not expected) and expected in outcome.reason
    assert outcome.before["step"] == 0
    if not expected:
        assert outcome.after["step"] == 50 and "10.0 %" in outcome.reason


def test_without_a_pose_network_features_give_the_motion(tmp_path, capsys):
    """Adapt the bundled depth network alone, at a new input size: the scale stays, and no pose network is added."""
    drive = tmp_path / "drive.mcap"
    assert (
        monodepth(["synth", "--out", str(drive), "--seconds", "3", "--width", "192", "--height", "64", "--seed", "5"])
        == 0
    )
    bundled = load_checkpoint(bundled_checkpoint())
    header = dataclasses.replace(bundled.header, width=192, height=64, pose_network="", versions={})
    save_checkpoint(tmp_path / "old.safetensors", header, bundled.depth)
    assert adaptation_settings(load_checkpoint(tmp_path / "old.safetensors"), 10).data.motion == "features"
    words = ["adapt", str(drive), "--checkpoint", str(tmp_path / "old.safetensors"), "--out", str(tmp_path / "a")]
    fast = ["optimizer.learning_rate=1e-4", "loop.validate_every=20", "data.validation_frames=8"]
    assert monodepth([*words, "--steps", "40", *(word for item in fast for word in ("--set", item))]) == 0
    before, *_, after = (line for line in read_log(tmp_path / "a") if line["kind"] == "validation")
    assert after["loss"] < before["loss"], (before, after)
    out = capsys.readouterr().out
    assert "motion by features for" in out and "the new checkpoint is kept" in out
    found = load_checkpoint(tmp_path / "a" / ADAPTED)
    assert found.pose is None and found.header.scale_factor == header.scale_factor


def test_adapting_to_a_camera_without_calibration_leaves_relative_depth(drive, tmp_path):
    with open_source(str(drive)) as source:
        (tmp_path / "frames").mkdir()
        for frame in source.frames():
            cv2.imwrite(str(tmp_path / "frames" / f"{frame.name}.png"), frame.pixels.array[..., ::-1])
    old = checkpoint(tmp_path / "old.safetensors")
    config = replace(adaptation_settings(old, 10), {"data.recordings": [str(tmp_path / "frames")]})
    with open_dataset(config.data, config.networks, like=old.header) as dataset:
        assert dataset.training_camera == CAMERA
        save_checkpoint(tmp_path / BEST, old.header, old.depth, old.pose)
        adapted = load_checkpoint(keep(old, dataset, tmp_path, workers=1)).header
    assert not adapted.is_metric and adapted.scale_factor == 1.0 and not adapted.scale_origin


def test_a_training_without_improvement_ends_early(drive, tmp_path):
    config = adaptation_settings(checkpoint(tmp_path / "old.safetensors"), steps=100)
    changes = {"optimizer.learning_rate": 0.0, "loop.patience": 2, "loop.validate_every": 2}
    config = replace(config, {**changes, "data.recordings": [str(drive)]})
    with open_dataset(config.data, config.networks) as dataset:
        trainer = Trainer(config, dataset, tmp_path)
        assert trainer.run(), "an end, not an interruption"
        trainer.close()
    assert [line["step"] for line in read_log(tmp_path) if line["kind"] == "validation"] == [0, 2, 4, 6]


@pytest.mark.parametrize("motion, factor", [("learned", 7.5), ("known", 5.0)])
def test_the_metric_scale_is_kept(drive, tmp_path, motion, factor):
    """A network that predicts 1.5 times smaller depth gets a factor 1.5 times as large.

    With known motion the units are fixed, so the factor stays.
    """
    old = checkpoint(tmp_path / "old.safetensors")
    depth = build_depth("rt_monodepth_s")
    depth.load_state_dict(old.depth.state_dict())
    with torch.no_grad():
        for head in list(depth.decoder.decoder)[8:]:
            for each in (head, old.depth.decoder.decoder[list(depth.decoder.decoder).index(head)]):
                each.conv3.weight.zero_()
        d0 = torch.sigmoid(old.depth.decoder.decoder[8].conv3.bias)
        inverse = 0.01 + (10 - 0.01) * d0
        wanted = (1.5 * inverse - 0.01) / (10 - 0.01)
        depth.decoder.decoder[8].conv3.bias.copy_(torch.logit(wanted))
    scale = {} if motion == "known" else {"scale_kind": "relative", "scale_factor": 1.0, "scale_origin": ""}
    save_checkpoint(tmp_path / BEST, dataclasses.replace(old.header, pose_interval=0.2, **scale), depth, old.pose)
    config = replace(adaptation_settings(old, 10), {"data.recordings": [str(drive)]})
    with open_dataset(config.data, config.networks) as dataset:
        adapted = load_checkpoint(keep(old, dataset, tmp_path, workers=1))
    assert adapted.header.scale_factor == pytest.approx(factor, rel=1e-4)
    assert adapted.header.is_metric and adapted.header.scale_origin.startswith("stereo; kept")
    assert adapted.header.licence == "MIT" and "elsewhere; adapted to" in adapted.header.training_data
    assert math.isclose(adapted.header.pose_interval, 0.2)


def test_adapt_keeps_a_better_checkpoint(drive, tmp_path, capsys):
    """Adapt the bundled networks at a new input size."""
    bundled = load_checkpoint(bundled_checkpoint())
    header = dataclasses.replace(bundled.header, width=96, height=32, versions={})
    save_checkpoint(tmp_path / "old.safetensors", header, bundled.depth, bundled.pose)
    words = ["adapt", str(drive), "--checkpoint", str(tmp_path / "old.safetensors"), "--out", str(tmp_path / "a")]
    fast = ["optimizer.learning_rate=1e-4", "loop.validate_every=20", "data.validation_frames=8"]
    assert monodepth([*words, "--steps", "100", *(word for item in fast for word in ("--set", item))]) == 0
    before, *_, after = (line for line in read_log(tmp_path / "a") if line["kind"] == "validation")
    assert after["abs_rel"] < before["abs_rel"], "what is kept without looking at the truth is nearer to it"
    out = capsys.readouterr().out
    assert "the new checkpoint is kept" in out and str(tmp_path / "a" / ADAPTED) in out
    header = load_checkpoint(tmp_path / "a" / ADAPTED).header
    assert header.is_metric and header.training_camera == bundled.header.training_camera
    page = (tmp_path / "a" / "report.html").read_text()
    assert (
        "<h1>Adaptation</h1>" in page and "before and after" in page and (tmp_path / "a" / "before_after.png").exists()
    )


def test_adapt_keeps_the_old_checkpoint_without_a_gain(drive, tmp_path, capsys):
    checkpoint(tmp_path / "old.safetensors")
    words = ["adapt", str(drive), "--checkpoint", str(tmp_path / "old.safetensors"), "--out", str(tmp_path / "a")]
    assert (
        monodepth([*words, "--steps", "4", "--set", "optimizer.learning_rate=0", "--set", "loop.validate_every=2"]) == 0
    )
    out = capsys.readouterr().out
    assert "the old checkpoint stays: the loss on held-out blocks did not fall by 5 %" in out
    assert f"checkpoint {tmp_path / 'old.safetensors'}" in out and not (tmp_path / "a" / ADAPTED).exists()


@pytest.mark.parametrize(
    "words, expected",
    [
        (["--checkpoint", "nothing.safetensors"], "nothing.safetensors"),
        (["--set", "data.validation_share=0"], "nothing is held out"),
        (["--set", "networks.width=64"], "keeps the size of the checkpoint's input"),
        (["--set", "optimizer.learning=1"], "optimizer.learning"),
    ],
)
def test_bad_input_is_one_line(drive, tmp_path, capsys, words, expected):
    checkpoint(tmp_path / "old.safetensors")
    given = [
        "adapt",
        str(drive),
        "--checkpoint",
        str(tmp_path / "old.safetensors"),
        "--out",
        str(tmp_path / "a"),
        *words,
    ]
    assert monodepth(given) == 2
    error = capsys.readouterr().err.strip()
    assert expected in error.splitlines()[-1]
