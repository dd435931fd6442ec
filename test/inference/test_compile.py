# SPDX-License-Identifier: Apache-2.0
"""The PyTorch engine compiled with torch.compile."""

import os
import shutil
import subprocess
import sys

import numpy as np
import pytest

from monodepth_ros.inference.config import EngineConfig
from monodepth_ros.inference.create_engine import create_engine
from monodepth_ros.inference.engine import EngineError
from monodepth_ros.networks.checkpoints.checkpoint import load_checkpoint, save_checkpoint
from monodepth_ros.networks.checkpoints.header import CheckpointHeader
from monodepth_ros.networks.formula_weights import fill_networks_with_formula
from monodepth_ros.networks.registry import build_depth

has_compiler = shutil.which(os.environ.get("CXX", "g++")) is not None


@pytest.fixture
def small_checkpoint(tmp_path):
    """A checkpoint of 64x32 pixels without a pose network, which compiles quickly."""
    depth = build_depth("rt_monodepth_s").eval()
    fill_networks_with_formula(depth)
    save_checkpoint(
        tmp_path / "small.safetensors", CheckpointHeader("rt_monodepth_s", 32, 64, (0.58, 1.92, 0.5, 0.5)), depth
    )
    return tmp_path / "small.safetensors"


@pytest.mark.skipif(not has_compiler, reason="no C++ compiler")
def test_compiled_networks_agree_with_eager_ones(small_checkpoint, monkeypatch, tmp_path):
    monkeypatch.setenv("TORCHINDUCTOR_CACHE_DIR", str(tmp_path / "compiled"))
    warnings = []
    checkpoint = load_checkpoint(small_checkpoint)
    compiled = create_engine(
        checkpoint, EngineConfig(device="cpu", precision="fp32", compile=True), warn=warnings.append
    )
    assert (compiled.name, compiled.precision, warnings) == ("pytorch", "fp32", [])
    assert list((tmp_path / "compiled").iterdir()), "nothing was compiled"
    plain = create_engine(checkpoint, EngineConfig(device="cpu", precision="fp32", engine="pytorch"))
    rgb = np.random.default_rng(0).integers(0, 256, (32, 64, 3), np.uint8)
    found, expected = (engine.disparity(engine.load_image(rgb)) for engine in (compiled, plain))
    assert np.ptp(expected) > 0.01
    np.testing.assert_allclose(found, expected, atol=1e-5)


def test_a_failed_compilation_is_an_error_on_one_line(small_checkpoint, tmp_path):
    program = (
        "from monodepth_ros.inference.config import EngineConfig\n"
        "from monodepth_ros.inference.create_engine import create_engine\n"
        "from monodepth_ros.inference.engine import EngineError\n"
        "try:\n"
        f"    create_engine({str(small_checkpoint)!r}, EngineConfig(device='cpu', precision='fp32', compile=True))\n"
        "except EngineError as error:\n"
        "    print(error)\n"
    )
    environment = {
        **os.environ,
        "CXX": str(tmp_path / "no-compiler"),
        "TORCHINDUCTOR_CACHE_DIR": str(tmp_path / "compiled"),
    }
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, env=environment)
    assert done.returncode == 0, done.stderr
    (line,) = done.stdout.splitlines()
    assert line.startswith("torch.compile failed (") and line.endswith("or set compile to false"), line


@pytest.mark.parametrize("engine", ["openvino", "onnxruntime"])
def test_other_engines_refuse_compile(small_checkpoint, engine):
    with pytest.raises(EngineError, match=f"engine {engine} cannot compile: use engine pytorch"):
        create_engine(small_checkpoint, EngineConfig(device="cpu", engine=engine, compile=True))
