"""What is OpenVINO's own: the choice of it, its refusal, the cache of converted networks."""

import os
import subprocess
import sys
import time

import numpy as np
import pytest
import torch

from monodepth_ros.inference.choice import create_engine
from monodepth_ros.inference.engine import EngineError
from monodepth_ros.inference.parity import check_parity
from monodepth_ros.inference.pytorch import PytorchEngine
from monodepth_ros.networks.checkpoint import load_checkpoint, save_checkpoint
from monodepth_ros.networks.checkpoint_header import CheckpointHeader
from monodepth_ros.networks.formula_weights import fill_networks_with_formula, formula_image
from monodepth_ros.networks.registry import build_depth, build_pose

openvino = pytest.importorskip("openvino", reason="no openvino")


@pytest.fixture(autouse=True)
def graphs(monkeypatch, tmp_path):
    """The folder of converted networks, empty."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path / "cache" / "monodepth_ros" / "graphs"


@pytest.fixture
def checkpoint_file(tmp_path):
    header = CheckpointHeader(
        depth_network="rt_monodepth_s",
        pose_network="posecnn",
        height=64,
        width=96,
        training_camera=(0.58, 1.92, 0.5, 0.5),
    )
    depth, pose = build_depth("rt_monodepth_s").eval(), build_pose("posecnn").eval()
    fill_networks_with_formula(depth, pose)
    path = tmp_path / "formula.safetensors"
    save_checkpoint(path, header, depth, pose)
    return path


def disparity_of(engine):
    rgb = np.ascontiguousarray((255 * formula_image(0.2, 64, 96)).transpose(1, 2, 0)).astype(np.uint8)
    return engine.disparity(engine.load_image(rgb))


def test_auto_takes_it_on_a_cpu(checkpoint_file):
    warnings = []
    engine = create_engine(checkpoint_file, "cpu", warn=warnings.append)
    assert (engine.name, engine.device, engine.precision, warnings) == ("openvino", "cpu", "fp32", [])


def test_networks_are_converted_once(checkpoint_file, graphs):
    first = disparity_of(create_engine(checkpoint_file, "cpu", engine="openvino"))
    (entry,) = graphs.iterdir()
    written = {path.name: path.stat().st_mtime_ns for path in entry.iterdir()}
    assert set(written) == {"depth.xml", "depth.bin", "pose.xml", "pose.bin"}
    again = disparity_of(create_engine(checkpoint_file, "cpu", engine="openvino"))
    assert np.array_equal(first, again)
    assert {path.name: path.stat().st_mtime_ns for path in entry.iterdir()} == written


@pytest.mark.parametrize("damage", ["cut off", "garbage", "other weights", "missing"])
def test_a_damaged_conversion_is_made_again(checkpoint_file, graphs, damage):
    expected = disparity_of(create_engine(checkpoint_file, "cpu", engine="openvino"))
    (entry,) = graphs.iterdir()
    weights = (entry / "depth.bin").read_bytes()
    if damage == "cut off":
        (entry / "depth.bin").write_bytes(weights[: len(weights) // 2])
    elif damage == "garbage":
        (entry / "depth.xml").write_text("<net")
    elif damage == "other weights":
        (entry / "depth.bin").write_bytes((1.1 * np.frombuffer(weights, np.float32)).tobytes())
    else:
        (entry / "depth.xml").unlink()
    engine = create_engine(checkpoint_file, "cpu", engine="openvino")
    assert np.array_equal(disparity_of(engine), expected)
    assert (entry / "depth.bin").read_bytes() == weights


def test_other_weights_are_another_conversion(checkpoint_file, graphs, tmp_path):
    create_engine(checkpoint_file, "cpu", engine="openvino")
    checkpoint = load_checkpoint(checkpoint_file)
    with torch.no_grad():
        checkpoint.depth.decoder.decoder[8].conv3.bias += 1.0
    save_checkpoint(tmp_path / "other.safetensors", checkpoint.header, checkpoint.depth, checkpoint.pose)
    create_engine(tmp_path / "other.safetensors", "cpu", engine="openvino")
    assert len(list(graphs.iterdir())) == 2


def test_the_cache_keeps_the_newest_and_nothing_that_was_interrupted(checkpoint_file, graphs):
    for age in range(10):
        for name in (f"old{age}", f".partial-{age}"):
            (graphs / name).mkdir(parents=True)
            stamp = time.time() - 1000 * (age + 1)
            os.utime(graphs / name, (stamp, stamp))
    create_engine(checkpoint_file, "cpu", engine="openvino")
    names = {path.name for path in graphs.iterdir()}
    assert {name for name in names if name.startswith(".partial")} == {".partial-0", ".partial-1", ".partial-2"}
    assert len(names) == 3 + 8 and {f"old{age}" for age in range(7)} < names, names


def test_a_cache_that_cannot_be_written_is_done_without(checkpoint_file, monkeypatch, tmp_path):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    assert np.isfinite(disparity_of(create_engine(checkpoint_file, "cpu", engine="openvino"))).all()


def test_disagreement_is_refused_and_auto_falls_back_with_a_line(checkpoint_file):
    checkpoint = load_checkpoint(checkpoint_file)
    with torch.no_grad():
        checkpoint.depth.decoder.decoder[8].conv3.bias[0] = float("nan")
    with pytest.raises(EngineError, match=r"openvino \(fp32\) does not agree with PyTorch .* use engine pytorch"):
        create_engine(checkpoint, "cpu", engine="openvino")
    warnings = []
    engine = create_engine(checkpoint, "cpu", warn=warnings.append)
    assert engine.name == "pytorch"
    assert len(warnings) == 1 and "does not agree" in warnings[0] and "\n" not in warnings[0]


@pytest.mark.parametrize(
    ("network", "change", "expected"),
    [
        ("depth", 0.01, "its disparity is off by"),
        ("pose", 0.5, "its motion is off by"),
    ],
)
def test_parity_sees_a_small_difference(checkpoint_file, network, change, expected):
    checkpoint, other = load_checkpoint(checkpoint_file), load_checkpoint(checkpoint_file)
    bias = other.depth.decoder.decoder[8].conv3.bias if network == "depth" else other.pose.pose_conv.bias
    with torch.no_grad():
        bias += change
    check_parity(PytorchEngine(checkpoint, "cpu"), checkpoint)
    with pytest.raises(EngineError, match=expected):
        check_parity(PytorchEngine(other, "cpu"), checkpoint)


def test_reduced_precision_is_run_and_checked(checkpoint_file):
    if "BF16" not in openvino.Core().get_property("CPU", "OPTIMIZATION_CAPABILITIES"):
        with pytest.raises(EngineError, match="no bf16 arithmetic: choose precision auto or fp32"):
            create_engine(checkpoint_file, "cpu", "bf16", "openvino")
        pytest.skip("no bf16 arithmetic in this CPU")
    exact = disparity_of(create_engine(checkpoint_file, "cpu", "fp32", "openvino"))
    try:
        engine = create_engine(checkpoint_file, "cpu", "bf16", "openvino")
    except EngineError as error:  # untrained weights may lose more than the check allows
        assert "does not agree" in str(error)
    else:
        difference = np.abs(disparity_of(engine) - exact).max()
        assert engine.precision == "bf16" and 0 < difference < 0.1, difference


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (("cpu", "auto", "tensorrt"), "unknown engine 'tensorrt': expected one of auto, pytorch, openvino"),
        (("cpu", "fp16", "openvino"), "fp16 needs a CUDA device"),
        (("cpu", "int8", "openvino"), "unknown precision 'int8'"),
        (("cpu", "int8", "auto"), "unknown precision 'int8'"),
        (("gpu", "auto", "openvino"), "unknown device"),
    ],
)
def test_what_is_not_there_is_refused(checkpoint_file, arguments, expected):
    with pytest.raises(EngineError, match=expected):
        create_engine(checkpoint_file, *arguments)


def test_nothing_is_reported_to_anyone(checkpoint_file):
    """OpenVINO's telemetry package would report every import of OpenVINO."""
    program = (
        "import sys; from monodepth_ros.inference.choice import create_engine;"
        f"engine = create_engine({str(checkpoint_file)!r}, 'cpu');"
        "print(engine.name, sys.modules.get('openvino_telemetry'))"
    )
    found = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert found.stdout.split() == ["openvino", "None"], found


def test_without_openvino_auto_takes_pytorch_silently(checkpoint_file):
    program = (
        "import sys; sys.modules['openvino'] = None; from monodepth_ros.inference.choice import create_engine;"
        f"engine = create_engine({str(checkpoint_file)!r}, 'cpu', warn=lambda line: print('warned', line));"
        "print(engine.name)"
    )
    found = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert found.stdout.split() == ["pytorch"], found
