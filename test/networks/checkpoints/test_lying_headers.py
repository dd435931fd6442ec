# SPDX-License-Identifier: Apache-2.0
"""Checkpoints whose headers lie: one line that names file and value, before anything is allocated for it."""

import json
import math
import os

import pytest
import torch

from monodepth_ros.cli.main import main
from monodepth_ros.limits import LONGEST_CHECKPOINT_HEADER, LONGEST_HEADER_TEXT, MOST_NETWORK_PIXELS
from monodepth_ros.networks.checkpoints.checkpoint import HEADER_KEY, load_checkpoint, save_checkpoint
from monodepth_ros.networks.checkpoints.header import CheckpointError, CheckpointHeader
from monodepth_ros.networks.registry import build_depth

HEADER = CheckpointHeader("rt_monodepth_s", 64, 96, (0.58, 1.92, 0.5, 0.5), scale_kind="metric", scale_factor=5.4)
TENSOR = "depth.encoder.conv1.weight"
BODY_IS_SHORT = b"\0" * 64  # what is checked first needs no tensors


@pytest.fixture(scope="module")
def parts(tmp_path_factory):
    """The JSON of a good file, and its tensors."""
    path = tmp_path_factory.mktemp("good") / "good.safetensors"
    save_checkpoint(path, HEADER, build_depth("rt_monodepth_s"))
    data = path.read_bytes()
    end = 8 + int.from_bytes(data[:8], "little")
    return json.loads(data[8:end]), data[end:]


def written(path, text, body, length=None):
    text = text if isinstance(text, bytes) else json.dumps(text).encode()
    path.write_bytes((len(text) if length is None else length).to_bytes(8, "little") + text + body)
    return path


def refused(path, expected, capsys):
    """Check that loading and `monodepth info` fail with one printable line that names the file."""
    with pytest.raises(CheckpointError, match=expected) as caught:
        load_checkpoint(path)
    message = str(caught.value)
    assert str(path) in message and message.isprintable() and len(message) < 1000, message
    assert main(["info", str(path)]) == 2
    assert capsys.readouterr().err == f"monodepth info: {message}\n"


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"width": "abc"}, "width is 'abc', expected a whole number"),
        ({"width": 1000000000}, "size is 1000000000, expected at most 8192"),
        ({"width": 8192, "height": 8192}, f"size is '8192x8192', expected at most {MOST_NETWORK_PIXELS} pixels"),
        ({"training_camera": [math.nan, 1.0, 0.5, 0.5]}, "training_camera is .*nan"),
        ({"training_camera": [0, 1.9, 0.5, 0.5]}, "training_camera is .*divided by the image size"),
        ({"min_depth": 100.0, "max_depth": 0.1}, "max_depth is 0.1, expected a number above min_depth 100"),
        ({"min_depth": 1e-300}, "min_depth is 1e-300, expected at least 1e-06"),
        ({"max_depth": 1e17}, r"max_depth is 1e\+17, expected at most 1e\+06"),
        ({"scale_factor": 1e300}, r"scale_factor is 1e\+300, expected a finite number"),
        ({"scale_factor": 1e17}, r"scale_factor is 1e\+17, expected metres per network unit"),
        ({"scale_factor": math.inf}, "scale_factor is inf"),
        ({"scale_factor": -1.0}, "scale_factor is -1.0"),
        ({"licence": "a" * (LONGEST_HEADER_TEXT + 1)}, "licence is .*expected text of at most"),
        ({"versions": {str(n): "1" for n in range(1000)}}, "versions is .*expected names and versions"),
        ({"depth_network": "\x1b[31mred\n"}, "depth_network is '.*red"),
    ],
)
def test_a_card_with_a_lie_is_refused(parts, tmp_path, capsys, changes, expected):
    header, _ = parts
    card = {**json.loads(HEADER.to_json()), **changes}
    end = max(entry["data_offsets"][1] for name, entry in header.items() if name != "__metadata__")
    with open(
        written(tmp_path / "x.safetensors", {**header, "__metadata__": {HEADER_KEY: json.dumps(card)}}, b""), "ab"
    ) as f:
        f.truncate(f.tell() + end)  # a hole: nothing but the header is judged
    refused(tmp_path / "x.safetensors", expected, capsys)


@pytest.mark.parametrize(
    ("entry", "value"),
    [
        ("shape", [10**9, 10**9]),
        ("shape", [10**30]),
        ("shape", [-64, 3, 7, 7]),
        ("shape", [1] * 9),
        ("shape", "abc"),
        ("shape", [64.0, 3, 7, 7]),
        ("data_offsets", [-8, 4]),
        ("data_offsets", [0, 4 * 10**18]),
        ("data_offsets", [0]),
        ("data_offsets", {"0": 1}),
        ("dtype", "F33"),
        ("dtype", ["F32"]),
    ],
)
def test_a_tensor_that_is_described_wrongly_is_named(parts, tmp_path, capsys, entry, value):
    header, _ = parts
    lie = {**header, TENSOR: {**header[TENSOR], entry: value}}
    refused(written(tmp_path / "x.safetensors", lie, BODY_IS_SHORT), f"tensor {TENSOR} has no valid type", capsys)


@pytest.mark.parametrize("value", [[], 3, "text", None, {"dtype": "F32"}])
def test_a_tensor_without_a_description_is_named_in_plain_letters(parts, tmp_path, capsys, value):
    name = "evil\x1b[2J\n" + "a" * 1000
    path = written(tmp_path / "x.safetensors", {**parts[0], name: value}, BODY_IS_SHORT)
    refused(path, r"tensor evil\?\[2J aaa.* has no valid type", capsys)


def test_a_name_that_occurs_twice_is_refused(parts, tmp_path, capsys):
    header, body = parts
    text = json.dumps(header).encode()[:-1] + f',"{TENSOR}":{json.dumps(header[TENSOR])}}}'.encode()
    refused(written(tmp_path / "x.safetensors", text, body), "a name occurs twice", capsys)
    card = HEADER.to_json()[:-1] + ', "width": 64}'
    refused(
        written(tmp_path / "x.safetensors", {**header, "__metadata__": {HEADER_KEY: card}}, body),
        "not readable",
        capsys,
    )


@pytest.mark.parametrize(
    ("text", "length", "expected"),
    [
        pytest.param(b"{}" + b" " * LONGEST_CHECKPOINT_HEADER, None, "a header of 4194306 bytes", id="too long"),
        pytest.param(b'{"a":' * 100_000, None, "truncated or damaged", id="too deep"),
        (b"{}", 2**63, "truncated or damaged"),
        (b"{}", 0, "truncated or damaged"),
        (b'{"__metadata__": [1]}', None, "bytes instead of|written by another program"),
    ],
)
def test_a_header_of_no_sensible_form_is_refused(tmp_path, capsys, text, length, expected):
    refused(written(tmp_path / "x.safetensors", text, BODY_IS_SHORT, length), expected, capsys)


def test_a_card_with_control_characters_is_printed_in_plain_letters(parts, tmp_path, capsys):
    header, body = parts
    card = {**json.loads(HEADER.to_json()), "licence": "MIT\x1b[31m\n\x07", "training_data": "drive " * 5000}
    path = written(tmp_path / "x.safetensors", {**header, "__metadata__": {HEADER_KEY: json.dumps(card)}}, body)
    assert main(["info", str(path)]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert all(line.isprintable() and len(line) < 2100 for line in lines)
    assert any("MIT?[31m" in line for line in lines)


@pytest.mark.parametrize(
    "name", ["pipe.safetensors", "a" * 300 + ".safetensors", "a\0b.safetensors", "empty.safetensors"]
)
def test_paths_that_no_checkpoint_can_have_are_one_line(tmp_path, capsys, name):
    os.mkfifo(tmp_path / "pipe.safetensors")
    (tmp_path / "empty.safetensors").touch()
    assert main(["info", str(tmp_path / name)]) == 2
    error = capsys.readouterr().err
    assert error.count("\n") == 1 and error[:-1].isprintable(), error


def test_a_pickled_description_of_more_than_the_file_holds_is_refused(tmp_path):
    torch.save(
        {"encoder": {"a": torch.zeros(1000)}, "depth": {}}, tmp_path / "x.pth", _use_new_zipfile_serialization=False
    )
    data = (tmp_path / "x.pth").read_bytes()
    count = (1000).to_bytes(2, "little")
    assert data.count(b"M" + count) >= 1, "the number of values, as a pickle writes it"
    (tmp_path / "x.pth").write_bytes(data.replace(b"M" + count, b"M" + (60000).to_bytes(2, "little")))
    with pytest.raises(CheckpointError, match="claims .*tensors? of 240000 bytes|claims 240000 bytes"):
        load_checkpoint(tmp_path / "x.pth")
