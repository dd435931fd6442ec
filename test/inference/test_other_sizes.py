# SPDX-License-Identifier: Apache-2.0
"""Engines with images of other sizes than the checkpoint's."""

import numpy as np
import pytest

from monodepth_ros.inference.config import EngineConfig
from monodepth_ros.inference.create_engine import create_engine
from monodepth_ros.inference.engine import EngineError
from monodepth_ros.networks.formula_weights import formula_image

SIZE = (128, 96)  # the checkpoint's is 96x64


def picture(size, phase=0.2):
    return np.ascontiguousarray((255 * formula_image(phase, *size[::-1])).transpose(1, 2, 0)).astype(np.uint8)


def outputs(engine, size):
    earlier, later = (engine.load_image(picture(size, phase)) for phase in (0.2, 0.9))
    return engine.disparity(earlier), engine.motion(earlier, later)


@pytest.fixture(params=["openvino", "onnxruntime"])
def other_engine(request):
    pytest.importorskip(request.param)
    return request.param


@pytest.mark.parametrize(
    "networks", [("rt_monodepth_s", "posecnn"), ("resnet18", "shared_resnet18")], ids=lambda pair: pair[1]
)
def test_graph_engines_agree_with_pytorch_on_another_size(make_checkpoint, graphs, other_engine, networks):
    path = make_checkpoint(*networks)
    found = {}
    for name in ("pytorch", other_engine):
        engine = create_engine(path, EngineConfig(engine=name, device="cpu", precision="fp32"))
        engine.prepare(SIZE)
        engine.prepare(SIZE)
        found[name] = *outputs(engine, SIZE), *outputs(engine, (96, 64))
        assert found[name][0].shape == SIZE[::-1] and (engine.header.width, engine.header.height) == (96, 64)
    for number, (one, other) in enumerate(zip(found["pytorch"], found[other_engine], strict=True)):
        error = np.abs(one - other).max()
        assert error < 1e-4, f"output {number} differs by {error:.2g}"


def test_an_image_of_a_size_that_is_not_prepared_is_refused(checkpoint_file, graphs, other_engine):
    for name in ("pytorch", other_engine):
        engine = create_engine(checkpoint_file, EngineConfig(engine=name, device="cpu", precision="fp32"))
        with pytest.raises(EngineError, match=r"image is uint8 \(96, 128, 3\), the network takes uint8 \(64, 96, 3\)"):
            engine.load_image(picture(SIZE))
        with pytest.raises(EngineError, match="multiples of 32"):
            engine.prepare((100, 64))


def test_each_size_is_converted_once_and_then_read_from_the_cache(checkpoint_file, graphs, other_engine, monkeypatch):
    config = EngineConfig(engine=other_engine, device="cpu", precision="fp32")
    create_engine(checkpoint_file, config).prepare(SIZE)
    assert len(list(graphs.iterdir())) == 2, "one entry for each size"
    engine = create_engine(checkpoint_file, config)
    before = {path: path.stat().st_ino for path in graphs.rglob("*.*")}
    engine.prepare(SIZE)
    assert {path: path.stat().st_ino for path in graphs.rglob("*.*")} == before
    assert engine.disparity(engine.load_image(picture(SIZE))).shape == SIZE[::-1]


def test_a_checkpoint_that_was_replaced_meanwhile_gives_no_networks_of_another_size(
    make_checkpoint, graphs, other_engine
):
    path = make_checkpoint()
    engine = create_engine(path, EngineConfig(engine=other_engine, device="cpu", precision="fp32"))
    make_checkpoint(training_data="another drive")
    with pytest.raises(EngineError, match="not the file any more"):
        engine.prepare(SIZE)
    assert engine.disparity(engine.load_image(picture((96, 64)))).shape == (64, 96)
