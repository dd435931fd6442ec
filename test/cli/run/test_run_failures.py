# SPDX-License-Identifier: Apache-2.0
"""`monodepth run` with bad input, damaged recordings and control-C."""

import json
import os
import signal
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import cv2
import numpy as np
import pytest

from monodepth_ros.cli.main import main
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


def test_control_c_keeps_the_results_so_far(tmp_path):
    folder, out = tmp_path / "images", tmp_path / "out.mcap"
    folder.mkdir()
    for i in range(2000):
        cv2.imwrite(str(folder / f"{i}.png"), np.random.default_rng(i).integers(0, 255, (32, 96, 3), np.uint8))
    arguments = [
        "run",
        str(folder),
        "--results",
        str(tmp_path / "results"),
        "--out",
        str(out),
        "--set",
        "engine=pytorch",
    ]
    process = subprocess.Popen(
        [sys.executable, "-m", "monodepth_ros.cli.main", *arguments],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        env={**os.environ, "PYTHONUNBUFFERED": "1"},
    )  # fmt: skip
    depth = tmp_path / "results" / "latest" / "depth"
    deadline = time.monotonic() + 100
    while process.poll() is None and time.monotonic() < deadline and len(list(depth.glob("*.png"))) < 5:
        time.sleep(0.05)
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 130, errors
    assert "Traceback" not in errors and "results so far stay in" in errors
    results = tmp_path / "results" / "latest"
    frames = json.loads((results / "run.json").read_text())["frames"]
    assert 5 <= frames < 2000 and len(list(depth.glob("*.png"))) == frames
    assert (results / "report.html").exists() and (results / "trajectory_tum.txt").exists()
    with Recording(out) as recording:
        assert recording.topics["/depth/image"].count == frames
