"""scripts/bench live, with a network so small that it takes seconds."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("rclpy", reason="no rclpy: run scripts/test, or source a ROS 2 set-up")

ROOT = Path(__file__).resolve().parents[2]
# The checkout comes last on the path, for bench/ alone; the package is the one under test.
ENVIRONMENT = {**os.environ, "PYTHONPATH": os.pathsep.join((*filter(None, [os.environ.get("PYTHONPATH")]), str(ROOT)))}
TINY = ["--network", "rt_monodepth_s", "--size", "64x32", "--input", "160x96", "--images", "procedural", "--warm-up", "5"]


def run_live(results, *arguments):
    """The benchmark's figures and what it printed."""
    command = [sys.executable, "-m", "bench", "live", *TINY, "--results", str(results), *arguments]
    process = subprocess.run(command, env=ENVIRONMENT, capture_output=True, text=True, timeout=120)
    assert process.returncode == 0, f"{process.stdout}\n{process.stderr}"
    (result,) = results.glob("live_*.json")
    return json.loads(result.read_text()), process.stdout


def assert_frames_add_up(figures):
    frames = figures["frames"]
    assert frames["published"] == frames["received"] + frames["lost_before_node"], frames
    assert frames["received"] == frames["processed"] + sum(frames["dropped"].values()) + frames["in_flight"], frames
    assert min(frames["received"], frames["processed"], frames["in_flight"], *frames["dropped"].values()) >= 0, frames


def test_every_frame_of_a_slow_camera_is_accounted_for(tmp_path):
    figures, printed = run_live(tmp_path, "--rate", "20", "--frames", "20", "--outputs", "depth,cloud", "--transport", "raw")
    frames = figures["frames"]
    assert_frames_add_up(figures)
    assert frames["published"] == 20 and frames["in_flight"] == 0, frames
    # A busy machine may lose or replace a frame; most must come through.
    assert frames["processed"] >= 10, frames
    for topic in ("depth/image", "depth/points"):
        assert frames["received_by_client"][topic] == frames["processed"], frames
        latency, total = figures["latency_ms"][topic], figures["stages_ms"]["total"]
        assert latency["count"] == frames["processed"]
        assert 0 < figures["stages_ms"]["inference"]["p50"] < total["p50"] < latency["max"], figures
    assert f"{frames['published']} published = {frames['received']} received" in printed


def test_saturation_lets_the_newest_frame_win(tmp_path):
    figures, _ = run_live(tmp_path, "--rate", "0", "--frames", "60")
    frames = figures["frames"]
    assert_frames_add_up(figures)
    assert figures["input"]["saturated"] and figures["input"]["asked_rate_hz"] > 0
    assert frames["dropped"]["replaced"] > 0, figures
    assert sum(frames["dropped"].values()) == frames["dropped"]["replaced"], frames


def test_an_unknown_benchmark_is_refused():
    process = subprocess.run([sys.executable, "-m", "bench", "dance"], env=ENVIRONMENT, capture_output=True, text=True)
    assert process.returncode == 2 and "unknown command 'dance'" in process.stderr, process
