# SPDX-License-Identifier: Apache-2.0
"""The moving picture of a run: one file that shows every frame, at the speed of the recording."""

import cv2
import numpy as np
import pytest

from monodepth_ros.cli.main import main
from monodepth_ros.errors import MonodepthError
from monodepth_ros.offline.results.animation import RunAnimation

if not hasattr(cv2, "imreadanimation"):
    pytest.skip("this OpenCV (before 4.11) reads and writes no animations", allow_module_level=True)


@pytest.fixture(scope="module")
def drive(tmp_path_factory):
    path = tmp_path_factory.mktemp("drive") / "drive.mcap"
    assert main(["synth", "--out", str(path), "--seconds", "0.8", "--rate", "5"]) == 0
    return path


@pytest.mark.parametrize("suffix", ["webp", "gif"])
def test_a_run_writes_every_frame_with_its_duration(drive, tmp_path, suffix):
    picture = tmp_path / f"moving.{suffix}"
    arguments = ["--depth", "none", "--no-video", "--results", str(tmp_path / "results")]
    assert main(["run", str(drive), "--animation", str(picture), *arguments]) == 0
    is_read, animation = cv2.imreadanimation(str(picture))
    assert is_read and len(animation.frames) == 4
    assert list(animation.durations) == [200] * 4, "5 frames a second"
    first, last = animation.frames[0][..., :3], animation.frames[-1][..., :3]
    assert first.std() > 20 and np.abs(first.astype(int) - last).mean() > 1, "it moves"


def test_a_name_of_no_animation_is_refused_before_the_run(drive, tmp_path, capsys):
    arguments = ["run", str(drive), "--animation", str(tmp_path / "moving.mp4"), "--results", str(tmp_path / "results")]
    assert main(arguments) != 0
    error = capsys.readouterr().err
    assert "moving.mp4" in error and ".webp, .gif, .png" in error, error
    assert not (tmp_path / "results").exists()


def test_a_folder_is_made_and_one_that_cannot_be_made_is_refused_before_the_run(tmp_path):
    RunAnimation(tmp_path / "new" / "moving.webp", is_metric=True)
    assert (tmp_path / "new").is_dir()
    (tmp_path / "file").write_text("")
    with pytest.raises(MonodepthError, match=r"moving.webp cannot be written: (File exists|Not a directory)"):
        RunAnimation(tmp_path / "file" / "moving.webp", is_metric=True)


def test_an_animation_that_cannot_be_written_costs_no_other_result(drive, tmp_path, capsys, monkeypatch):
    picture = tmp_path / "moving.webp"
    arguments = ["--depth", "none", "--no-video", "--results", str(tmp_path / "results")]
    add = RunAnimation.add
    # Another program makes a folder of that name meanwhile.
    monkeypatch.setattr(RunAnimation, "add", lambda *words: (picture.mkdir(exist_ok=True), add(*words)))
    assert main(["run", str(drive), "--animation", str(picture), *arguments]) == 2
    error = capsys.readouterr().err
    assert f"{picture} is a folder" in error, error
    assert {"report.html", "run.json", "trajectory_tum.txt"} <= {
        p.name for p in (tmp_path / "results/latest").iterdir()
    }
