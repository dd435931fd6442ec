# SPDX-License-Identifier: Apache-2.0
"""What is OpenVINO's own: the choice of it, its precisions, its silence."""

import subprocess
import sys

import numpy as np
import pytest

from monodepth_ros.inference.create_engine import create_engine
from monodepth_ros.inference.engine import EngineError

openvino = pytest.importorskip("openvino", reason="no openvino")


pytestmark = pytest.mark.usefixtures("graphs")


def test_auto_takes_it_on_a_cpu(checkpoint_file):
    warnings = []
    engine = create_engine(checkpoint_file, "cpu", "fp32", warn=warnings.append)
    assert (engine.name, engine.device, engine.precision, warnings) == ("openvino", "cpu", "fp32", [])


def test_reduced_precision_is_run_and_checked(checkpoint_file, disparity_of):
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
        (
            ("cpu", "auto", "tensorrt"),
            "unknown engine 'tensorrt': expected one of auto, pytorch, openvino, onnxruntime",
        ),
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
        "import sys; from monodepth_ros.inference.create_engine import create_engine;"
        f"engine = create_engine({str(checkpoint_file)!r}, 'cpu');"
        "print(engine.name, sys.modules.get('openvino_telemetry'))"
    )
    found = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert found.stdout.split() == ["openvino", "None"], found


def test_without_any_runtime_auto_takes_pytorch_silently(checkpoint_file):
    program = (
        "import sys; sys.modules.update(openvino=None, onnxruntime=None); from monodepth_ros.inference.create_engine import create_engine;"
        f"engine = create_engine({str(checkpoint_file)!r}, 'cpu', warn=lambda line: print('warned', line));"
        "print(engine.name)"
    )
    found = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert found.stdout.split() == ["pytorch"], found
