# SPDX-License-Identifier: Apache-2.0
"""From a recording to depth and odometry: a checkpoint of `monodepth train` in the node and in `monodepth run`."""

import numpy as np
import pytest
import torch
from sensor_msgs.msg import CameraInfo

from monodepth_ros.cli.main import main as monodepth
from monodepth_ros.data.depth.depth_codec import decode_depth
from monodepth_ros.data.sources.open_source import open_source
from monodepth_ros.evaluation.depth_metrics import evaluate_depth, mean_metrics
from monodepth_ros.evaluation.snippet_ate import snippet_ate
from monodepth_ros.evaluation.trajectory_file import read_trajectory
from monodepth_ros.geometry.motion import make_transform
from monodepth_ros.ros.interop import rotation_from_quaternion
from monodepth_ros.training.run_log import read_log
from monodepth_ros.training.trainer import BEST

# Enough to learn that what is low in the image is near and that the camera drives forward; docs/training.md goes on.
STEPS = 160
COMPACT = [
    *("networks.depth=rt_monodepth_s", "networks.pose=posecnn", "networks.width=192", "networks.height=64"),
    *("objective.scales=1", "optimizer.learning_rate=3e-4", "optimizer.schedule=cosine", "optimizer.epochs=20"),
    *(f"loop.max_steps={STEPS}", f"loop.validate_every={STEPS}", "data.validation_frames=24"),
]


def synth(path, seed, seconds):
    words = ["--seconds", str(seconds), "--width", "256", "--height", "96", "--seed", str(seed), "--compressed"]
    assert monodepth(["synth", "--out", str(path), *words]) == 0
    return path


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """A results folder of `monodepth train` on a synthetic minute, from random weights."""
    folder = tmp_path_factory.mktemp("trained")
    torch.set_num_threads(1)  # at this size a second one gains little, and nothing on a busy machine
    drive = synth(folder / "drive.mcap", seed=21, seconds=60)
    settings = [word for item in COMPACT for word in ("--set", item)]
    assert (
        monodepth(
            ["train", "--data", str(drive), "--batch-size", "8", "--device", "cpu", *settings, "--out", str(folder)]
        )
        == 0
    )
    return folder


@pytest.fixture(scope="module")
def unseen(tmp_path_factory):
    """A street that was not trained on."""
    return synth(tmp_path_factory.mktemp("unseen") / "unseen.mcap", seed=900, seconds=3)


def test_depth_and_motion_are_learned_from_video_alone(trained):
    before, after = (line for line in read_log(trained) if line["kind"] == "validation")
    assert after["step"] == STEPS
    assert after["abs_rel"] < 0.85 * before["abs_rel"] and after["ate_5"] < before["ate_5"] / 3, (before, after)


@pytest.fixture(scope="module")
def frames(unseen):
    with open_source(str(unseen)) as source:
        return list(source.frames())


def assert_follows(poses, frames):
    """Require snippets of the trajectory with less than a third of the error of standing still."""
    truth = np.array([frame.T_world_camera for frame in frames])
    still = snippet_ate(truth, np.tile(np.eye(4), (len(truth), 1, 1))).mean
    assert len(poses) == len(truth) and snippet_ate(truth, poses).mean < still / 3


def test_the_node_runs_it_with_odometry(harness, trained, frames):
    node = harness(trained / BEST, scale__source="relative", depth__resolution="image", odometry__max_turn_rate=20.0)
    camera = frames[0].camera
    info = CameraInfo(width=camera.width, height=camera.height, distortion_model="plumb_bob", d=[0.0] * 5)
    info.k, info.p = camera.K.ravel().tolist(), camera.P.ravel().tolist()
    node.send_info(info)
    poses, errors = [], []
    for frame in frames:
        node.send(frame.stamp_ns, frame.pixels.array, f"{frame.pixels.layout}8")
        odometry = node.output(frame.stamp_ns, "odom").pose.pose
        p, q = odometry.position, odometry.orientation
        poses.append(make_transform(rotation_from_quaternion((q.x, q.y, q.z, q.w)), (p.x, p.y, p.z)))
        depth = decode_depth(node.output(frame.stamp_ns, "depth/image"))
        errors.append(evaluate_depth(frame.reference_depth, depth, crop="none", scaling="median"))
    assert_follows(np.array(poses), frames)
    # On a street that it has never seen; 0.6 and more without training.
    assert mean_metrics(errors).abs_rel < 0.5


def test_run_runs_it_with_odometry(trained, unseen, frames, tmp_path):
    words = ["run", str(unseen), "--checkpoint", str(trained / BEST), "--results", str(tmp_path), "--no-video"]
    # The reference poses are the camera's.
    settings = ("scale.source=relative", "odometry.max_turn_rate=20.0", "base_frame=")
    assert monodepth([*words, *(word for item in settings for word in ("--set", item))]) == 0
    assert_follows(read_trajectory(tmp_path / "latest" / "trajectory_tum.txt").poses, frames)
