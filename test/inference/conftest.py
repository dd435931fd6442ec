# SPDX-License-Identifier: Apache-2.0
"""Small checkpoints with weights from a formula."""

import os
import sys
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest
import torch

from monodepth_ros.networks.checkpoints.checkpoint import save_checkpoint
from monodepth_ros.networks.checkpoints.header import CheckpointHeader
from monodepth_ros.networks.formula_weights import fill_networks_with_formula, formula_image
from monodepth_ros.networks.registry import build_depth, build_pose

# Makes host_queue.py importable for the tests of this folder.
sys.path.insert(0, str(Path(__file__).parent))
# Tests import onnxruntime directly too, which would send telemetry.
os.environ["ORT_DISABLE_TELEMETRY"] = "1"


@pytest.fixture
def make_checkpoint(tmp_path):
    """Writes a checkpoint of 96x64 pixels and returns its path."""

    def make(depth="rt_monodepth_s", pose="posecnn", **facts):
        header = CheckpointHeader(depth, 64, 96, (0.58, 1.92, 0.5, 0.5), pose, **facts)
        networks = build_depth(depth).eval(), build_pose(pose).eval() if pose else None
        fill_networks_with_formula(*networks)
        path = tmp_path / f"{depth}-{pose}.safetensors"
        save_checkpoint(path, header, *networks)
        return path

    return make


@pytest.fixture
def checkpoint_file(make_checkpoint):
    return make_checkpoint()


@pytest.fixture
def graphs(monkeypatch, tmp_path):
    """The empty cache folder of converted networks."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path / "cache" / "monodepth_ros" / "graphs"


@pytest.fixture
def bf16_cpu(monkeypatch):
    """A CPU that reports bf16 arithmetic: PyTorch, and OpenVINO on AVX-512, then compute in bf16 on any CPU."""
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: {"avx512_bf16": True}, raising=False)
    with suppress(ImportError):
        import openvino

        monkeypatch.setattr(openvino.Core, "get_property", lambda self, *names: ["FP32", "BF16"])


@pytest.fixture
def disparity_of():
    """The disparity that an engine finds in a fixed image."""
    rgb = np.ascontiguousarray((255 * formula_image(0.2, 64, 96)).transpose(1, 2, 0)).astype(np.uint8)
    return lambda engine: engine.disparity(engine.load_image(rgb))
