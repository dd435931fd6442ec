# SPDX-License-Identifier: Apache-2.0
"""Common properties of engines with converted networks: the cache, the check against PyTorch."""

import os
import shutil
import tempfile
import time

import numpy as np
import pytest
import torch

from monodepth_ros.inference.config import EngineConfig
from monodepth_ros.inference.create_engine import create_engine
from monodepth_ros.inference.engine import EngineError
from monodepth_ros.inference.parity import check_parity
from monodepth_ros.inference.pytorch import PytorchEngine
from monodepth_ros.networks.checkpoints.checkpoint import load_checkpoint, save_checkpoint

pytestmark = pytest.mark.usefixtures("graphs")
FILES = {
    "openvino": ("depth.xml", "depth.bin", "pose.xml", "pose.bin"),
    "onnxruntime": ("depth.onnx", "pose.onnx"),
}
WEIGHTS = {"openvino": "depth.bin", "onnxruntime": "depth.onnx"}


@pytest.fixture(params=list(FILES))
def engine_name(request):
    pytest.importorskip(request.param, reason=f"no {request.param}")
    if request.param == "onnxruntime":
        pytest.importorskip("onnx", reason="no onnx")
    return request.param


@pytest.fixture
def create(engine_name):
    return lambda checkpoint: create_engine(
        checkpoint, EngineConfig(device="cpu", precision="fp32", engine=engine_name)
    )


def test_networks_are_converted_once(create, engine_name, checkpoint_file, disparity_of, graphs):
    first = disparity_of(create(checkpoint_file))
    (entry,) = graphs.iterdir()
    written = {path.name: path.stat().st_mtime_ns for path in entry.iterdir()}
    assert set(written) == {*FILES[engine_name], "files.json"}
    assert np.array_equal(first, disparity_of(create(checkpoint_file)))
    assert {path.name: path.stat().st_mtime_ns for path in entry.iterdir()} == written


@pytest.mark.parametrize("damage", ["cut off", "garbage", "other weights", "missing"])
def test_a_damaged_conversion_is_repeated(create, engine_name, checkpoint_file, disparity_of, graphs, damage):
    expected = disparity_of(create(checkpoint_file))
    (entry,) = graphs.iterdir()
    graph, weights = entry / FILES[engine_name][0], entry / WEIGHTS[engine_name]
    kept = weights.read_bytes()
    if damage == "cut off":
        weights.write_bytes(kept[: len(kept) // 2])
    elif damage == "garbage":
        graph.write_text("<net")
    elif damage == "other weights":
        middle = len(kept) // 8 * 4
        weights.write_bytes(kept[:middle] + np.ones(2500, np.float32).tobytes() + kept[middle + 10000 :])
    else:
        graph.unlink()
    assert np.array_equal(disparity_of(create(checkpoint_file)), expected)
    assert weights.read_bytes() == kept


def test_other_weights_get_their_own_conversion(create, checkpoint_file, graphs, tmp_path):
    create(checkpoint_file)
    checkpoint = load_checkpoint(checkpoint_file)
    with torch.no_grad():
        checkpoint.depth.decoder.decoder[8].conv3.bias += 1.0
    save_checkpoint(tmp_path / "other.safetensors", checkpoint.header, checkpoint.depth, checkpoint.pose)
    create(tmp_path / "other.safetensors")
    assert len(list(graphs.iterdir())) == 2


@pytest.mark.parametrize("in_the_way", ["file", "another folder"])
def test_what_lies_in_the_place_of_a_conversion_is_replaced(create, engine_name, checkpoint_file, graphs, in_the_way):
    create(checkpoint_file)
    (entry,) = graphs.iterdir()
    shutil.rmtree(entry)
    if in_the_way == "file":
        entry.write_text("x")
    else:
        entry.mkdir()
        (entry / WEIGHTS[engine_name]).write_text("x")
    create(checkpoint_file)
    assert set(os.listdir(entry)) == {*FILES[engine_name], "files.json"}


def test_engines_work_without_a_writable_cache(engine_name, checkpoint_file, disparity_of, monkeypatch, tmp_path):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    warnings = []
    config = EngineConfig(device="cpu", precision="fp32", engine=engine_name)
    engine = create_engine(checkpoint_file, config, warn=warnings.append)
    assert np.isfinite(disparity_of(engine)).all()
    (line,) = warnings
    assert "converted networks cannot be kept in" in line and "(Not a directory)" in line and "takes seconds" in line


def test_without_any_place_for_converted_networks_one_line_says_so(create, checkpoint_file, monkeypatch, tmp_path):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "file"))
    with pytest.raises(EngineError, match="neither to .* nor to a temporary folder .*use engine pytorch"):
        create(checkpoint_file)


def test_the_cache_keeps_the_newest_entries_and_drops_abandoned_ones(create, checkpoint_file, graphs):
    for age in range(10):
        for name in (f"old{age}", f".partial-{age}"):
            (graphs / name).mkdir(parents=True)
            stamp = time.time() - 1000 * (age + 1)
            os.utime(graphs / name, (stamp, stamp))
    create(checkpoint_file)
    names = {path.name for path in graphs.iterdir()}
    assert {name for name in names if name.startswith(".partial")} == {".partial-0", ".partial-1", ".partial-2"}
    assert len(names) == 3 + 8 and {f"old{age}" for age in range(7)} < names, names


def test_a_disagreeing_engine_is_refused_and_auto_falls_back_with_a_warning(create, engine_name, checkpoint_file):
    checkpoint = load_checkpoint(checkpoint_file)
    with torch.no_grad():
        checkpoint.depth.decoder.decoder[8].conv3.bias[0] = float("nan")
    with pytest.raises(EngineError, match=rf"{engine_name} \(fp32\) does not agree with PyTorch .* use engine pytorch"):
        create(checkpoint)
    warnings = []
    engine = create_engine(checkpoint, EngineConfig(device="cpu"), warn=warnings.append)
    assert engine.name == "pytorch"
    assert sum(f"engine {engine_name} (fp32) does not agree" in line for line in warnings) == 1, warnings
    assert not any("\n" in line for line in warnings)


@pytest.mark.parametrize(
    ("network", "change", "expected"),
    [
        ("depth", 0.01, "its disparity is off by"),
        ("pose", 0.5, "its motion is off by"),
    ],
)
def test_the_parity_check_detects_a_small_difference(checkpoint_file, network, change, expected):
    checkpoint, other = load_checkpoint(checkpoint_file), load_checkpoint(checkpoint_file)
    bias = other.depth.decoder.decoder[8].conv3.bias if network == "depth" else other.pose.pose_conv.bias
    with torch.no_grad():
        bias += change
    check_parity(PytorchEngine(checkpoint, "cpu"), checkpoint)
    with pytest.raises(EngineError, match=expected):
        check_parity(PytorchEngine(other, "cpu"), checkpoint)
