"""The demonstration, whole: the node, the player and the client as processes of their own, over DDS."""

import json
import subprocess
import sys

import cv2
import pytest

EVERY_FRAME = ("depth/image", "depth/camera_info", "depth/color", "depth/points", "depth/status", "rgb/image_rect")


def demo(*arguments, cwd):
    command = [sys.executable, "-m", "monodepth_ros.ros.demo", *map(str, arguments)]
    return subprocess.run(command, cwd=cwd, capture_output=True, text=True, timeout=200)


def test_the_kitti_recording_comes_out_on_every_topic(monodepth_data, tmp_path):
    bag = monodepth_data / "rosbag2" / "kitti_colour_compressed_mcap"
    done = demo(bag, "--checkpoint", monodepth_data / "rtmonodepth_s_weights" / "ms_640_192", "--rate", "0.5", cwd=tmp_path)
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


@pytest.mark.parametrize(
    "arguments, words",
    [
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
