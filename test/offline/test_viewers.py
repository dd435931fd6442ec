# SPDX-License-Identifier: Apache-2.0
"""Looking at a run while it goes: the keys of the window, and Rerun's recording."""

import subprocess
import sys
from types import SimpleNamespace

import numpy as np
import pytest

from monodepth_ros.cli.main import main
from monodepth_ros.data.images.image_codec import Pixels
from monodepth_ros.data.sources.source import SourceFrame
from monodepth_ros.geometry.camera import CameraModel
from monodepth_ros.offline.frames import RunFrame
from monodepth_ros.offline.viewers.run_window import RunWindow
from monodepth_ros.pictures.window import Window


class KeyedWindow(Window):
    """A window whose user presses these keys, one at each look; '' for none."""

    def __init__(self, keys):
        self.keys, self.pictures, self.is_closed = list(keys), [], False

    def show(self, picture):
        self.pictures.append(picture)

    def key(self, seconds=0.0):
        return self.keys.pop(0) if self.keys else ""

    def close(self):
        self.is_closed = True


def some_frame():
    camera = CameraModel.pinhole(64, 48, fx=32.0, fy=32.0, cx=31.5, cy=23.5)
    view = SimpleNamespace(is_calibrated=True, image_camera=camera)
    depth = np.full((24, 32), 4.0, np.float32)
    result = SimpleNamespace(view=view, camera=camera.resized(32, 24), has_new_view=True, unit="m", depth=depth)
    pixels = Pixels(np.zeros((48, 64, 3), np.uint8), "rgb")
    return RunFrame(SourceFrame("0", 1, 1, pixels, camera), result, None)


def never():
    return False


@pytest.mark.parametrize(
    ("keys", "goes_on", "left"),
    [
        ([""], True, []),
        (["q"], False, []),
        ([" ", "", "", " ", "x"], True, ["x"]),
        ([" ", "", "q", "x"], False, ["x"]),
    ],
)
def test_q_ends_the_run_and_space_pauses_it(keys, goes_on, left):
    window = KeyedWindow(keys)
    assert RunWindow("title", window).show(some_frame(), never) is goes_on
    assert window.keys == left and len(window.pictures) == 1, window.keys


def test_control_c_ends_a_pause():
    stops = iter([False, False, True])
    window = KeyedWindow([" "])
    assert RunWindow("title", window).show(some_frame(), lambda: next(stops))


@pytest.fixture(scope="module")
def drive(tmp_path_factory):
    path = tmp_path_factory.mktemp("drive") / "drive.mcap"
    options = ["--seconds", "0.4", "--width", "320", "--height", "96"]
    assert main(["synth", "--out", str(path), *options]) == 0
    return path


def run(drive, folder, *options):
    return main(["run", str(drive), "--results", str(folder / "results"), "--depth", "none", "--no-video", *options])


def test_view_without_a_display_is_refused_before_the_run(drive, tmp_path, monkeypatch, capsys):
    monkeypatch.delenv("DISPLAY", raising=False)
    monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)
    assert run(drive, tmp_path, "--view") == 2
    error = capsys.readouterr().err
    assert "no window can be opened" in error and not (tmp_path / "results").exists(), error


def test_rerun_without_its_library_names_the_package(drive, tmp_path, monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "rerun", None)
    assert run(drive, tmp_path, "--rerun", str(tmp_path / "run.rrd")) == 2
    error = capsys.readouterr().err
    assert "pip install rerun-sdk" in error and not (tmp_path / "results").exists(), error


def test_a_recording_behind_the_option_rerun_is_not_taken_for_its_file(drive, tmp_path, capsys):
    with pytest.raises(SystemExit) as ended:
        main(["run", "--rerun", str(drive)])
    assert ended.value.code == 2 and "name the recording before --rerun" in capsys.readouterr().err


def test_rerun_gets_camera_image_depth_cloud_and_trajectory(drive, tmp_path):
    pytest.importorskip("rerun", reason="rerun-sdk is not installed")
    file = tmp_path / "run.rrd"
    assert run(drive, tmp_path, "--rerun", str(file)) == 0
    printed = subprocess.run(
        [sys.executable, "-m", "rerun_cli", "rrd", "print", str(file)], capture_output=True, text=True, check=True
    ).stdout
    for entity in (
        "/world - data columns: [ViewCoordinates:xyz]",
        "/world/camera - data columns: [Transform3D",
        "/world/camera/lens - data columns: [Pinhole:camera_xyz",
        "/world/camera/lens/image - data columns: [EncodedImage",
        "/world/camera/lens/depth - data columns: [DepthImage",
        "/world/camera/cloud - data columns: [Points3D",
        "/world/trajectory - data columns: [LineStrips3D",
        "/plots/median_depth - data columns: [Scalars",
    ):
        assert entity in printed, entity
    assert run(drive, tmp_path, "--rerun", str(file)) == 2, "an existing file is not overwritten"
