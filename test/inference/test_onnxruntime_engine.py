# SPDX-License-Identifier: Apache-2.0
"""What is ONNX Runtime's own: the choice of it, its precisions, its silence."""

import os
import subprocess
import sys

import pytest
import torch

import monodepth_ros.inference.onnxruntime as runtime_module
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


def test_auto_takes_it_where_openvino_is_missing(onnxruntime, checkpoint_file):
    program = (
        "import sys; sys.modules['openvino'] = None; from monodepth_ros.inference.create_engine import create_engine;"
        f"engine = create_engine({str(checkpoint_file)!r}, 'cpu', warn=lambda line: print('warned', line));"
        "print(engine.name, engine.device, engine.precision)"
    )
    assert in_another_process(program) == ["onnxruntime", "cpu", "fp32"]


def test_nothing_is_reported_to_anyone(onnxruntime, checkpoint_file, tmp_path):
    """Builds since 1.29 send events unless told not to; an identifier and the events lie in the cache folder first."""
    home, cache = tmp_path / "home", tmp_path / "own_cache"
    home.mkdir()
    program = (
        "from monodepth_ros.inference.create_engine import create_engine; import ctypes;"
        f"engine = create_engine({str(checkpoint_file)!r}, 'cpu', engine='onnxruntime');"
        "getenv = ctypes.CDLL(None).getenv; getenv.restype = ctypes.c_char_p;"
        "print(engine.name, getenv(b'ORT_DISABLE_TELEMETRY').decode())"
    )
    found = in_another_process(program, HOME=str(home), XDG_CACHE_HOME=str(cache))
    assert found == ["onnxruntime", "1"]
    assert [path.name for path in (*home.iterdir(), *cache.iterdir())] == ["monodepth_ros"]


@pytest.mark.parametrize("package", ["onnxruntime", "onnx"])
def test_a_missing_package_is_named(package, checkpoint_file):
    if package == "onnx":
        pytest.importorskip("onnxruntime", reason="no onnxruntime")
    program = (
        f"import sys; sys.modules[{package!r}] = None\n"
        "from monodepth_ros.inference.create_engine import create_engine\n"
        "from monodepth_ros.inference.engine import EngineError\n"
        "try:\n"
        f"    create_engine({str(checkpoint_file)!r}, 'cpu', engine='onnxruntime')\n"
        "except EngineError as error:\n"
        "    print(error)\n"
    )
    said = " ".join(in_another_process(program))
    assert said.startswith(f"no {package} here") and "use engine pytorch" in said, said


@pytest.mark.parametrize(
    ("device", "precision", "expected"),
    [
        ("cpu", "fp16", "fp16 needs a CUDA device"),
        ("cpu", "int8", "unknown precision 'int8'"),
        ("cpu", "bf16", "does not compute in bf16: choose precision auto or fp32"),
        ("gpu", "auto", "unknown device"),
    ],
)
def test_what_is_not_there_is_refused(onnxruntime, checkpoint_file, device, precision, expected):
    with pytest.raises(EngineError, match=expected):
        create_engine(checkpoint_file, device, precision, "onnxruntime")


@pytest.mark.parametrize(
    ("precision", "expected"),
    [("auto", ["CUDAExecutionProvider"]), ("fp16", ["TensorrtExecutionProvider", "CUDAExecutionProvider"])],
)
def test_the_precision_decides_what_runs_on_a_gpu(onnxruntime, monkeypatch, tmp_path, precision, expected):
    """Without a GPU: only what ONNX Runtime would be asked for."""
    monkeypatch.setattr(runtime_module, "find_device", lambda name: torch.device("cuda", 1))
    monkeypatch.setattr(onnxruntime, "get_available_providers", lambda: [*expected, "CPUExecutionProvider"])
    runtime = runtime_module.OnnxRuntime("cuda:1", precision)
    providers = runtime._providers(tmp_path)
    assert [name for name, _ in providers] == expected
    assert {options["device_id"] for _, options in providers} == {"1"}
    assert (runtime.device, runtime.precision) == ("cuda:1", precision.replace("auto", "fp32"))


def test_a_build_without_cuda_says_so(onnxruntime, monkeypatch):
    monkeypatch.setattr(runtime_module, "find_device", lambda name: torch.device("cuda", 0))
    monkeypatch.setattr(onnxruntime, "get_available_providers", lambda: ["CPUExecutionProvider"])
    with pytest.raises(EngineError, match="no CUDA, device is 'cuda': pip install onnxruntime-gpu"):
        runtime_module.OnnxRuntime("cuda")
    assert runtime_module.OnnxRuntime("auto").device == "cpu"
