# SPDX-License-Identifier: Apache-2.0
"""The whole demonstration: node, player and client in separate processes, over DDS."""

import contextlib
import json
import os
import signal
import subprocess
import sys
import time

import cv2
import numpy as np
import pytest

from monodepth_ros.cli.main import main as monodepth
from monodepth_ros.data.bags.writer import BagWriter

EVERY_FRAME = ("depth/image", "depth/camera_info", "depth/color", "depth/points", "depth/status", "rgb/image_rect")


def demo(*arguments, cwd):
    command = [sys.executable, "-m", "monodepth_ros.ros.demo", *map(str, arguments)]
    return subprocess.run(command, cwd=cwd, capture_output=True, text=True, timeout=200)


def test_the_kitti_recording_gives_messages_on_every_topic(monodepth_data, tmp_path):
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


def test_depth_is_compared_with_the_ground_truth_of_the_recording(tmp_path):
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


@pytest.fixture
def bag_without_frame_ids(tmp_path):
    """A second of a calibrated camera without a frame_id: everything but odometry can be computed."""
    path, types = tmp_path / "nameless.mcap", BagWriter.types
    roi = types["sensor_msgs/msg/RegionOfInterest"](0, 0, 0, 0, False)
    K = np.array([185.6, 0, 159.5, 0, 184.3, 47.5, 0, 0, 1.0])
    P = np.insert(K, (3, 6, 9), 0.0)
    with BagWriter(path) as bag:
        bag.add_topic("/camera/image_raw", "sensor_msgs/msg/Image")
        bag.add_topic("/camera/camera_info", "sensor_msgs/msg/CameraInfo")
        for i in range(10):
            stamp = types["builtin_interfaces/msg/Time"](100, i * 100_000_000)
            header = types["std_msgs/msg/Header"](stamp, "")
            pixels = np.random.default_rng(i).integers(0, 255, 96 * 320 * 3, np.uint8)
            image = types["sensor_msgs/msg/Image"](header, 96, 320, "rgb8", 0, 960, pixels)
            info = types["sensor_msgs/msg/CameraInfo"](
                header, 96, 320, "plumb_bob", np.zeros(5), K, np.eye(3).reshape(-1), P, 0, 0, roi
            )
            bag.write("/camera/camera_info", 100 * 10**9 + i * 10**8, info)
            bag.write("/camera/image_raw", 100 * 10**9 + i * 10**8, image)
    return path


def test_odometry_that_does_not_come_is_reported_for_a_checkpoint_without_a_pose_network(
    bag_without_frame_ids, depth_checkpoint, tmp_path
):
    done = demo(bag_without_frame_ids, "--checkpoint", depth_checkpoint, "--rate", "0.3", cwd=tmp_path)
    assert done.returncode == 1, done.stdout + done.stderr
    (line,) = [line for line in done.stdout.splitlines() if line.startswith("MISSING")]
    assert line.startswith("MISSING     nothing came on odom, path:") and "frame_id" in line, line
    figures = json.loads((tmp_path / "results/latest/report.json").read_text())
    assert figures["topics"]["depth/image"]["messages"] > 0 and figures["node"]["latency_motion_ms"] > 0


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


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_the_demonstration_with_its_node_and_player(
    bag_without_frame_ids, depth_checkpoint, tmp_path, number
):
    arguments = [bag_without_frame_ids, "--checkpoint", depth_checkpoint, "--rate", "0.01"]
    with (tmp_path / "log").open("w") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "monodepth_ros.ros.demo", *map(str, arguments)],
            cwd=tmp_path, stdout=log, stderr=log, start_new_session=True,
        )  # fmt: skip
    try:
        deadline = time.monotonic() + 100
        while "playing" not in (tmp_path / "log").read_text():
            assert process.poll() is None and time.monotonic() < deadline, (tmp_path / "log").read_text()
            time.sleep(0.1)
        process.send_signal(number)
        assert process.wait(20) == 130, (tmp_path / "log").read_text()
        with pytest.raises(ProcessLookupError):  # nothing of its session is left
            os.killpg(process.pid, 0)
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)


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
