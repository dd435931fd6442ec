# SPDX-License-Identifier: Apache-2.0
"""Adaptation to a camera of another shape than the checkpoint's: it learns from the view that the node uses."""

import dataclasses
from collections import Counter

import cv2
import numpy as np
import pytest
import torch

from monodepth_ros.cli.main import main as monodepth
from monodepth_ros.networks.checkpoints.checkpoint import load_checkpoint, save_checkpoint
from monodepth_ros.pipeline.view_choice import choose_view
from monodepth_ros.settings.schema import replace
from monodepth_ros.training.adaptation import adaptation_settings, keep, open_recordings
from monodepth_ros.training.before_after import before_after_sheet
from monodepth_ros.training.config import NetworksConfig
from monodepth_ros.training.run_log import read_log
from monodepth_ros.training.samples.batch import STEREO
from monodepth_ros.training.samples.config import DataConfig
from monodepth_ros.training.samples.open_dataset import open_dataset
from monodepth_ros.training.trainer import BEST, Trainer


@pytest.fixture(scope="module")
def demonstration():
    return load_checkpoint("demonstration")


@pytest.fixture(scope="module")
def drive(tmp_path_factory):
    return synth(tmp_path_factory.mktemp("drive") / "drive.mcap", "3")


@pytest.fixture(scope="module")
def stereo_drive(tmp_path_factory):
    return synth(tmp_path_factory.mktemp("stereo") / "stereo.mcap", "1", "--stereo")


def synth(path, seconds, *words):
    shape = ["--width", "160", "--height", "120", "--field-of-view", "60", "--seed", "8"]
    assert monodepth(["synth", "--out", str(path), "--seconds", seconds, *shape, *words]) == 0
    return path


def adapted_to(drive, checkpoint, given=None):
    """The settings and the data set of an adaptation."""
    given = {"data.motion": "features", **(given or {})}
    config = replace(adaptation_settings(checkpoint, 10), {**given, "data.recordings": [str(drive)]})
    return open_recordings(config, checkpoint, given)


def test_the_whole_image_is_learned_from_and_the_header_stays_that_of_the_checkpoint(drive, demonstration, tmp_path):
    config = replace(adaptation_settings(demonstration, 10), {"data.recordings": [str(drive)]})
    config, dataset = open_recordings(config, demonstration, {})
    with dataset:
        clip = dataset.recordings[0].clip
        view = clip.views[0]
        assert clip.image(0).shape == (96, 128, 3) and view.image_coverage == pytest.approx(1.0)
        assert any("the networks see 100 % of the image" in note for note in dataset.notes), dataset.notes
        assert config.data.motion == "features", "the pose network does not know this view"
        with Trainer(config, dataset, tmp_path) as trainer:
            save_checkpoint(tmp_path / BEST, trainer.header(), demonstration.depth)
        adapted = load_checkpoint(keep(demonstration, dataset, tmp_path, workers=1))
    facts = ("width", "height", "training_camera", "scale_factor", "pose_network", "pose_interval")
    old, new = ([getattr(header, name) for name in facts] for header in (demonstration.header, adapted.header))
    assert new == old
    same = zip(adapted.pose.state_dict().values(), demonstration.pose.state_dict().values(), strict=True)
    assert all(torch.equal(*pair) for pair in same), "the pose network stays as it was"
    of_node = choose_view(clip.index.cameras[0], adapted.header)
    assert of_node.size == dataset.size and of_node.depth_factor == view.depth_factor


def test_motion_by_features_is_in_the_checkpoints_metres(drive, demonstration):
    _, dataset = adapted_to(drive, demonstration)
    with dataset:
        (recording,) = dataset.recordings
        assert dataset.size == (128, 96)
        poses, steps = recording.clip.index.poses, recording.steps
        metres = dataset.metres_per_unit * np.linalg.norm(steps[1:, :3, 3], axis=1)
        true = np.linalg.norm(np.diff(poses[:, :3, 3], axis=0), axis=1)
        known = np.isfinite(metres)
    ratio = metres[known].sum() / true[known].sum()
    assert known.mean() > 0.9 and abs(ratio - 1) < 0.15, f"{known.mean():.2f} known, {ratio:.3f} times as long"


def test_reference_depth_gives_a_relative_checkpoint_the_metres_of_the_whole_image(drive, demonstration):
    header = dataclasses.replace(demonstration.header, scale_kind="relative", scale_factor=1.0, scale_origin="")
    save_checkpoint(drive.parent / "relative.safetensors", header, demonstration.depth, demonstration.pose)
    relative = load_checkpoint(drive.parent / "relative.safetensors")
    _, dataset = adapted_to(drive, relative, {"objective.depth.weight": 1.0})
    with dataset:
        assert dataset.size == (128, 96)
        ratio = dataset.metres_per_unit / demonstration.header.scale_factor
    assert abs(ratio - 1) < 0.12, f"metres are {ratio:.3f} times those of the checkpoint"


def test_adapt_reports_the_whole_image_in_metres(drive, tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    words = ["adapt", str(drive), "--steps", "2", "--set", "data.validation_frames=4", "--out", "a"]
    assert monodepth([*words, "--set", "optimizer.learning_rate=0"]) == 0
    assert "the networks see 100 % of the image" in capsys.readouterr().out
    before = next(line for line in read_log(tmp_path / "a") if line["kind"] == "validation")
    assert before["abs_rel"] < 0.25, f"abs_rel {before['abs_rel']:.3f} in the checkpoint's metres"


def test_the_picture_shows_the_metres_of_the_node(drive, demonstration, monkeypatch):
    shown = []
    monkeypatch.setattr(
        "monodepth_ros.training.before_after.depth_panel",
        lambda depth, unit, title: shown.append((title, float(np.nanmedian(depth)))) or np.zeros((8, 8, 3), np.uint8),
    )
    _, dataset = adapted_to(drive, demonstration)
    with dataset:
        for _ in range(2):  # as after a validation, which has read the ground truth
            before_after_sheet(dataset, demonstration, demonstration)
    count = Counter(title for title, _ in shown)
    assert count["ground truth"] == count["before"] == count["after"] > 0, count
    median = {title: np.median([value for name, value in shown if name == title]) for title, _ in shown}
    truth = median["ground truth"]
    assert abs(median["before"] / truth - 1) < 0.25, f"{median['before']:.2f} m shown, {truth:.2f} m true"


def test_both_cameras_of_a_stereo_pair_are_seen_as_a_whole(stereo_drive, demonstration):
    _, dataset = adapted_to(stereo_drive, demonstration, {"data.sources": "both"})
    with dataset:
        clip, number = dataset.frames(dataset.training[0])[STEREO]
        assert clip.image(number).shape == (96, 128, 3)
        left = dataset.recordings[0].clip.views[0]
        assert np.allclose(clip.views[0].camera.K, left.camera.K) and left.image_coverage == pytest.approx(1.0)


def test_with_cameras_of_several_shapes_one_input_follows_most_frames(demonstration, tmp_path):
    header = demonstration.header
    networks = NetworksConfig(width=header.width, height=header.height)
    texture = cv2.resize(np.random.default_rng(0).integers(0, 256, (24, 600, 3), np.uint8), (2400, 96))
    for name, count, width in (("few", 8, 320), ("many", 14, 128)):
        (tmp_path / name).mkdir()
        for i in range(count):
            cv2.imwrite(str(tmp_path / name / f"{i}.png"), texture[:, 8 * i : 8 * i + width])
    recordings = (str(tmp_path / "few"), str(tmp_path / "many"))
    with open_dataset(DataConfig(recordings=recordings), networks, like=header) as dataset:
        few, many = (recording.clip.views[0] for recording in dataset.recordings)
    assert dataset.size == few.size == many.size == (128, 96) and dataset.checkpoint_size == (320, 96)
    assert many.image_coverage == pytest.approx(1.0) and few.image_coverage == pytest.approx(0.4, abs=0.02)
    # The middle of the wide image, in the units of the view that the node has of all of it.
    assert few.depth_factor == pytest.approx(few.camera.fy / (96 * header.training_camera[1]), rel=0.05)
    (note,) = (note for note in dataset.notes if note.startswith("cameras of several aspects"))
    assert "128x96" in note and "14 of 22 frames" in note
    (warning,) = (note for note in dataset.notes if "warning" in note)
    assert "0:few" in warning and "one aspect at a time" in warning
