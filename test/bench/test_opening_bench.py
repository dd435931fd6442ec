# SPDX-License-Identifier: Apache-2.0
"""scripts/bench opening with a small recording."""

import json
import sys
from pathlib import Path

from rosbags.highlevel import AnyReader

ROOT = Path(__file__).resolve().parents[2]
sys.path.append(str(ROOT))  # for bench/ alone


def test_both_open_the_recording_and_the_ratios_are_reported(run_bench, tmp_path):
    process = run_bench("opening", "--size", "0.01", "--topics", "5", "--rounds", "1", "--results", str(tmp_path))
    assert process.returncode == 0, f"{process.stdout}\n{process.stderr}"
    (result,) = tmp_path.glob("opening_*.json")
    figures = json.loads(result.read_text())
    assert set(figures["opening"]) == {"package", "library"}
    assert figures["ratios"]["seconds"] > 0 and figures["topics"] == 5


def test_the_sparse_recording_is_a_valid_one(tmp_path):
    from bench.sparse_recording import SparseRecording

    path = tmp_path / "sparse.mcap"
    SparseRecording(path, 4, 5_000_000)
    with AnyReader([path]) as reader:
        counts = {connection.topic: connection.msgcount for connection in reader.connections}
        assert set(counts.values()) == {6} and len(counts) == 4
        image = next(m for c, _, m in reader.messages() if c.topic == "/camera/image_raw")
        assert len(reader.deserialize(image, "sensor_msgs/msg/Image").data) == 640 * 480 * 3
    assert path.stat().st_blocks * 512 < 200_000 < 5_000_000 <= path.stat().st_size
