# SPDX-License-Identifier: Apache-2.0
"""The first minute with five kinds of recordings: inspect, train and run, each by what the one before said.

The node's part is test/ros/test_first_minute_live.py.
"""

import json
import shlex
import sys
from pathlib import Path

import pytest
import torch

from monodepth_ros.cli.main import main as monodepth
from monodepth_ros.networks.checkpoints.checkpoint import load_checkpoint

sys.path.insert(0, str(Path(__file__).parent))

from recordings import RECORDINGS

SECONDS = 1.6
SHORT = ["--preset", "compact", "--set", "loop.max_steps=1", "--set", "loop.batch_size=2"]
# Device: whether lengths are metres, the moving frame, whether the recording's own depth judges.
EXPECTED = {
    "depth camera": (True, "camera_link", True),
    "stereo camera": (True, "base_link", False),
    "phone": (False, "camera_optical_frame", False),
    "dash camera": (False, "camera_optical_frame", False),
    "drone": (True, "base_link", False),
}


@pytest.fixture(autouse=True)
def one_thread():
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def next_command(printed: str, verb: str = "") -> list[str]:
    """The words of the first suggested command, or of that of this verb of `monodepth`."""
    suggested = [shlex.split(line)[1:] for line in printed.splitlines() if line.startswith(("next ", "or "))]
    return next(words for words in suggested if not verb or words[:2] == ["monodepth", verb])


@pytest.mark.parametrize("device", RECORDINGS)
def test_each_step_names_the_next_and_the_whole_image_has_depth(device, tmp_path, monkeypatch, capsys):
    is_metric, moving_frame, has_depth = EXPECTED[device]
    monkeypatch.chdir(tmp_path)
    recording = RECORDINGS[device](tmp_path, SECONDS)

    assert monodepth(["inspect", recording.name]) == 0
    printed = capsys.readouterr().out
    assert "which shows 100 % of the image" in printed or "which shows 9" in printed, printed
    assert ("assumed, and depth will be relative" in printed) == recording.name.endswith(".mp4"), printed

    # A film wants a calibration first; without one a training goes on with a guess.
    assert next_command(printed)[1] == ("calibrate" if recording.suffix == ".mp4" else "train"), printed
    train = next_command(printed, "train")
    assert monodepth([*train[1:], *SHORT]) == 0
    printed = capsys.readouterr().out
    run = next_command(printed, "run")
    header = load_checkpoint(run[run.index("--checkpoint") + 1]).header
    assert not header.is_metric and header.height * header.width < 20000

    assert monodepth([*run[1:], "--no-video", "--depth", "none"]) == 0
    printed = capsys.readouterr().out
    results = Path("results/latest")
    summary = json.loads((results / "run.json").read_text())
    share = float(summary["views"][0].split(": ")[1].split(" %")[0])
    assert share >= 90, summary["views"]
    assert summary["unit"] == "network units" and " m travelled" not in printed, printed
    assert f"of {moving_frame}" in printed or f"of {moving_frame!r}" in printed, printed
    assert next_command(printed)

    topic = [word for word in run if word in ("--topic", run[run.index("--topic") + 1])] if "--topic" in run else []
    assert monodepth(["run", recording.name, *topic, "--no-video", "--depth", "none"]) == 0
    printed = capsys.readouterr().out
    summary = json.loads((results / "run.json").read_text())
    share = float(summary["views"][0].split(": ")[1].split(" %")[0])
    assert share >= 80, summary["views"]
    assert summary["unit"] == ("m" if is_metric else "network units")
    assert (" m travelled" in printed) == is_metric, printed
    assert ("depth error" in printed) == has_depth, printed
    assert "learned from synthetic streets" in printed
