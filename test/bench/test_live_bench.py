# SPDX-License-Identifier: Apache-2.0
"""scripts/bench live, matrix and stages with a small network."""

import json

import pytest

pytest.importorskip("rclpy", reason="no rclpy: run scripts/test, or source a ROS 2 set-up")


def assert_frames_add_up(frames):
    assert frames["published"] == frames["received"] + frames["lost_before_node"], frames
    assert frames["received"] == frames["processed"] + sum(frames["dropped"].values()) + frames["in_flight"], frames
    assert min(frames["received"], frames["processed"], frames["in_flight"], *frames["dropped"].values()) >= 0, frames


def test_the_counts_of_a_slow_camera_add_up(run_live):
    figures, printed, _ = run_live("--rate", "20", "--outputs", "depth,cloud", "--transport", "raw")
    (phase,) = figures["phases"].values()
    frames = phase["frames"]
    assert_frames_add_up(frames)
    assert frames["published"] == 40 and frames["in_flight"] == 0, frames
    # A busy machine may lose, replace or delay a frame; most must arrive.
    assert frames["processed"] >= 20, frames
    stages = phase["stages_ms"]
    for topic in ("depth/image", "depth/points"):
        latency = phase["latency_ms"][topic]
        assert (
            frames["processed"] - 2 <= latency["count"] == frames["received_by_client"][topic] <= frames["processed"]
        ), frames
        assert 0 < stages["inference"]["p50"] < stages["total"]["p50"] < latency["max"], figures
        assert 0 <= stages["motion"]["p50"] < stages["inference"]["p50"], figures  # nothing asks for odometry
    assert sum(phase["stage_shares"].values()) == pytest.approx(1.0, abs=1e-3)
    assert figures["bare_engine_ms"]["all"]["p50"] > 0, figures
    whole = phase["whole_frame_ms"]["p50"]
    assert whole / figures["bare_engine_ms"]["all"]["p50"] == pytest.approx(phase["whole_frame_to_bare_engine"])
    assert 0 < figures["start"]["configured_s"] < figures["start"]["first_output_s"] < 60, figures["start"]
    assert f"{frames['published']} published = {frames['received']} received" in printed


def test_saturation_is_followed_by_80_percent_load_memory_and_a_plain_node(run_live, run_bench):
    arguments = ("--rate", "0", "--outputs", "depth,cloud,odometry", "--pose", "posecnn", "--growth", "30", "--plain")
    figures, printed, path = run_live(*arguments)
    saturated, load = figures["phases"]["saturated"], figures["phases"]["load"]
    for phase in (saturated, load):
        assert_frames_add_up(phase["frames"])
    dropped = saturated["frames"]["dropped"]
    assert dropped["replaced"] > 0 and sum(dropped.values()) == dropped["replaced"], figures
    assert load["asked_rate_hz"] == pytest.approx(0.8 * saturated["frames_per_second"])
    assert load["frames"]["processed_share"] > 0.5, figures  # a busy machine may have become slower
    growth = figures["growth"]
    assert len(growth["rss_mb"]) == 11 and 10 <= growth["processed"] <= 30, growth
    plain = figures["plain"]["saturated"]
    assert set(plain["latency_ms"]) == {"depth/image", "depth/camera_info", "depth/points", "odom"}
    ratio = saturated["frames_per_second"] / plain["frames_per_second"]
    assert figures["to_plain"]["frames_per_second"] == pytest.approx(ratio)
    assert "plain node, saturated:" in printed and "MB over" in printed
    table = run_bench("table", str(path)).stdout.splitlines()
    assert len(table) == 5, table  # head, rule, saturated, load, plain
    assert len({line.count("|") for line in table}) == 1, table
    assert "plain node" in table[4] and f"{ratio:.2f} x frames/s" in table[2], table


def test_a_matrix_runs_each_combination_and_lists_those_that_fail(run_bench, tmp_path):
    arguments = ["--networks", "rt_monodepth_s", "--sizes", "64x32", "--outputs", "depth"]
    arguments += ["--engines", "pytorch:fp32", "nonsense"]
    arguments += ["--input", "160x96", "--images", "procedural", "--warm-up", "3", "--frames", "5", "--rate", "20"]
    process = run_bench("matrix", *arguments, "--results", str(tmp_path))
    assert process.returncode == 1, process
    rows = [line for line in process.stdout.splitlines() if line.startswith("| rt_monodepth_s 64x32 | pytorch fp32")]
    assert len(rows) == 1, process.stdout
    assert "failed: scripts/bench live --network rt_monodepth_s" in process.stderr and "nonsense" in process.stderr, (
        process.stderr
    )


def test_an_unknown_benchmark_is_refused(run_bench):
    process = run_bench("dance")
    assert process.returncode == 2 and "unknown command 'dance'" in process.stderr, process


def test_bad_input_gives_an_error_of_one_line(run_bench, tmp_path):
    process = run_bench("live", "--checkpoint", str(tmp_path / "none.safetensors"), "--results", str(tmp_path))
    assert process.returncode == 2, process
    assert process.stderr.startswith("bench: ") and process.stderr.count("\n") == 1, process.stderr


def test_stages_measure_a_frame_besides_the_networks(run_bench, tmp_path):
    arguments = ["--size", "64x32", "--input", "160x96", "--images", "procedural", "--rounds", "5"]
    process = run_bench("stages", *arguments, "--results", str(tmp_path))
    assert process.returncode == 0, process
    (result,) = tmp_path.glob("stages_*.json")
    stages = json.loads(result.read_text())["stages_ms"]
    assert all(0 < values["min"] <= values["p50"] and values["count"] == 5 for values in stages.values()), stages
    assert stages["depth/points, with a subscriber"]["min"] >= stages["cloud, points"]["min"], stages
    assert {"odometry, image check", "odometry, features", "scale, ground search"} <= set(stages), stages
    assert "depth/points, no subscriber" in process.stdout
