# SPDX-License-Identifier: Apache-2.0
"""ONNX Runtime: its selection, its precisions, and no telemetry."""

import os
import subprocess
import sys

import pytest
import torch

import monodepth_ros.inference.onnxruntime as runtime_module
from monodepth_ros.inference.config import EngineConfig
from monodepth_ros.inference.create_engine import create_engine
from monodepth_ros.inference.engine import EngineError

pytestmark = pytest.mark.usefixtures("graphs")


@pytest.fixture
def onnxruntime():
    pytest.importorskip("onnx", reason="no onnx")
    return pytest.importorskip("onnxruntime", reason="no onnxruntime")


def in_another_process(program: str, **environment: str) -> list[str]:
    inherited = {name: value for name, value in os.environ.items() if name not in ("CI", "ORT_DISABLE_TELEMETRY")}
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, env={**inherited, **environment}
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.split()


def test_auto_selects_it_without_openvino(onnxruntime, checkpoint_file):
    program = (
        "import sys\n"
        "sys.modules['openvino'] = None\n"
        "from monodepth_ros.inference.config import EngineConfig\n"
        "from monodepth_ros.inference.create_engine import create_engine\n"
        f"checkpoint = {str(checkpoint_file)!r}\n"
        "engine = create_engine(checkpoint, EngineConfig(device='cpu'), warn=lambda line: print('warned', line))\n"
        "print(engine.name, engine.device, engine.precision)"
    )
    assert in_another_process(program) == ["onnxruntime", "cpu", "fp32"]


def test_no_telemetry_is_sent(onnxruntime, checkpoint_file, tmp_path):
    """Builds since 1.29 send telemetry by default; they store an identifier and events in the cache folder first."""
    home, cache = tmp_path / "home", tmp_path / "own_cache"
    home.mkdir()
    program = (
        "from monodepth_ros.inference.config import EngineConfig\n"
        "from monodepth_ros.inference.create_engine import create_engine; import ctypes;"
        f"engine = create_engine({str(checkpoint_file)!r}, EngineConfig(device='cpu', engine='onnxruntime'));"
        "getenv = ctypes.CDLL(None).getenv; getenv.restype = ctypes.c_char_p;"
        "print(engine.name, getenv(b'ORT_DISABLE_TELEMETRY').decode())"
    )
    found = in_another_process(program, HOME=str(home), XDG_CACHE_HOME=str(cache))
    assert found == ["onnxruntime", "1"]
    assert [path.name for path in (*home.iterdir(), *cache.iterdir())] == ["monodepth_ros"]


@pytest.mark.parametrize("package", ["onnxruntime", "onnx"])
def test_the_error_names_a_missing_package(package, checkpoint_file):
    if package == "onnx":
        pytest.importorskip("onnxruntime", reason="no onnxruntime")
    program = (
        f"import sys; sys.modules[{package!r}] = None\n"
        "from monodepth_ros.inference.config import EngineConfig\n"
        "from monodepth_ros.inference.create_engine import create_engine\n"
        "from monodepth_ros.inference.engine import EngineError\n"
        "try:\n"
        f"    create_engine({str(checkpoint_file)!r}, EngineConfig(device='cpu', engine='onnxruntime'))\n"
        "except EngineError as error:\n"
        "    print(error)\n"
    )
    error = " ".join(in_another_process(program))
    assert error.startswith(f"no {package} here") and "use engine pytorch" in error, error


@pytest.mark.parametrize(
    ("device", "precision", "expected"),
    [
        ("cpu", "fp16", "fp16 needs a CUDA device"),
        ("cpu", "int8", "unknown precision 'int8'"),
        ("cpu", "bf16", "does not compute in bf16: choose precision auto or fp32"),
        ("gpu", "auto", "unknown device"),
    ],
)
def test_unsupported_settings_are_refused(onnxruntime, checkpoint_file, device, precision, expected):
    with pytest.raises(EngineError, match=expected):
        create_engine(checkpoint_file, EngineConfig(device=device, precision=precision, engine="onnxruntime"))


@pytest.mark.parametrize(
    ("precision", "expected"),
    [("auto", ["CUDAExecutionProvider"]), ("fp16", ["TensorrtExecutionProvider", "CUDAExecutionProvider"])],
)
def test_the_precision_selects_the_execution_providers(onnxruntime, monkeypatch, tmp_path, precision, expected):
    """Checks the requested providers, which needs no GPU."""
    monkeypatch.setattr(runtime_module, "find_device", lambda name: torch.device("cuda", 1))
    monkeypatch.setattr(onnxruntime, "get_available_providers", lambda: [*expected, "CPUExecutionProvider"])
    runtime = runtime_module.OnnxRuntime("cuda:1", precision)
    providers = runtime.providers(tmp_path)
    assert [name for name, _ in providers] == expected
    assert {options["device_id"] for _, options in providers} == {"1"}
    assert (runtime.device, runtime.precision) == ("cuda:1", precision.replace("auto", "fp32"))


def test_a_build_without_cuda_is_refused_for_cuda(onnxruntime, monkeypatch):
    monkeypatch.setattr(runtime_module, "find_device", lambda name: torch.device("cuda", 0))
    monkeypatch.setattr(onnxruntime, "get_available_providers", lambda: ["CPUExecutionProvider"])
    with pytest.raises(EngineError, match="no CUDA, device is 'cuda': pip install onnxruntime-gpu"):
        runtime_module.OnnxRuntime("cuda")
    assert runtime_module.OnnxRuntime("auto").device == "cpu"
