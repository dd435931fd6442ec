# SPDX-License-Identifier: Apache-2.0
"""Checkpoints of this package: saved, loaded, damaged, foreign."""

import dataclasses
import json
import subprocess
import sys

import pytest
import torch
from safetensors.torch import save_file

from monodepth_ros.networks.checkpoints.checkpoint import HEADER_KEY, load_checkpoint, save_checkpoint
from monodepth_ros.networks.checkpoints.header import CheckpointError, CheckpointHeader
from monodepth_ros.networks.formula_weights import fill_networks_with_formula
from monodepth_ros.networks.registry import build_depth, build_pose

HEADER = CheckpointHeader(
    depth_network="rt_monodepth_s",
    pose_network="posecnn",
    height=64,
    width=96,
    training_camera=(0.58, 1.92, 0.5, 0.5),
    scale_kind="metric",
    scale_factor=5.4,
)


@pytest.fixture(scope="module")
def networks():
    depth, pose = build_depth("rt_monodepth_s").eval(), build_pose("posecnn").eval()
    fill_networks_with_formula(depth, pose)
    return depth, pose


@pytest.fixture(scope="module")
def good(networks, tmp_path_factory):
    path = tmp_path_factory.mktemp("checkpoint") / "good.safetensors"
    save_checkpoint(path, HEADER, *networks)
    return path


def refused(path, expected):
    """Check that loading fails with one line that names the file and matches `expected`."""
    with pytest.raises(CheckpointError, match=expected) as caught:
        load_checkpoint(path)
    message = str(caught.value)
    assert str(path) in message and "\n" not in message and "Traceback" not in message, message
    return message


def test_a_saved_checkpoint_loads_unchanged(good, networks):
    checkpoint = load_checkpoint(good)
    assert dataclasses.replace(checkpoint.header, versions={}) == HEADER
    assert set(checkpoint.header.versions) == {"monodepth_ros", "torch"}
    for saved, loaded in zip(networks, (checkpoint.depth, checkpoint.pose), strict=True):
        assert not loaded.training
        assert all(torch.equal(saved.state_dict()[key], tensor) for key, tensor in loaded.state_dict().items())
    assert len(checkpoint.sha256) == 64 and checkpoint.sha256 == load_checkpoint(good).sha256


def test_loading_imports_few_modules(good):
    """PyTorch imports 800 modules, which takes a second, to fill tensors on the meta device with random values."""
    program = (
        "import sys; from monodepth_ros.networks.checkpoints.checkpoint import load_checkpoint;"
        "before = len(sys.modules);"
        f"load_checkpoint({str(good)!r}); print(len(sys.modules) - before)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert int(done.stdout) < 50, done.stdout


def test_loaded_networks_can_be_trained(good):
    checkpoint = load_checkpoint(good)
    parameters = list(checkpoint.depth.parameters())
    checkpoint.depth.train()(torch.rand(1, 3, 64, 96))[0].mean().backward()
    assert all(parameter.requires_grad and parameter.is_leaf for parameter in parameters)
    assert all(parameter.grad is not None for parameter in parameters[:3])


def test_batch_normalisation_statistics_are_saved(tmp_path):
    depth = build_depth("resnet18").train()
    depth(torch.rand(2, 3, 64, 64))
    header = dataclasses.replace(HEADER, depth_network="resnet18", pose_network="", width=64)
    save_checkpoint(tmp_path / "a.safetensors", header, depth)
    loaded = load_checkpoint(tmp_path / "a.safetensors")
    image = torch.rand(1, 3, 64, 64)
    assert loaded.pose is None
    assert int(loaded.depth.state_dict()["encoder.encoder.bn1.num_batches_tracked"]) == 1
    with torch.inference_mode():
        assert torch.equal(loaded.depth(image)[0], depth.eval()(image)[0])


def test_float16_halves_the_file_and_loads_as_float32(good, networks, tmp_path):
    path = tmp_path / "half.safetensors"
    save_checkpoint(path, HEADER, *networks, dtype=torch.float16)
    depth = load_checkpoint(path).depth
    assert path.stat().st_size < 0.52 * good.stat().st_size
    assert all(tensor.dtype == torch.float32 for tensor in depth.state_dict().values())
    image = torch.rand(1, 3, 64, 96)
    with torch.inference_mode():
        assert (depth(image)[0] - networks[0](image)[0]).abs().max() < 5e-3


def test_values_too_large_for_float16_are_not_saved(tmp_path):
    depth = build_depth("rt_monodepth_s")
    with torch.no_grad():
        depth.encoder.conv1.weight[0, 0, 0, 0] = 1e6
    with pytest.raises(CheckpointError, match="too large for torch.float16; save as float32"):
        save_checkpoint(
            tmp_path / "a.safetensors",
            dataclasses.replace(HEADER, pose_network=""),
            depth,
            dtype=torch.float16,
        )
    assert list(tmp_path.iterdir()) == []


def test_saving_replaces_an_old_file_and_leaves_nothing_else(networks, tmp_path):
    path = tmp_path / "a.safetensors"
    path.write_bytes(b"old")
    save_checkpoint(path, HEADER, *networks)
    assert load_checkpoint(path).header.depth_network == "rt_monodepth_s"
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"pose_network": ""}, "pose network '' in the header, PoseCNN given"),
        ({"pose_network": "separate_resnet18"}, "lacks 108 tensors"),
        ({"depth_network": "resnet18"}, "lacks 128 tensors"),
    ],
)
def test_networks_that_do_not_match_the_header_are_not_saved(networks, tmp_path, changes, expected):
    path = tmp_path / "a.safetensors"
    path.write_bytes(b"old")
    with pytest.raises(CheckpointError, match=expected):
        save_checkpoint(path, dataclasses.replace(HEADER, **changes), *networks)
    assert path.read_bytes() == b"old"


def test_a_path_that_cannot_be_written_is_refused_in_one_line(networks, tmp_path):
    (tmp_path / "file").write_text("")
    for path in (tmp_path / "none" / "a.safetensors", tmp_path / "file" / "a.safetensors"):
        with pytest.raises(CheckpointError, match="cannot be written"):
            save_checkpoint(path, HEADER, *networks)
    with pytest.raises(CheckpointError, match="must end with .safetensors"):
        save_checkpoint(tmp_path / "a.pth", HEADER, *networks)


@pytest.mark.parametrize("length", [0, 1, 7, 8, 9, 100, 5_000, 100_000, -1])
def test_a_truncated_file_is_refused_at_every_length(good, tmp_path, length):
    path = tmp_path / "cut.safetensors"
    path.write_bytes(good.read_bytes()[:length])
    refused(path, "empty|not a safetensors file|truncated or damaged")


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(b"\x00" * 64, id="zeros"),
        pytest.param(b"\xff" * 64, id="a header of 2^64 bytes"),
        pytest.param((2**40).to_bytes(8, "little") + b"{}", id="a header of a terabyte"),
        pytest.param((2).to_bytes(8, "little") + b"{}", id="no tensors"),
        pytest.param((2).to_bytes(8, "little") + b"[]", id="a list"),
        pytest.param((9).to_bytes(8, "little") + b'{"a": 12}', id="a tensor that is a number"),
        pytest.param((8).to_bytes(8, "little") + b'{"a": []', id="broken JSON"),
        pytest.param(
            (len(b'{"a":{"data_offsets":["x","y"]}}')).to_bytes(8, "little") + b'{"a":{"data_offsets":["x","y"]}}',
            id="offsets that are text",
        ),
        pytest.param((100_000).to_bytes(8, "little") + b'{"a":' + b"[" * 99_995, id="deeply nested"),
        pytest.param(b"\x89PNG\r\n\x1a\n" + b"\x00" * 100, id="a picture"),
        pytest.param(b"\x80\x04cos\nsystem\n.", id="a pickle"),
    ],
)
def test_files_of_another_format_are_refused(tmp_path, content):
    path = tmp_path / "foreign.safetensors"
    path.write_bytes(content)
    refused(path, "not a safetensors file|truncated|written by another program")


def test_trailing_bytes_are_refused(good, tmp_path):
    path = tmp_path / "long.safetensors"
    path.write_bytes(good.read_bytes() + b"more")
    refused(path, "bytes instead of")


def test_a_safetensors_file_of_another_program_is_refused(tmp_path):
    path = tmp_path / "other.safetensors"
    save_file({"weight": torch.zeros(2)}, path, metadata={"format": "pt"})
    refused(path, "written by another program")
    save_file({"weight": torch.zeros(2)}, path)
    refused(path, "written by another program")


@pytest.fixture
def altered(good, tmp_path):
    """A function that writes the good file with other tensors or another header."""
    tensors = {f"depth.{key}": tensor for key, tensor in load_checkpoint(good).depth.state_dict().items()}
    header = json.loads(dataclasses.replace(HEADER, pose_network="").to_json())

    def write(tensor_changes, header_changes=()):
        path = tmp_path / "altered.safetensors"
        changed = {key: value for key, value in {**tensors, **tensor_changes}.items() if value is not None}
        save_file(changed, path, metadata={HEADER_KEY: json.dumps({**header, **dict(header_changes)})})
        return path

    return write


KEY = "depth.encoder.conv1.weight"


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (None, "lacks 1 tensors .*depth.encoder.conv1.weight"),
        (torch.zeros(64, 3, 5, 5), r"has shape \(64, 3, 5, 5\), expected \(64, 3, 7, 7\)"),
        (torch.zeros(64 * 3 * 49), "has shape"),
        (torch.full((64, 3, 7, 7), float("nan")), "holds 9408 values that are not finite"),
        (torch.full((64, 3, 7, 7), 1e39, dtype=torch.float64), "not finite"),
        (torch.zeros((64, 3, 7, 7), dtype=torch.int32), "torch.int32, expected floating point"),
        (torch.zeros((64, 3, 7, 7), dtype=torch.bool), "torch.bool, expected floating point"),
    ],
)
def test_wrong_tensors_are_refused_by_name(altered, value, expected):
    message = refused(altered({KEY: value}), expected)
    assert "encoder.conv1.weight" in message


def test_unknown_tensors_are_refused(altered):
    refused(altered({"depth.extra": torch.zeros(3)}), r"holds unknown 1 tensors \('depth.extra'\)")


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"depth_network": "resnet18"}, "lacks"),
        ({"pose_network": "posecnn"}, "lacks 16 tensors"),
        ({"format_version": 2}, "newer than this package reads"),
        ({"height": 60}, "multiples of 32"),
        ({"scale_factor": 0}, "scale_factor"),
    ],
)
def test_a_header_that_contradicts_the_tensors_is_refused(altered, changes, expected):
    refused(altered({}, changes), expected)


def test_bfloat16_and_float64_tensors_load_as_float32(altered):
    for dtype in (torch.bfloat16, torch.float64):
        depth = load_checkpoint(altered({KEY: torch.ones((64, 3, 7, 7), dtype=dtype)})).depth
        assert depth.encoder.conv1.weight.dtype == torch.float32


@pytest.mark.parametrize("name", ["none.safetensors", "none", "no/such/folder", "readme.txt", "/dev/null"])
def test_paths_without_a_checkpoint_are_refused(tmp_path, name):
    (tmp_path / "readme.txt").write_text("weights are elsewhere")
    refused(tmp_path / name, "no such file or folder|not a checkpoint|no ordinary file")


def test_the_file_is_not_needed_after_loading(good, tmp_path):
    path = tmp_path / "gone.safetensors"
    path.write_bytes(good.read_bytes())
    checkpoint = load_checkpoint(path)
    path.write_bytes(b"")
    assert torch.isfinite(checkpoint.depth(torch.rand(1, 3, 64, 96), (0,))[0]).all()
