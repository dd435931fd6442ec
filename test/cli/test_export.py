# SPDX-License-Identifier: Apache-2.0
import contextlib
import fcntl
import os
import resource
import subprocess
import sys

import pytest

from monodepth_ros.cli.main import main
from monodepth_ros.networks.checkpoints.checkpoint import save_checkpoint
from monodepth_ros.networks.checkpoints.header import CheckpointHeader
from monodepth_ros.networks.formula_weights import fill_networks_with_formula
from monodepth_ros.networks.registry import build_depth, build_pose


@pytest.fixture
def checkpoint(tmp_path):
    header = CheckpointHeader("rt_monodepth_s", 64, 96, (0.5, 0.75, 0.5, 0.5), "posecnn")
    networks = build_depth("rt_monodepth_s").eval(), build_pose("posecnn").eval()
    fill_networks_with_formula(*networks)
    save_checkpoint(tmp_path / "garden.safetensors", header, *networks)
    return tmp_path / "garden.safetensors"


def test_the_files_are_named(checkpoint, tmp_path, capsys):
    out = tmp_path / "deep" / "out"
    assert main(["export", str(checkpoint), "--to", "torchscript", "--out", str(out)]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines[:2]] == [str(out / "depth.pt"), str(out / "pose.pt")]
    assert "compared with PyTorch" in lines[2]
    assert {path.name for path in out.iterdir()} == {"depth.pt", "pose.pt"}


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["--to", "tflite", "--out", "out"], "unknown format 'tflite': expected one of onnx, openvino, torchscript"),
        (["--to", "torchscript", "--out", "/proc/none"], "/proc/none: cannot be written"),
        (["--to", "torchscript", "--out", "garden.safetensors"], "garden.safetensors: cannot be written (File exists)"),
        (["--to", "torchscript", "--out", "out", "--batch", "-2"], "batch is -2: expected a positive number"),
    ],
)
def test_bad_input_is_one_line_and_exit_code_2(checkpoint, tmp_path, monkeypatch, capsys, arguments, expected):
    monkeypatch.chdir(tmp_path)
    assert main(["export", str(checkpoint), *arguments]) == 2
    captured = capsys.readouterr()
    assert captured.out == "" and captured.err.count("\n") == 1
    assert captured.err.startswith("monodepth export: ") and expected in captured.err
    assert not (tmp_path / "out").exists()


def test_a_bad_checkpoint_is_one_line(tmp_path, capsys):
    assert main(["export", str(tmp_path / "none.pth"), "--to", "torchscript", "--out", str(tmp_path)]) == 2
    assert capsys.readouterr().err.count("\n") == 1


@pytest.mark.parametrize(("to", "package"), [("onnx", "onnxruntime"), ("openvino", "openvino")])
def test_a_missing_runtime_is_one_line(checkpoint, tmp_path, monkeypatch, capsys, to, package):
    monkeypatch.setitem(sys.modules, package, None)  # the import fails as where it is not installed
    assert main(["export", str(checkpoint), "--to", to, "--out", str(tmp_path / "out")]) == 2
    error = capsys.readouterr().err
    assert error.count("\n") == 1 and f"no {package} here" in error and f"pip install {package}" in error
    assert "engine pytorch" not in error and "torchscript" in error, error
    assert not (tmp_path / "out").exists()


NEEDS = {"onnx": ("onnx", "onnxruntime"), "openvino": ("openvino",), "torchscript": ()}
FILES = {"onnx": ["depth.onnx"], "openvino": ["depth.bin", "depth.xml"], "torchscript": ["depth.pt"]}


@pytest.fixture(params=["onnx", "openvino", "torchscript"])
def to(request):
    for package in NEEDS[request.param]:
        pytest.importorskip(package, reason=f"no {package}")
    return request.param


@contextlib.contextmanager
def largest_file(size):
    """No file can grow beyond `size` bytes in the block, as on a disk that is full."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@pytest.fixture
def depth_checkpoint(tmp_path):
    header = CheckpointHeader("rt_monodepth_s", 64, 96, (0.5, 0.75, 0.5, 0.5))
    depth = build_depth("rt_monodepth_s").eval()
    fill_networks_with_formula(depth, None)
    save_checkpoint(tmp_path / "garden.safetensors", header, depth)
    return tmp_path / "garden.safetensors"


def test_an_export_replaces_its_own_files_only_and_a_full_disk_leaves_them(depth_checkpoint, tmp_path, capsys, to):
    out = tmp_path / "out"
    words = ["export", str(depth_checkpoint), "--to", to, "--out", str(out)]
    assert main(words) == 0 and main(words) == 0
    assert sorted(path.name for path in out.iterdir()) == FILES[to]
    before = {name: (out / name).read_bytes() for name in FILES[to]}
    capsys.readouterr()
    with largest_file(100_000):
        assert main(words) == 2
    error = capsys.readouterr().err
    assert error.count("\n") == 1 and f"{out}: cannot be written" in error
    assert {path.name: path.read_bytes() for path in out.iterdir()} == before
    (out / FILES[to][0]).write_text("mine")
    if to == "openvino":
        (out / "depth.xml").write_text("mine")
    assert main(words) == 2
    error = capsys.readouterr().err
    assert "depth." in error and "was not made by an export" in error and "--force" in error
    assert (out / FILES[to][0]).read_text() == "mine"
    assert main([*words, "--force"]) == 0
    assert "--force: " in capsys.readouterr().out
    assert {path.name: path.read_bytes() for path in out.iterdir()}.keys() == before.keys()


@pytest.mark.parametrize("make", ["symlink_to", "hardlink_to", "mkdir"])
def test_the_checkpoint_and_folders_are_never_replaced(depth_checkpoint, tmp_path, capsys, make):
    place = tmp_path / "out" / "depth.pt"
    place.parent.mkdir()
    getattr(place, make)(*([] if make == "mkdir" else [depth_checkpoint]))
    before = depth_checkpoint.read_bytes()
    words = ["export", str(depth_checkpoint), "--to", "torchscript", "--out", str(place.parent), "--force"]
    assert main(words) == 2
    error = capsys.readouterr().err
    assert error.count("\n") == 1 and ("depth.pt is the checkpoint" in error or "depth.pt is a folder" in error)
    assert depth_checkpoint.read_bytes() == before


def test_what_a_killed_export_left_is_removed_and_an_interrupted_one_leaves_nothing(
    depth_checkpoint, tmp_path, monkeypatch, capsys
):
    ended = subprocess.Popen(["true"])
    ended.wait()
    out = tmp_path / "out"
    words = ["export", str(depth_checkpoint), "--to", "torchscript", "--out", str(out)]

    def interrupt(*_):
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr("monodepth_ros.inference.export.check_parity", interrupt)
        assert main(words) == 130 and not out.exists()
    (out / f".export.{ended.pid}").mkdir(parents=True)
    (out / f".export.{ended.pid}" / "depth.pt").write_bytes(b"half")
    assert main(words) == 0
    assert [path.name for path in out.iterdir()] == ["depth.pt"]


def test_a_file_that_appears_during_an_export_is_kept(depth_checkpoint, tmp_path, monkeypatch, capsys):
    out = tmp_path / "out"
    monkeypatch.setattr(
        "monodepth_ros.inference.export.check_parity", lambda *_: (out / "depth.pt").write_text("somebody's")
    )
    assert main(["export", str(depth_checkpoint), "--to", "torchscript", "--out", str(out)]) == 2
    assert "was not made by an export" in capsys.readouterr().err
    assert [(path.name, path.read_text()) for path in out.iterdir()] == [("depth.pt", "somebody's")]


def test_two_exports_into_one_folder_do_not_mix_their_files(depth_checkpoint, tmp_path, monkeypatch):
    """While one puts its files into place, another waits."""
    out, order = tmp_path / "out", []
    replace = os.replace

    def holding(source, target):
        lock = os.open(out, os.O_RDONLY)
        try:
            with pytest.raises(BlockingIOError):
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        finally:
            os.close(lock)
        order.append(target)
        replace(source, target)

    monkeypatch.setattr("monodepth_ros.inference.export.os.replace", holding)
    assert main(["export", str(depth_checkpoint), "--to", "torchscript", "--out", str(out)]) == 0
    assert order == [out / "depth.pt"]
