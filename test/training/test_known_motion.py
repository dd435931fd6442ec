# SPDX-License-Identifier: Apache-2.0
"""Motion that is known before the training: recorded, by features, or not available."""

import dataclasses

import numpy as np
import pytest
import torch

from monodepth_ros.cli.main import main as monodepth
from monodepth_ros.data.sources.open_source import open_source
from monodepth_ros.geometry.motion import rotation_to_axis_angle
from monodepth_ros.geometry.warp import warp
from monodepth_ros.networks.checkpoints.bundled_checkpoint import bundled_checkpoint
from monodepth_ros.networks.checkpoints.checkpoint import load_checkpoint, save_checkpoint
from monodepth_ros.networks.checkpoints.header import CheckpointHeader
from monodepth_ros.networks.registry import build_depth, build_pose
from monodepth_ros.settings.schema import ConfigError, replace
from monodepth_ros.training.config import TrainConfig
from monodepth_ros.training.objective import Objective
from monodepth_ros.training.prediction import KnownMotion, Prediction
from monodepth_ros.training.run_log import read_log
from monodepth_ros.training.samples.augmentation import mirror
from monodepth_ros.training.samples.batch import TARGET
from monodepth_ros.training.samples.clip import TrainingError
from monodepth_ros.training.samples.known_motion import add_known_motion, feature_steps
from monodepth_ros.training.samples.loader import Loader
from monodepth_ros.training.samples.open_dataset import open_dataset
from monodepth_ros.training.trainer import LAST, Trainer

WIDTH, HEIGHT = 256, 96


def synth(path, *words):
    size = ["--width", str(WIDTH), "--height", str(HEIGHT)]
    assert monodepth(["synth", "--out", str(path), "--seconds", "2", *size, "--seed", "5", *words]) == 0
    return path


@pytest.fixture(scope="module")
def drive(tmp_path_factory):
    return synth(tmp_path_factory.mktemp("drive") / "drive.mcap", "--no-traffic", "--constant-light")


@pytest.fixture(scope="module")
def stereo_drive(tmp_path_factory):
    return synth(tmp_path_factory.mktemp("stereo") / "stereo.mcap", "--stereo", "--compressed")


@pytest.fixture(scope="module")
def relative(tmp_path_factory):
    """A checkpoint with the bundled depth network and without its metric scale."""
    path = tmp_path_factory.mktemp("relative") / "relative.safetensors"
    bundled = load_checkpoint(bundled_checkpoint())
    header = dataclasses.replace(bundled.header, pose_network="", scale_kind="relative", scale_factor=1.0, versions={})
    save_checkpoint(path, header, bundled.depth)
    return path


def config_for(drive, motion, start="", **changes):
    named = {name.replace("__", "."): value for name, value in changes.items()}
    small = {
        "networks.depth": "rt_monodepth_s",
        "networks.width": WIDTH,
        "networks.height": HEIGHT,
        "objective.scales": 1,
        "loop.batch_size": 4,
        "loop.device": "cpu",
        "loop.log_every": 1,
        "data.validation_share": 0.2,
    }
    given = {"data.recordings": [str(drive)], "data.motion": motion, "networks.start_from": str(start)}
    return replace(TrainConfig(), {**small, **given, **named})


def prepared(config):
    dataset = open_dataset(config.data, config.networks)
    try:
        add_known_motion(dataset, config)
    except BaseException:
        dataset.close()
        raise
    return dataset


def first_batch(dataset, count=2):
    loader = Loader(dataset, count, 1)
    try:
        return next(loader.batches(dataset.training[:count])).to("cpu")
    finally:
        loader.close()


def reference_steps(dataset):
    poses = dataset.recordings[0].clip.index.poses
    return np.linalg.inv(poses[:-1]) @ poses[1:]


def test_recorded_motion_and_ground_truth_depth_explain_the_images(drive):
    with prepared(config_for(drive, "recorded")) as dataset, open_source(str(drive)) as source:
        batch = first_batch(dataset, 1)
        truth = [frame.reference_depth for frame in source.frames()][dataset.training[0].frame]
        assert (dataset.metres_per_unit, dataset.chains) == (1.0, [])
    known = {offset: KnownMotion(T) for offset, T in batch.known_motions.items()}
    assert sorted(known) == [-1, 1]
    inverse = torch.from_numpy(1 / np.minimum(truth, 99.0)).float()[None, None]
    disparity = {0: (inverse - 0.01) / (10 - 0.01)}
    objective = Objective(replace(TrainConfig(), {"objective.automask": False}).objective)
    turned_round = {-1: known[1], 1: known[-1]}
    errors = [
        objective(batch, Prediction(disparity, motions)).terms["photometric"] for motions in (known, turned_round)
    ]
    assert errors[0] < 0.5 * errors[1], errors


def test_a_mirrored_batch_has_mirrored_motion(drive):
    with prepared(config_for(drive, "recorded")) as dataset:
        batch = first_batch(dataset, 1)
    depth = torch.full((1, 1, HEIGHT, WIDTH), 8.0)
    turned = mirror(batch, torch.tensor([True]))
    for offset in (-1, 1):
        expected = warp(batch.images[offset], depth, batch.K, batch.known_motions[offset]).flip(-1)
        found = warp(turned.images[offset], depth, turned.K, turned.known_motions[offset])
        assert (found - expected).abs().max() < 1e-3


def test_features_with_exact_depth_give_the_recorded_motion(drive):
    config = config_for(drive, "network")
    with open_dataset(config.data, config.networks) as dataset, open_source(str(drive)) as source:
        truths = iter([1 / np.minimum(frame.reference_depth, 1e3) for frame in source.frames()])
        steps = feature_steps(dataset.recordings[0].clip, lambda rgb, view: next(truths).astype(np.float32))
        exact = reference_steps(dataset)
    assert np.isnan(steps[0]).all() and np.isfinite(steps[1:]).all(), "only the first has no image before it"
    errors = np.linalg.norm(steps[1:, :3, 3] - exact[:, :3, 3], axis=1) / np.linalg.norm(exact[:, :3, 3], axis=1)
    turns = [
        np.linalg.norm(rotation_to_axis_angle(a[:3, :3].T @ b[:3, :3])) for a, b in zip(exact, steps[1:], strict=True)
    ]
    assert np.median(errors) < 0.03 and np.degrees(np.median(turns)) < 0.1, (
        np.median(errors),
        np.degrees(np.median(turns)),
    )


def test_training_depth_by_features_keeps_the_metric_scale(drive, tmp_path, capsys):
    """Fine-tune a metric checkpoint with a pose network by the motion of features."""
    words = ["train", "--data", str(drive), "--from", str(bundled_checkpoint()), "--out", str(tmp_path / "a")]
    changes = [
        "data.motion=features",
        "loop.max_steps=3",
        "loop.batch_size=2",
        "data.validation_share=0.2",
        "loop.log_every=1",
    ]
    assert monodepth([*words, "--device", "cpu", *(word for item in changes for word in ("--set", item))]) == 0
    out = capsys.readouterr().out
    assert "motion by features for 19 of 19 steps" in out
    found = load_checkpoint(tmp_path / "a" / LAST)
    assert found.pose is None and found.header.pose_network == ""
    assert (
        found.header.is_metric
        and found.header.scale_factor == load_checkpoint(bundled_checkpoint()).header.scale_factor
    )
    assert found.header.scale_origin.endswith("kept by the motion of features")
    validations = [line for line in read_log(tmp_path / "a") if line["kind"] == "validation"]
    assert "ate_5" not in validations[0] and "abs_rel" in validations[0]


def test_recorded_motion_makes_depth_metric(drive, tmp_path):
    config = config_for(drive, "recorded", loop__max_steps=12, optimizer__learning_rate=1e-3, loop__validate_every=100)
    with prepared(config) as dataset:
        trainer = Trainer(config, dataset, tmp_path)
        assert trainer.run()
        trainer.close()
        assert trainer.learner.pose is None
    header = load_checkpoint(tmp_path / LAST).header
    assert (header.scale_kind, header.scale_factor, header.scale_origin) == ("metric", 1.0, "the recordings' odometry")
    totals = [line["total"] for line in read_log(tmp_path) if line["kind"] == "train"]
    assert sum(totals[-4:]) < sum(totals[:4]), totals


def test_a_pose_network_imitates_known_motion_for_depth_that_is_kept(drive, tmp_path):
    bundled = load_checkpoint(bundled_checkpoint())
    learning = {"optimizer__learning_rate": 1e-3, "loop__max_steps": 30, "data__validation_share": 0.3}
    config = config_for(
        drive, "recorded", bundled.path, networks__keep_depth=True, networks__pose="posecnn", **learning
    )
    with prepared(config) as dataset:
        trainer = Trainer(config, dataset, tmp_path)
        torch.manual_seed(0)
        trainer.learner.pose.load_state_dict(build_pose("posecnn").state_dict())  # not the bundled one
        assert trainer.run()
        trainer.close()
    found = load_checkpoint(tmp_path / LAST)
    for name, tensor in bundled.depth.state_dict().items():
        assert torch.equal(tensor.float(), found.depth.state_dict()[name])
    assert (found.header.scale_factor, found.header.scale_origin) == (
        bundled.header.scale_factor,
        bundled.header.scale_origin,
    )
    log = read_log(tmp_path)
    errors = [line["imitation"] for line in log if line["kind"] == "train"]
    assert sum(errors[-5:]) < 0.5 * sum(errors[:5]), errors
    before, *_, after = (line for line in log if line["kind"] == "validation")
    assert after["ate_5"] < 0.5 * before["ate_5"], (before, after)


def test_units_stay_those_of_the_checkpoint(drive, relative):
    metres = {}
    with prepared(config_for(drive, "recorded", bundled_checkpoint())) as dataset:
        metres["metric"] = dataset.metres_per_unit
        lengths = np.linalg.norm(dataset.recordings[0].steps[1:, :3, 3], axis=1)
        assert lengths * dataset.metres_per_unit == pytest.approx(
            np.linalg.norm(reference_steps(dataset)[:, :3, 3], axis=1)
        )
    with prepared(config_for(drive, "recorded", relative)) as dataset:
        metres["relative"] = dataset.metres_per_unit
    assert metres["metric"] == load_checkpoint(bundled_checkpoint()).header.scale_factor
    assert metres["relative"] == pytest.approx(metres["metric"], rel=0.25), "measured by features"
    with prepared(config_for(drive, "features", relative)) as dataset:
        assert np.isnan(dataset.metres_per_unit)


def test_samples_without_motion_are_left_out(drive):
    config = config_for(drive, "recorded")
    with open_dataset(config.data, config.networks) as dataset:
        all_samples = {sample.frame for sample in dataset.training}
        dataset.recordings[0].clip.index.poses[7] = np.nan
        add_known_motion(dataset, config)
        assert all_samples - {sample.frame for sample in dataset.training} == {6, 7, 8}
        assert any("recorded motion of 17 of 19 steps" in note for note in dataset.notes), dataset.notes


def test_stereo_and_features_share_their_units(stereo_drive):
    with prepared(config_for(stereo_drive, "features", bundled_checkpoint(), data__sources="both")) as dataset:
        batch = first_batch(dataset)
        assert len(batch.known_motions) == 3
        lengths = np.linalg.norm(dataset.recordings[0].steps[1:, :3, 3], axis=1) * dataset.metres_per_unit
        exact = np.linalg.norm(reference_steps(dataset)[:, :3, 3], axis=1)
    assert np.median(lengths) == pytest.approx(np.median(exact), rel=0.25)
    assert batch.images[TARGET].shape == (2, 3, HEIGHT, WIDTH)


def test_motion_that_is_not_available_is_refused(drive, stereo_drive, relative):
    with pytest.raises(TrainingError, match="features needs networks.start_from"):
        prepared(config_for(drive, "features"))
    config = config_for(drive, "recorded")
    with open_dataset(config.data, config.networks) as dataset:
        with pytest.raises(TrainingError, match="the data set holds no motion"):
            Trainer(config, dataset, drive.parent)
        dataset.recordings[0].clip.index.poses[:] = np.nan
        with pytest.raises(TrainingError, match="holds no poses of its camera.*data.odometry"):
            add_known_motion(dataset, config)
        dataset.recordings[0].clip.index.poses[3:5] = np.eye(4)
        with pytest.raises(TrainingError, match="only 0 samples have a motion"):
            add_known_motion(dataset, config)
    with pytest.raises(TrainingError, match="relative depth, a stereo pair is in metres"):
        prepared(config_for(stereo_drive, "features", relative, data__sources="both"))
    with pytest.raises(ConfigError, match="data.motion recorded is for neighbours in time"):
        config_for(stereo_drive, "recorded", data__sources="stereo")
    with pytest.raises(ConfigError, match="objective.velocity teaches a pose network"):
        config_for(drive, "recorded", objective__velocity=0.1)


def test_images_without_features_leave_no_samples(tmp_path):
    """Grey images have no features to track."""
    depth = build_depth("rt_monodepth_s")
    header = CheckpointHeader("rt_monodepth_s", HEIGHT, WIDTH, (0.58, 1.92, 0.5, 0.5))
    save_checkpoint(tmp_path / "start.safetensors", header, depth)
    path = synth(tmp_path / "drive.mcap")
    config = config_for(path, "features", tmp_path / "start.safetensors")
    with open_dataset(config.data, config.networks) as dataset:
        clip = dataset.recordings[0].clip
        read = clip.source.read

        def blank(*stamps):
            pixels = read(*stamps)
            return dataclasses.replace(pixels, array=np.full_like(pixels.array, 120))

        clip.source.read = blank
        with pytest.raises(
            TrainingError, match=r"only 0 samples have a motion from data.motion features \(0 corners in the image"
        ):
            add_known_motion(dataset, config)
