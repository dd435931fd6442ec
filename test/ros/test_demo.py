# SPDX-License-Identifier: Apache-2.0
"""The demonstration, whole: the node, the player and the client as processes of their own, over DDS."""

import json
import subprocess
import sys

import cv2
import pytest

from monodepth_ros.cli.main import main as monodepth

EVERY_FRAME = ("depth/image", "depth/camera_info", "depth/color", "depth/points", "depth/status", "rgb/image_rect")


def demo(*arguments, cwd):
    command = [sys.executable, "-m", "monodepth_ros.ros.demo", *map(str, arguments)]
    return subprocess.run(command, cwd=cwd, capture_output=True, text=True, timeout=200)


def test_the_kitti_recording_comes_out_on_every_topic(monodepth_data, tmp_path):
    bag = monodepth_data / "rosbag2" / "kitti_colour_compressed_mcap"
    done = demo(
        bag, "--checkpoint", monodepth_data / "rtmonodepth_s_weights" / "ms_640_192", "--rate", "0.5", cwd=tmp_path
    )
    assert done.returncode == 0, done.stdout + done.stderr
    figures = json.loads((tmp_path / "results/latest/report.json").read_text())
    assert figures["frames_in"] == 24
    for topic in EVERY_FRAME:
        # How many depends on the machine; that they come, on all topics alike, does not.
        assert figures["topics"][topic]["messages"] >= 6, f"{topic}: {figures['topics'][topic]}"
    assert figures["node"]["frames_invalid"] == figures["node"]["frames_failed"] == 0
    assert 5 < figures["node"]["median_depth"] < 40
    sheet = cv2.imread(str(tmp_path / "results/latest/sheet.png"))
    assert sheet is not None and sheet.std() > 20
    assert "depth/points" in done.stdout and "not measured" in done.stdout


def test_a_recording_with_ground_truth_is_compared_with_it(tmp_path):
    bag = tmp_path / "drive.mcap"
    options = ["--seconds", "2", "--seed", "31", "--width", "320", "--height", "96", "--distortion", "plumb_bob"]
    assert monodepth(["synth", "--out", str(bag), *options]) == 0
    done = demo(bag, "--rate", "0.5", cwd=tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    error = json.loads((tmp_path / "results/latest/report.json").read_text())["depth_error"]
    assert error["scaling"] == "none" and error["images"] >= 5, error
    # The lens is not the one of the checkpoint: bent, and compared through its calibration.
    assert 0.02 < error["abs_rel"] < 0.4 and error["coverage"] > 0.6, error
    assert f"abs_rel {error['abs_rel']:.3f}" in done.stdout
    sheet = cv2.imread(str(tmp_path / "results/latest/sheet.png"))
    # input, depth, ground truth and error of one size, then the cloud and the trajectory
    assert sheet.shape[1] > 4 * 600 + 300 + 200, sheet.shape
    has_grey = (sheet == 128).all(axis=-1).sum()
    assert has_grey > 1000, "sky has no ground truth: grey in the error picture"


def test_networks_are_trained_on_the_recording_and_then_used(tmp_path):
    bag = tmp_path / "drive.mcap"
    assert (
        monodepth(["synth", "--out", str(bag), "--seconds", "4", "--seed", "31", "--width", "192", "--height", "64"])
        == 0
    )
    done = demo(bag, "--train", "--train-steps", "6", cwd=tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    (folder,) = (tmp_path / "results/train").glob("*_*")
    assert f"checkpoint  {folder / 'best.safetensors'}".replace(str(tmp_path) + "/", "") in done.stdout
    sheet = cv2.imread(str(folder / "before_after.png"))
    # camera, before, after, exact
    assert sheet.shape[1] == 4 * (540 + 4), sheet.shape
    assert json.loads((tmp_path / "results/latest/report.json").read_text())["depth_error"]["scaling"] == "median"


@pytest.mark.parametrize(
    "arguments, words",
    [
        (["--train", "--checkpoint", "{checkpoint}"], "monodepth adapt"),
        (["/nowhere.mcap", "--checkpoint", "{checkpoint}"], "/nowhere.mcap"),
        (["{checkpoint}", "--checkpoint", "{checkpoint}"], "depth.safetensors"),
        (["/nowhere.mcap", "--checkpoint", "/nothing"], "/nothing"),
    ],
)
def test_bad_input_ends_with_one_line(depth_checkpoint, tmp_path, arguments, words):
    done = demo(*(a.format(checkpoint=depth_checkpoint) for a in arguments), cwd=tmp_path)
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1 and words in done.stderr, done.stderr
    assert not (tmp_path / "results").exists()
