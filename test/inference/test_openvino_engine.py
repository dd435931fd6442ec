# SPDX-License-Identifier: Apache-2.0
"""OpenVINO: its selection, its precisions, and no telemetry."""

import subprocess
import sys

import numpy as np
import pytest

from monodepth_ros.inference.config import EngineConfig
from monodepth_ros.inference.create_engine import create_engine
from monodepth_ros.inference.engine import EngineError

openvino = pytest.importorskip("openvino", reason="no openvino")


pytestmark = pytest.mark.usefixtures("graphs")


def test_auto_selects_it_on_a_cpu(checkpoint_file):
    warnings = []
    engine = create_engine(checkpoint_file, EngineConfig(device="cpu", precision="fp32"), warn=warnings.append)
    assert (engine.name, engine.device, engine.precision, warnings) == ("openvino", "cpu", "fp32", [])


def test_reduced_precision_is_checked(checkpoint_file, disparity_of):
    if "BF16" not in openvino.Core().get_property("CPU", "OPTIMIZATION_CAPABILITIES"):
        with pytest.raises(EngineError, match="no bf16 arithmetic: choose precision auto or fp32"):
            create_engine(checkpoint_file, EngineConfig(device="cpu", precision="bf16", engine="openvino"))
        pytest.skip("no bf16 arithmetic in this CPU")
    exact = disparity_of(
        create_engine(checkpoint_file, EngineConfig(device="cpu", precision="fp32", engine="openvino"))
    )
    try:
        engine = create_engine(checkpoint_file, EngineConfig(device="cpu", precision="bf16", engine="openvino"))
    except EngineError as error:  # untrained weights may exceed the tolerance
        assert "does not agree" in str(error)
    else:
        difference = np.abs(disparity_of(engine) - exact).max()
        assert engine.precision == "bf16" and 0 < difference < 0.1, difference


@pytest.mark.parametrize(
    ("device", "precision", "engine", "expected"),
    [
        (
            "cpu",
            "auto",
            "tensorrt",
            "unknown engine 'tensorrt': expected one of auto, pytorch, openvino, onnxruntime",
        ),
        ("cpu", "fp16", "openvino", "fp16 needs a CUDA device"),
        ("cpu", "int8", "openvino", "unknown precision 'int8'"),
        ("cpu", "int8", "auto", "unknown precision 'int8'"),
        ("gpu", "auto", "openvino", "unknown device"),
    ],
)
def test_unsupported_settings_are_refused(checkpoint_file, device, precision, engine, expected):
    with pytest.raises(EngineError, match=expected):
        create_engine(checkpoint_file, EngineConfig(device=device, precision=precision, engine=engine))


def test_no_telemetry_is_sent(checkpoint_file):
    """OpenVINO's telemetry package would report every import of OpenVINO."""
    program = (
        "import sys\n"
        "from monodepth_ros.inference.config import EngineConfig\n"
        "from monodepth_ros.inference.create_engine import create_engine\n"
        f"engine = create_engine({str(checkpoint_file)!r}, EngineConfig(device='cpu'))\n"
        "print(engine.name, sys.modules.get('openvino_telemetry'))"
    )
    found = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert found.stdout.split() == ["openvino", "None"], found


def test_auto_selects_pytorch_without_a_warning_if_no_runtime_is_installed(checkpoint_file):
    program = (
        "import sys\n"
        "sys.modules.update(openvino=None, onnxruntime=None)\n"
        "from monodepth_ros.inference.config import EngineConfig\n"
        "from monodepth_ros.inference.create_engine import create_engine\n"
        f"checkpoint = {str(checkpoint_file)!r}\n"
        "engine = create_engine(checkpoint, EngineConfig(device='cpu'), warn=lambda line: print('warned', line))\n"
        "print(engine.name)"
    )
    found = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert found.stdout.split() == ["pytorch"], found
