# SPDX-License-Identifier: Apache-2.0
"""`monodepth run` with bad input, damaged recordings and control-C."""

import json
import signal
import sqlite3
from pathlib import Path

import cv2
import numpy as np
import pytest

from monodepth_ros.cli.main import main
from monodepth_ros.cli.progress import Progress
from monodepth_ros.data.bags.recording import Recording

FRAMES = 8


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        (["--config", "missing.yaml"], "parameter file missing.yaml"),
        (["--set", "depth.colour=blue"], "unknown setting 'depth.colour'"),
        (["--checkpoint", "missing.safetensors"], "missing.safetensors"),
        (["--calibration", "missing.yaml"], "calibration file missing.yaml does not exist"),
        (["--topic", "/nothing"], "no topic /nothing"),
        (["--start", "1000"], "no frame of"),
        (["--device", "tpu"], "unknown device 'tpu'"),
    ],
)
def test_bad_input_is_one_line_and_exit_code_2(drive, run, options, expected):
    code, printed, _ = run(drive, *options)
    assert code == 2 and expected in printed.err and printed.err.count("\n") == 1, printed.err


def test_a_missing_camera_is_one_line(run):
    if Path("/dev/video9").exists():
        pytest.skip("there is a camera 9")
    code, printed, _ = run("9")
    assert code == 2 and "camera 9 cannot be opened" in printed.err and printed.err.count("\n") == 1, printed.err


def test_a_damaged_recording_keeps_the_results_before_the_damage(tmp_path, run, drive):
    whole = tmp_path / "whole.db3"
    assert main(["synth", "--out", str(whole), "--seconds", "0.6", "--width", "64", "--height", "32"]) == 0
    with sqlite3.connect(whole) as database:
        database.execute("update messages set data = x'0001' where id > (select max(id) from messages) / 2")
    code, printed, results = run(whole)
    frames = json.loads((results / "run.json").read_text())["frames"]
    assert code == 2 and 1 <= frames < 6 and "cannot be read" in printed.err.splitlines()[-1]
    assert (results / "report.html").exists()


class InterruptedProgress(Progress):
    """Control-C is pressed after five frames."""

    def step(self):
        super().step()
        if self.count == 5:
            signal.raise_signal(signal.SIGINT)


def test_control_c_keeps_the_results_so_far(tmp_path, run, monkeypatch):
    folder, out = tmp_path / "images", tmp_path / "out.mcap"
    folder.mkdir()
    for i in range(12):
        cv2.imwrite(str(folder / f"{i}.png"), np.random.default_rng(i).integers(0, 255, (32, 96, 3), np.uint8))
    monkeypatch.setattr("monodepth_ros.cli.run.Progress", InterruptedProgress)
    code, printed, results = run(folder, "--out", str(out))
    assert code == 130 and "results so far stay in" in printed.err, printed.err
    frames = json.loads((results / "run.json").read_text())["frames"]
    assert frames == 5 and len(list((results / "depth").glob("*.png"))) == frames
    assert (results / "report.html").exists() and (results / "trajectory_tum.txt").exists()
    with Recording(out) as recording:
        assert recording.topics["/depth/image"].count == frames
