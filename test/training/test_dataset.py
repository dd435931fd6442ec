# SPDX-License-Identifier: Apache-2.0
"""Recordings as data sets: samples, batches and refused recordings."""

import shutil
import sys

import cv2
import numpy as np
import pytest
import torch

from monodepth_ros.cli.main import main as monodepth
from monodepth_ros.data.calibration import write_calibration
from monodepth_ros.data.sources.open_source import open_source
from monodepth_ros.geometry.camera import CameraModel
from monodepth_ros.geometry.motion import invert
from monodepth_ros.geometry.warp import warp
from monodepth_ros.losses.photometric import photometric_error
from monodepth_ros.training.config import NetworksConfig
from monodepth_ros.training.samples.batch import STEREO, TARGET
from monodepth_ros.training.samples.clip import FrameCache, TrainingError
from monodepth_ros.training.samples.config import DataConfig
from monodepth_ros.training.samples.loader import Loader, epoch_order
from monodepth_ros.training.samples.open_dataset import open_dataset

NETWORKS = NetworksConfig(width=160, height=64)


def synth(path, *words, seconds=2.0):
    assert monodepth(["synth", "--out", str(path), "--seconds", str(seconds), "--width", "160", "--height", "64",
                      "--seed", "5", "--constant-light", "--no-traffic", *words]) == 0  # fmt: skip
    return path


@pytest.fixture(scope="module")
def drive(tmp_path_factory):
    return synth(tmp_path_factory.mktemp("drive") / "drive.mcap")


@pytest.fixture(scope="module")
def stereo_drive(tmp_path_factory):
    return synth(tmp_path_factory.mktemp("stereo") / "stereo.mcap", "--stereo", "--compressed", seconds=1.0)


def batch_from(dataset, count=3):
    loader = Loader(dataset, count, 2)
    try:
        return next(loader.batches(dataset.training[:count])).to("cpu")
    finally:
        loader.close()


def test_samples_agree_with_recorded_depth_and_motion(drive):
    """The sources, warped by ground-truth depth and recorded motion, look like the target."""
    with open_dataset(DataConfig(recordings=(str(drive),)), NETWORKS) as dataset, open_source(str(drive)) as source:
        batch = batch_from(dataset)
        sample = dataset.training[0]
        step = dataset.recordings[0].selection.step
        frames = list(source.frames())
    assert batch.sources == [-1, 1] and batch.images[TARGET].shape == (3, 3, 64, 160)
    truth = torch.from_numpy(frames[sample.frame].reference_depth.copy()).clamp(max=1e3)[None, None]
    errors = {}
    for offset in (-1, 1):
        T = invert(frames[sample.frame + offset * step].T_world_camera) @ frames[sample.frame].T_world_camera
        warped = warp(batch.images[offset][:1], truth, batch.K[:1], torch.from_numpy(T)[None].float())
        errors[offset] = photometric_error(warped, batch.images[TARGET][:1])
        still = photometric_error(batch.images[offset][:1], batch.images[TARGET][:1]).median()
        assert errors[offset].median() < 0.4 * still, (offset, errors[offset].median(), still)
        length = np.linalg.norm(T[:3, 3])
        assert batch.distances[offset][0].item() == pytest.approx(length, rel=1e-5)


def test_a_stereo_pair_is_in_network_units(stereo_drive):
    config = DataConfig(recordings=(str(stereo_drive),), sources="both")
    with open_dataset(config, NETWORKS) as dataset:
        batch = batch_from(dataset)
    assert batch.sources == [-1, 1, STEREO]
    assert dataset.metres_per_unit == pytest.approx(5.4)
    assert batch.known_motions[STEREO][0, :3, 3].tolist() == pytest.approx([-0.1, 0, 0])
    sample = dataset.training[0]
    metres = np.linalg.norm(dataset.recordings[0].reference_motion(sample.frame, 1)[:3, 3])
    assert metres > 0.1 and batch.distances[1][0].item() == pytest.approx(metres / 5.4, rel=1e-4)
    # A street a few metres away moves to the left by f b / Z: warping by a plane in the middle of it helps.
    plane = torch.full((3, 1, 64, 160), 1.5)
    warped = warp(batch.images[STEREO], plane, batch.K, batch.known_motions[STEREO])
    error = photometric_error(warped, batch.images[TARGET])[..., 40:, 40:-40].mean()
    still = photometric_error(batch.images[STEREO], batch.images[TARGET])[..., 40:, 40:-40].mean()
    assert error < still, (error, still)


def test_chains_of_validation_samples_make_trajectories(drive):
    with open_dataset(DataConfig(recordings=(str(drive),), validation_share=0.3, frame_step=2), NETWORKS) as dataset:
        (chain,) = dataset.chains
    assert len(chain) >= 2 and set(np.diff([sample.frame for sample in chain])) == {2}, chain


def test_stereo_alone_uses_every_frame(stereo_drive):
    with open_dataset(
        DataConfig(recordings=(str(stereo_drive),), sources="stereo", validation_share=0.0), NETWORKS
    ) as dataset:
        assert len(dataset.training) == 10
        assert batch_from(dataset).sources == [STEREO]


def test_several_recordings_of_several_cameras_make_one_dataset(drive, stereo_drive):
    config = DataConfig(recordings=(str(drive), str(stereo_drive)))
    with open_dataset(config, NETWORKS) as dataset:
        assert {sample.clip for sample in dataset.training} == {0, 1}
        assert any("/left" in note and "is used" in note for note in dataset.notes)


def test_the_hood_and_the_mask_are_invalid_pixels(drive, tmp_path):
    picture = np.full((64, 160), 255, np.uint8)
    picture[:, :20] = 0
    cv2.imwrite(str(tmp_path / "mask.png"), picture)
    config = DataConfig(recordings=(str(drive),), hood=0.25, mask_file=str(tmp_path / "mask.png"))
    with open_dataset(config, NETWORKS) as dataset:
        valid = batch_from(dataset).valid[0, 0]
    assert not valid[49:].any() and not valid[:, :19].any() and valid[:47, 21:].all()


def test_frames_are_cached_until_the_cache_is_full(drive):
    with open_dataset(DataConfig(recordings=(str(drive),)), NETWORKS) as dataset:
        clip = dataset.recordings[0].clip
        first = clip.image(3)
        assert clip.image(3) is first and not first.flags.writeable
    cache = FrameCache(1)
    for number in range(12):
        cache.add(("a", number), np.zeros(100_000, np.uint8))
    assert cache.get(("a", 0)) is None and cache.get(("a", 11)) is not None


@pytest.mark.parametrize("workers", [1, 3])
def test_batches_keep_the_order_of_the_samples(drive, workers):
    with open_dataset(DataConfig(recordings=(str(drive),), validation_share=0.0), NETWORKS) as dataset:
        samples = [dataset.training[i] for i in epoch_order(len(dataset.training), 7, 0)]
        loader = Loader(dataset, 4, workers)
        names = [name for batch in loader.batches(samples) for name in batch.names]
        rest = [name for batch in loader.batches(samples, drop_last=False) for name in batch.names]
        loader.close()
        expected = [dataset.name(sample) for sample in samples]
    assert names == expected[: len(expected) // 4 * 4] and rest == expected


def test_ranks_share_an_epoch_without_overlap():
    shares = [epoch_order(103, 1, 4, rank, 4) for rank in range(4)]
    assert [len(share) for share in shares] == [25] * 4
    assert len(set().union(*shares)) == 100
    assert epoch_order(103, 1, 4) != epoch_order(103, 1, 5) and epoch_order(103, 1, 4) == epoch_order(103, 1, 4)


def uncalibrated_images(tmp_path):
    folder = tmp_path / "images"
    folder.mkdir()
    for i in range(5):
        cv2.imwrite(str(folder / f"{i}.png"), np.full((64, 160, 3), 40 * i, np.uint8))
    return folder


@pytest.fixture
def opened(monkeypatch):
    """The sources that open_dataset opens, each with `closings`, the number of times that it was closed."""
    sources = []

    def open_counted(path, options):
        source = open_source(path, options)
        close, source.closings = source.close, 0

        def close_counted():
            source.closings += 1
            close()

        source.close = close_counted
        sources.append(source)
        return source

    monkeypatch.setattr(sys.modules[open_dataset.__module__], "open_source", open_counted)
    return sources


def test_every_source_is_closed_when_a_recording_is_refused(drive, stereo_drive, opened, tmp_path):
    cv2.imwrite(str(tmp_path / "mask.png"), np.full((8, 8), 255, np.uint8))
    refused = [
        (DataConfig(recordings=(str(drive),), mask_file=str(tmp_path / "mask.png")), "the mask is 8x8"),
        (DataConfig(recordings=(str(drive), str(uncalibrated_images(tmp_path)))), "has no calibration"),
        (DataConfig(recordings=(str(stereo_drive), str(drive)), sources="both"), "no second camera"),
    ]
    for config, reason in refused:
        opened.clear()
        with pytest.raises(TrainingError, match=reason):
            open_dataset(config, NETWORKS)
        assert opened and all(source.closings >= 1 for source in opened), [source.closings for source in opened]


def test_every_source_is_closed_after_use_even_if_one_fails_to_close(stereo_drive, opened):
    dataset = open_dataset(DataConfig(recordings=(str(stereo_drive),) * 2, sources="both"), NETWORKS)
    kept = [source for source in opened if source.closings == 0]
    assert len(kept) == 4
    close = kept[1].close

    def fail():
        close()
        raise OSError("the disk is gone")

    kept[1].close = fail
    with pytest.raises(OSError, match="the disk is gone"):
        dataset.close()
    assert [source.closings for source in kept] == [1] * 4


def test_recordings_without_enough_samples_are_refused_in_one_line(drive, tmp_path):
    short = synth(tmp_path / "short.mcap", seconds=0.2)
    no_calibration = uncalibrated_images(tmp_path)
    still = tmp_path / "still"
    shutil.copytree(no_calibration, still)
    texture = np.random.default_rng(0).integers(0, 256, (64, 160, 3), np.uint8)
    for i in range(12):
        cv2.imwrite(str(still / f"{i}.png"), texture)
    write_calibration(still / "camera.yaml", CameraModel.pinhole(160, 64, 90.0, 90.0, 79.5, 31.5), "camera")
    cases = [
        ((), "nothing to learn from: give one or more recordings"),
        ((str(short),), "samples to learn from: there are 2 frames"),
        ((str(no_calibration),), "has no calibration: record camera_info, or set data.calibration_file"),
        ((str(still),), "% of the frames are static .* record the camera while it moves"),
    ]
    for recordings, expected in cases:
        with pytest.raises(TrainingError, match=expected) as caught:
            open_dataset(DataConfig(recordings=recordings), NETWORKS)
        assert "\n" not in str(caught.value)
    with pytest.raises(TrainingError, match="no second camera beside .*/camera/image_raw"):
        open_dataset(DataConfig(recordings=(str(drive),), sources="stereo"), NETWORKS)
