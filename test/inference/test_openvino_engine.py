# SPDX-License-Identifier: Apache-2.0
"""OpenVINO: its selection, its precisions, and no telemetry."""

import subprocess
import sys

import numpy as np
import pytest

from monodepth_ros.inference.config import EngineConfig
from monodepth_ros.inference.create_engine import create_engine
from monodepth_ros.inference.engine import EngineError
from monodepth_ros.inference.openvino import shared_core

openvino = pytest.importorskip("openvino", reason="no openvino")


pytestmark = pytest.mark.usefixtures("graphs")


def test_auto_selects_it_on_a_cpu(checkpoint_file):
    warnings = []
    engine = create_engine(checkpoint_file, EngineConfig(device="cpu", precision="fp32"), warn=warnings.append)
    assert (engine.name, engine.device, engine.precision, warnings) == ("openvino", "cpu", "fp32", [])


def test_reduced_precision_is_checked(checkpoint_file, disparity_of):
    if "BF16" not in shared_core().get_property("CPU", "OPTIMIZATION_CAPABILITIES"):
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


ENGINES_IN_TURN = """
import ctypes, gc, sys
from monodepth_ros.inference.config import EngineConfig
from monodepth_ros.inference.create_engine import create_engine

class Stack(ctypes.Structure):
    _fields_ = [("address", ctypes.c_void_p), ("flags", ctypes.c_int), ("size", ctypes.c_size_t)]

def signal_stack():
    found = Stack()
    ctypes.CDLL(None).sigaltstack(None, ctypes.byref(found))
    return found

def is_mapped(address):
    ranges = (line.split()[0].split("-") for line in open("/proc/self/maps"))
    return any(int(first, 16) <= address < int(last, 16) for first, last in ranges)

config = EngineConfig(device="cpu", precision="fp32", engine="openvino")
engines = [create_engine(sys.argv[1], config) for _ in range(2)]
while engines:
    engines.pop(0).release()
    gc.collect()
stack = signal_stack()
disabled = 2
print("sound" if stack.flags & disabled or is_mapped(stack.address) else "gone")
"""


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads /proc/self/maps")
def test_signals_still_have_their_stack_after_engines_are_released_in_turn(checkpoint_file):
    command = [sys.executable, "-c", ENGINES_IN_TURN, str(checkpoint_file)]
    result = subprocess.run(command, capture_output=True, text=True)
    assert (result.returncode, result.stdout) == (0, "sound\n"), result.stdout + result.stderr[-2000:]
