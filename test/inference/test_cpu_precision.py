# SPDX-License-Identifier: Apache-2.0
"""Precision auto on a CPU: bf16 if the CPU supports it and the engine agrees with fp32, else fp32."""

import dataclasses

import numpy as np
import pytest
import torch

from monodepth_ros.inference.config import EngineConfig
from monodepth_ros.inference.create_engine import create_engine
from monodepth_ros.networks.checkpoints.bundled_checkpoint import bundled_checkpoint
from monodepth_ros.networks.checkpoints.checkpoint import load_checkpoint

pytestmark = pytest.mark.usefixtures("graphs")
NEEDS = {"pytorch": (), "openvino": ("openvino",), "onnxruntime": ("onnxruntime", "onnx")}


@pytest.fixture(scope="module")
def trained():
    return load_checkpoint(bundled_checkpoint())


@pytest.fixture
def coarse():
    """A checkpoint whose depth is wrong in bf16: its last layer takes differences of numbers around 64."""
    checkpoint = load_checkpoint(bundled_checkpoint())
    before, head = checkpoint.depth.decoder.decoder[7], checkpoint.depth.heads[0]
    with torch.no_grad():
        before.conv.bias += 64
        head.conv3.bias -= 64 * head.conv3.weight.sum()
    return dataclasses.replace(checkpoint, sha256="0" * 64)


@pytest.fixture(params=["pytorch", "openvino"])
def engine_name(request):
    for package in NEEDS[request.param]:
        pytest.importorskip(package, reason=f"no {package}")
    return request.param


def disparity(engine):
    header = engine.header
    rgb = np.random.default_rng(0).integers(0, 256, (header.height, header.width, 3), np.uint8)
    return engine.disparity(engine.load_image(rgb))


def test_a_cpu_without_bf16_computes_in_fp32(trained, engine_name, monkeypatch):
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: {"avx512_bf16": False}, raising=False)
    warnings = []
    assert (
        create_engine(trained, EngineConfig(device="cpu", engine=engine_name), warn=warnings.append).precision == "fp32"
    )
    assert warnings == []


def test_a_cpu_with_bf16_computes_in_bf16(trained, engine_name, bf16_cpu):
    warnings = []
    engine = create_engine(trained, EngineConfig(device="cpu", engine=engine_name), warn=warnings.append)
    assert (engine.name, engine.precision, warnings) == (engine_name, "bf16", [])
    exact = create_engine(trained, EngineConfig(device="cpu", precision="fp32", engine=engine_name))
    assert exact.precision == "fp32"
    if engine_name == "pytorch" or torch.backends.cpu.get_cpu_capability() == "AVX512":
        assert np.abs(disparity(engine) - disparity(exact)).max() > 1e-4, "this was not bf16"


def test_bf16_that_disagrees_becomes_fp32_of_the_same_engine_with_one_warning(coarse, engine_name, bf16_cpu):
    warnings = []
    engine = create_engine(coarse, EngineConfig(device="cpu", engine=engine_name), warn=warnings.append)
    assert (engine.name, engine.precision) == (engine_name, "fp32")
    (line,) = warnings
    assert line.startswith(f"engine {engine_name} (bf16) does not agree with PyTorch") and "\n" not in line
    assert "its depth is off by" in line and line.endswith("precision auto takes fp32"), line


def test_a_refused_precision_keeps_the_cached_conversion(coarse, bf16_cpu, graphs):
    pytest.importorskip("openvino", reason="no openvino")
    create_engine(coarse, EngineConfig(device="cpu", engine="openvino"))
    (entry,) = graphs.iterdir()
    written = {path.name: path.stat().st_mtime_ns for path in entry.iterdir()}
    create_engine(coarse, EngineConfig(device="cpu", engine="openvino"))
    assert {path.name: path.stat().st_mtime_ns for path in entry.iterdir()} == written


def test_onnxruntime_stays_in_fp32(trained, bf16_cpu):
    for package in NEEDS["onnxruntime"]:
        pytest.importorskip(package, reason=f"no {package}")
    assert create_engine(trained, EngineConfig(device="cpu", engine="onnxruntime")).precision == "fp32"


def test_an_explicit_precision_is_used_on_any_cpu(coarse, bf16_cpu):
    for precision in ("fp32", "bf16"):
        assert (
            create_engine(coarse, EngineConfig(device="cpu", precision=precision, engine="pytorch")).precision
            == precision
        )
