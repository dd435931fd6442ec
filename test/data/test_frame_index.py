# SPDX-License-Identifier: Apache-2.0
"""The frame index describes a recording, is kept in the user's cache, and is built again when the recording changes."""

import os
import shutil

import cv2
import numpy as np
import pytest

from monodepth_ros.cache_folder import cache_folder
from monodepth_ros.cli.main import main as monodepth
from monodepth_ros.data.frame_index import SUFFIX, FrameIndex, index_frames
from monodepth_ros.data.image_motion import ImageMotion
from monodepth_ros.data.images.image_codec import Pixels
from monodepth_ros.data.sources.open_source import open_source
from monodepth_ros.data.sources.source import SourceOptions


@pytest.fixture(scope="module")
def drive(tmp_path_factory):
    """A synthetic drive of 8 frames through a distorting lens."""
    path = tmp_path_factory.mktemp("drive") / "drive.mcap"
    words = ["synth", "--out", str(path), "--seconds", "0.8", "--width", "160", "--height", "96", "--seed", "5"]
    assert monodepth([*words, "--distortion", "plumb_bob"]) == 0
    return path


def same(first, second):
    return all(
        np.array_equal(value, getattr(second, name), equal_nan=value.dtype.kind == "f")
        for name, value in vars(first).items()
        if isinstance(value, np.ndarray)
    ) and [c.key for c in first.cameras] == [c.key for c in second.cameras]


def test_the_index_holds_times_poses_and_cameras_of_the_frames(drive):
    index = index_frames(str(drive), SourceOptions())
    with open_source(str(drive)) as source:
        frames = list(source.frames())
    assert len(index) == len(frames) == 8
    assert index.stamps_ns.tolist() == [frame.stamp_ns for frame in frames]
    assert index.interval == pytest.approx(0.1, abs=1e-6)
    assert np.allclose(index.poses, [frame.T_world_camera for frame in frames])
    assert index.has_depth.all() and index.left_out == {}
    assert [camera.key for camera in index.cameras] == [frames[0].camera.key]
    assert np.isnan(index.flow[0]) and (index.flow[1:] > 0.001).all(), index.flow


def test_the_index_is_kept_and_built_again_when_the_recording_changes(drive, tmp_path):
    path = tmp_path / "drive.mcap"
    shutil.copy(drive, path)
    read = []
    first = index_frames(str(path), SourceOptions(), lambda *counts: read.append(counts))
    assert read == [(i + 1, 8) for i in range(8)]
    assert [entry.name for entry in tmp_path.iterdir()] == ["drive.mcap"], "nothing is left beside a user's recording"
    again = index_frames(str(path), SourceOptions(), lambda *counts: read.append(counts))
    assert len(read) == 8 and same(first, again)
    index_frames(str(path), SourceOptions(duration=0.5), lambda *counts: read.append(counts))
    assert 8 < len(read) < 16
    read_before = len(read)
    index_frames(str(path), SourceOptions(), lambda *counts: read.append(counts))
    assert len(read) == read_before, "other options (the other camera of a pair) have an index of their own"
    os.utime(path, (1, 1))
    index_frames(str(path), SourceOptions(), lambda *counts: read.append(counts))
    assert len(read) >= 16


def test_the_index_is_kept_beside_the_recording_only_when_asked(drive, tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    path = tmp_path / "drive.mcap"
    shutil.copy(drive, path)
    first = index_frames(str(path), SourceOptions(), beside=True)
    assert len(list(tmp_path.glob(f".drive.mcap.*{SUFFIX}"))) == 1 and not (tmp_path / "cache").exists()
    read = []
    assert same(first, index_frames(str(path), SourceOptions(), lambda *counts: read.append(counts))) and not read


def test_the_index_of_a_pattern_is_built_again_when_an_image_is_added(tmp_path):
    for i in range(3):
        cv2.imwrite(str(tmp_path / f"{i}.png"), np.full((48, 64), 20 * i, np.uint8))
    pattern = str(tmp_path / "*.png")
    assert len(index_frames(pattern, SourceOptions())) == 3
    cv2.imwrite(str(tmp_path / "3.png"), np.full((48, 64), 60, np.uint8))
    assert len(index_frames(pattern, SourceOptions())) == 4


@pytest.mark.parametrize("damage", [b"", b"garbage", b"PK\x03\x04" + b"x" * 50, b"\x93NUMPY" + b"x" * 50])
def test_a_damaged_index_is_built_again(drive, tmp_path, monkeypatch, damage):
    path = tmp_path / "drive.mcap"
    shutil.copy(drive, path)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    first = index_frames(str(path), SourceOptions())
    (kept,) = cache_folder().rglob(f"*{SUFFIX}")
    kept.write_bytes(damage)
    assert same(first, index_frames(str(path), SourceOptions()))
    assert FrameIndex.load(kept, "another key") is None


def test_image_motion_is_zero_for_still_images_and_the_shift_for_shifted_ones():
    texture = np.random.default_rng(0).integers(0, 256, (24, 80), np.uint8).repeat(8, 0).repeat(8, 1)
    noise = np.random.default_rng(1).normal(0, 3, (2, 192, 600))
    motion = ImageMotion()

    def seen(shift, n=0):
        view = texture[:, shift : shift + 600] + noise[n]
        return motion(Pixels(view.clip(0, 255).astype(np.uint8), "mono"))[0]

    assert np.isnan(seen(0))
    assert seen(0, 1) < 0.0005
    assert seen(6) == pytest.approx(6 / 600, rel=0.2)
