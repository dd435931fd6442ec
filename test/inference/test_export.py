# SPDX-License-Identifier: Apache-2.0
"""Exported networks, read back by the runtimes themselves."""

import json
import os
import re
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch

from monodepth_ros.inference.export import FORMATS, ExportError, export_networks
from monodepth_ros.inference.openvino import shared_core
from monodepth_ros.networks.checkpoints.checkpoint import load_checkpoint
from monodepth_ros.networks.checkpoints.header import CheckpointHeader
from monodepth_ros.networks.disparity import disparity_to_depth
from monodepth_ros.networks.formula_weights import formula_image

NEEDS = {"onnx": ("onnxruntime", "onnx"), "openvino": ("openvino",), "torchscript": ()}
DEPTH_FILE = {"onnx": "depth.onnx", "openvino": "depth.xml", "torchscript": "depth.pt"}
CARD = ("monodepth_ros", "checkpoint_sha256", "network", "inputs", "outputs")


@pytest.fixture(params=FORMATS)
def to(request):
    for package in NEEDS[request.param]:
        pytest.importorskip(package, reason=f"no {package}")
    return request.param


def read_back(path):
    """A function of arrays and the metadata of a file, read as docs/engines.md shows."""
    if path.suffix == ".onnx":
        import onnxruntime

        session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
        names = [value.name for value in session.get_inputs()]
        card = session.get_modelmeta().custom_metadata_map
        return lambda *inputs: session.run(None, dict(zip(names, inputs, strict=True))), card
    if path.suffix == ".xml":
        model = shared_core().read_model(path)
        card = {name: model.get_rt_info(name).astype(str) for name in CARD}
        compiled = shared_core().compile_model(model, "CPU", {"INFERENCE_PRECISION_HINT": "f32"})
        return lambda *inputs: list(compiled(inputs).values()), card
    files = dict.fromkeys(CARD, "")
    module = torch.jit.load(str(path), _extra_files=files)

    def run(*inputs):
        with torch.inference_mode():
            outputs = module(*map(torch.from_numpy, inputs))
        return [tensor.numpy() for tensor in (outputs if isinstance(outputs, tuple) else (outputs,))]

    return run, {name: text.decode() if isinstance(text, bytes) else text for name, text in files.items()}


def images(count, phase=0.0):
    pictures = [255 * formula_image(phase + 0.4 * index, 64, 96) for index in range(count)]
    return np.ascontiguousarray(np.stack(pictures).round().astype(np.uint8).transpose(0, 2, 3, 1))


def as_tensor(pixels):
    return torch.from_numpy(pixels).permute(0, 3, 1, 2).to(torch.float32) / 255


@pytest.mark.parametrize(
    ("depth", "pose"),
    [
        ("resnet18", "separate_resnet18"),
        ("resnet18", "shared_resnet18"),
        ("rt_monodepth_s", "posecnn"),
        ("rt_monodepth_s", ""),
    ],
)
def test_files_agree_with_the_networks_for_any_batch_size(make_checkpoint, to, tmp_path, depth, pose):
    checkpoint = load_checkpoint(make_checkpoint(depth, pose))
    files = {path.stem: path for path in export_networks(checkpoint, to, tmp_path / "out") if path.suffix != ".bin"}
    assert set(files) == ({"depth", "pose"} if pose else {"depth"})
    networks = {name: read_back(path)[0] for name, path in files.items()}
    for batch in (1, 3):
        pair = [images(batch, phase) for phase in (0.0, 0.7)]
        found = [networks["depth"](pixels) for pixels in pair]
        with torch.inference_mode():
            features = [checkpoint.depth.encode(as_tensor(pixels)) for pixels in pair]
            expected = checkpoint.depth.decode(features[0], (0,))[0][:, 0].numpy()
        assert found[0][0].dtype == np.float32 and found[0][0].shape == (batch, 64, 96)
        assert np.abs(found[0][0] - expected).max() < 1e-4
        if pose:
            shared = pose.startswith("shared")
            taken = [outputs[1] for outputs in found] if shared else pair
            given = [levels[-1] for levels in features] if shared else [as_tensor(pixels) for pixels in pair]
            (motion,) = networks["pose"](*taken)
            with torch.inference_mode():
                wanted = torch.cat(checkpoint.pose(*given), dim=1).numpy()
            assert motion.shape == (batch, 6) and np.abs(wanted).max() > 1e-3
            assert np.abs(motion - wanted).max() < 1e-4


def test_the_metadata_explains_how_to_compute_depth(make_checkpoint, to, tmp_path):
    facts = {
        "training_data": 'a "quoted" <name> & more\x1b',
        "scale_kind": "metric",
        "scale_factor": 5.4,
        "max_depth": 80.0,
    }
    checkpoint = load_checkpoint(make_checkpoint("rt_monodepth_s", "posecnn", **facts))
    export_networks(checkpoint, to, tmp_path)
    run, card = read_back(tmp_path / DEPTH_FILE[to])
    assert CheckpointHeader.from_json(card["monodepth_ros"]) == checkpoint.header
    assert (card["checkpoint_sha256"], card["network"]) == (checkpoint.sha256, "depth")
    assert list(json.loads(card["inputs"])) == ["image"] and "uint8 (batch, 64, 96, 3): RGB" in card["inputs"]
    meaning = json.loads(card["outputs"])["disparity"]
    assert "times 5.4 is metres" in meaning
    disparity = run(images(1))[0]
    formula = meaning.split(" is ")[1].split(";")[0]
    assert eval(formula, {"disparity": disparity}) == pytest.approx(disparity_to_depth(disparity, 0.1, 80.0), rel=1e-5)
    _, card = read_back(tmp_path / DEPTH_FILE[to].replace("depth", "pose"))
    assert list(json.loads(card["inputs"])) == ["earlier", "later"]
    assert "to be multiplied by the mean" in json.loads(card["outputs"])["motion"]


def test_inputs_and_outputs_have_the_names_in_the_metadata(make_checkpoint, tmp_path):
    pytest.importorskip("onnx", reason="no onnx")
    onnxruntime = pytest.importorskip("onnxruntime", reason="no onnxruntime")
    pytest.importorskip("openvino", reason="no openvino")
    checkpoint = load_checkpoint(make_checkpoint("resnet18", "shared_resnet18"))
    for to in ("onnx", "openvino"):
        export_networks(checkpoint, to, tmp_path)
    for name, inputs, outputs in (
        ("depth", ["image"], ["disparity", "feature"]),
        ("pose", ["earlier", "later"], ["motion"]),
    ):
        session = onnxruntime.InferenceSession(str(tmp_path / f"{name}.onnx"), providers=["CPUExecutionProvider"])
        model = shared_core().read_model(tmp_path / f"{name}.xml")
        for found, ports, expected in (
            (session.get_inputs(), model.inputs, inputs),
            (session.get_outputs(), model.outputs, outputs),
        ):
            assert [value.name for value in found] == expected
            assert all(value.shape[0] == "batch" for value in found)
            assert [port.get_any_name() for port in ports] == expected


@pytest.mark.parametrize("to", ["onnx", "openvino"])
def test_a_fixed_batch_takes_that_number_of_images(make_checkpoint, to, tmp_path):
    for package in NEEDS[to]:
        pytest.importorskip(package, reason=f"no {package}")
    checkpoint = load_checkpoint(make_checkpoint("rt_monodepth_s", ""))
    export_networks(checkpoint, to, tmp_path, batch=3)
    run, _ = read_back(tmp_path / DEPTH_FILE[to])
    with torch.inference_mode():
        expected = checkpoint.depth(as_tensor(images(3)))[0][:, 0].numpy()
    assert np.abs(run(images(3))[0] - expected).max() < 1e-4
    with pytest.raises(Exception, match=r"(?i)dimension|shape"):
        run(images(1))


def test_an_export_that_disagrees_leaves_the_old_files(make_checkpoint, tmp_path):
    checkpoint = load_checkpoint(make_checkpoint("rt_monodepth_s", ""))
    out = tmp_path / "out"
    export_networks(checkpoint, "torchscript", out)
    before = (out / "depth.pt").read_bytes()
    with torch.no_grad():
        checkpoint.depth.decoder.decoder[8].conv3.bias[0] = float("nan")
    with pytest.raises(ValueError, match="torchscript .* does not agree with PyTorch"):
        export_networks(checkpoint, "torchscript", out)
    assert os.listdir(out) == ["depth.pt"] and (out / "depth.pt").read_bytes() == before


def test_an_invalid_batch_size_is_refused(make_checkpoint, tmp_path):
    checkpoint = load_checkpoint(make_checkpoint("rt_monodepth_s", ""))
    with pytest.raises(ExportError, match="batch is -1: expected a positive number"):
        export_networks(checkpoint, "torchscript", tmp_path, batch=-1)
    with pytest.raises(ValueError, match="take any batch"):
        export_networks(checkpoint, "torchscript", tmp_path, batch=2)


def test_the_examples_of_the_documentation_run(make_checkpoint, to, tmp_path, monkeypatch):
    page = Path(__file__).resolve().parents[2] / "docs" / "engines.md"
    marks = {"onnx": "onnxruntime.InferenceSession", "openvino": "read_model", "torchscript": "torch.jit.load"}
    (program,) = [
        block for block in re.findall(r"```python\n(.*?)```", page.read_text(), re.DOTALL) if marks[to] in block
    ]
    checkpoint = load_checkpoint(make_checkpoint(scale_kind="metric", scale_factor=5.4))
    monkeypatch.chdir(tmp_path)
    export_networks(checkpoint, to, "exported")
    pixels = images(1)
    cv2.imwrite("frame.png", pixels[0, ..., ::-1])
    found = {}
    exec(program, found)
    with torch.inference_mode():
        disparity = checkpoint.depth(as_tensor(pixels))[0][0, 0].numpy()
    assert found["depth"] == pytest.approx(5.4 * disparity_to_depth(disparity, 0.1, 100.0), rel=1e-3)
