# SPDX-License-Identifier: Apache-2.0
"""--depth-topic and --odometry-topic: every verb states the recording's reference, and uses the topic that is named."""

import json

import pytest

from monodepth_ros.cli.main import main

ALIGNED, EXACT = "/camera/aligned_depth_to_color/image_raw", "/ground_truth/depth"


@pytest.fixture(scope="module")
def rgbd(tmp_path_factory):
    """Six frames of a camera with square pixels, exact depth, and a depth camera's measurements."""
    path = tmp_path_factory.mktemp("rgbd") / "rgbd.mcap"
    words = ["--seconds", "0.6", "--width", "96", "--height", "64", "--field-of-view", "69", "--depth-camera"]
    assert main(["synth", "--out", str(path), *words]) == 0
    return str(path)


def test_run_states_the_reference_before_the_first_frame_and_can_leave_it(rgbd, tmp_path, capsys):
    words = ["run", rgbd, "--results", str(tmp_path / "r"), "--no-video", "--depth", "none", "--frames", "2"]
    assert main([*words, "--depth-topic", ALIGNED]) == 0
    lines = [" ".join(line.split()) for line in capsys.readouterr().out.splitlines()]
    assert f"reference depth {ALIGNED} (registered, 6 images); others: --depth-topic {EXACT}" in lines
    frames = next(i for i, line in enumerate(lines) if line.startswith("frames"))
    assert max(i for i, line in enumerate(lines) if line.startswith("reference")) < frames, lines
    summary = json.loads((tmp_path / "r" / "latest" / "run.json").read_text())
    assert summary["references"]["reference poses"].startswith("/ground_truth/odometry (Odometry of 'base_link'")
    assert main([*words, "--depth-topic", "none", "--odometry-topic", "none"]) == 0
    assert "depth off (--depth-topic none)" in capsys.readouterr().out
    assert not (tmp_path / "r" / "latest" / "metrics.json").exists() or "depth" not in json.loads(
        (tmp_path / "r" / "latest" / "metrics.json").read_text()
    )


def test_evaluation_compares_with_the_topic_that_is_named(rgbd, capsys):
    found = {}
    for topic in ("", ALIGNED):
        words = ["--engine", "pytorch", "--json", "-", *(["--depth-topic", topic] if topic else [])]
        assert main(["evaluate", "depth", rgbd, *words]) == 0
        found[topic] = json.loads(capsys.readouterr().out)
    assert found[""]["references"][0].startswith(f"depth {EXACT} (registered, 6 images)")
    errors = {topic: report["mean"]["abs_rel"] for topic, report in found.items()}
    assert errors[""] != errors[ALIGNED], "the depth camera's range is shorter, so its error is another one"


def test_inspect_lists_the_candidates_and_what_teaches(rgbd, tmp_path, capsys):
    setting = ["--set", "objective.depth.weight=1", "--depth-topic", ALIGNED, "--sources", "none"]
    assert main(["inspect", rgbd, "--results", str(tmp_path), *setting]) == 0
    lines = [" ".join(line.split()) for line in capsys.readouterr().out.splitlines()]
    assert f"reference depth {ALIGNED} (registered, 6 images); others: --depth-topic {EXACT}" in lines
    truth = next(line for line in lines if line.startswith("ground truth"))
    assert "6 depth images (for training: objective.depth.weight 1)" in truth and "poses" in truth


@pytest.mark.parametrize("verb", ["run", "extract"])
def test_a_topic_without_depth_is_one_line(rgbd, tmp_path, capsys, verb):
    where = {"run": ["--results", str(tmp_path / "r")], "extract": ["--out", str(tmp_path / "x")]}[verb]
    assert main([verb, rgbd, *where, "--depth-topic", "/camera/camera_info"]) == 2
    error = capsys.readouterr().err.strip()
    assert "and no depth: expected depth images" in error and "\n" not in error
    assert f"there: {EXACT}, {ALIGNED}" in error


def test_extract_writes_the_depth_that_is_named(rgbd, tmp_path, capsys):
    assert main(["extract", rgbd, "--out", str(tmp_path / "x"), "--depth-topic", ALIGNED]) == 0
    assert f"depth {ALIGNED} (registered" in capsys.readouterr().out
    assert len(list((tmp_path / "x" / "proj_depth" / "groundtruth" / "image_2").glob("*.png"))) == 6
