# SPDX-License-Identifier: Apache-2.0
"""Every engine against PyTorch in float32, with trained weights on many images: real ones and the synthetic world's."""

import os
from functools import partial
from pathlib import Path

import numpy as np
import pytest

from monodepth_ros.data.image_codec import to_rgb
from monodepth_ros.data.sources.open_source import open_source
from monodepth_ros.evaluation.depth_metrics import evaluate_depth, mean_metrics
from monodepth_ros.inference.create_engine import create_engine
from monodepth_ros.inference.engine import EngineError
from monodepth_ros.inference.parity import FP32_DISPARITY, FP32_MOTION, REDUCED_DEPTH, REDUCED_MOTION
from monodepth_ros.inference.pytorch import PytorchEngine
from monodepth_ros.networks.bundled_checkpoint import bundled_checkpoint
from monodepth_ros.networks.checkpoint import load_checkpoint
from monodepth_ros.networks.disparity import depth_at_size, disparity_to_depth, scale_disparity
from monodepth_ros.pipeline.network_view import view_through
from monodepth_ros.synthetic.drive import Drive, default_camera

ENGINES = [("openvino", "fp32"), ("openvino", "bf16"), ("onnxruntime", "fp32"), ("pytorch", "bf16")]
ABS_REL = 0.002
UNSEEN_STREET = 1003


def seen_by(header, pixels, layout, camera):
    """A camera's image as the network gets it."""
    view = view_through(camera, header.training_camera, header.width, header.height, header.filter)
    return to_rgb(view.resampler(pixels), layout)


def real_images(folder, header):
    """12 images, and the LiDAR's depth of those 8 that have one; in pairs of successive ones."""
    images, truths = [], []
    drives = (("kitti_raw_2011_09_26_drive_0052", 8), ("kitti_raw_2011_09_26_colour_f000-090_unknown_drive", 4))
    for name, count in drives:
        with open_source(str(folder / name)) as source:
            frames = list(source.frames())
        step = len(frames) // (count // 2)
        for frame in (frames[i + j] for i in range(0, step * (count // 2), step) for j in (0, 1)):
            images.append(seen_by(header, frame.pixels.array, frame.pixels.layout, frame.camera))
            truths.append(frame.truth_depth)
    assert len(images) == 12 and sum(truth is not None for truth in truths) >= 7
    return images, truths


def synthetic_images(header):
    """12 frames of a street that the bundled checkpoint has not seen, and their exact depth."""
    frames = list(Drive(UNSEEN_STREET, 1.2, 10.0))
    assert len(frames) == 12
    return [seen_by(header, frame.image, "rgb", default_camera()) for frame in frames], [
        frame.depth for frame in frames
    ]


class Sight:
    """What an engine says of some images."""

    def __init__(self, engine, images):
        loaded = [engine.load_image(image) for image in images]
        self.disparities = [engine.disparity(image) for image in loaded]
        pairs = zip(loaded, loaded[1:], strict=False)
        self.motions = [engine.motion(*pair) for pair in pairs] if engine.has_pose else []

    def abs_rel(self, truths, header):
        """Mean over the images with truth, by the field's protocol."""
        scaled = partial(scale_disparity, min_depth=header.min_depth, max_depth=header.max_depth)
        return mean_metrics([
            evaluate_depth(truth, depth_at_size(scaled(disparity), truth.shape[::-1]))
            for disparity, truth in zip(self.disparities, truths, strict=True)
            if truth is not None
        ]).abs_rel  # fmt: skip


@pytest.fixture(scope="module")
def known():
    """Checkpoint, images, their truth and what PyTorch says in float32, by path of the checkpoint and folder of real data (None:
    the synthetic world); made once."""
    made = {}

    def of(path, data=None):
        if (path, data) not in made:
            checkpoint = load_checkpoint(path)
            header = checkpoint.header
            images, truths = synthetic_images(header) if data is None else real_images(data, header)
            made[path, data] = checkpoint, images, truths, Sight(PytorchEngine(checkpoint, "cpu", "fp32"), images)
        return made[path, data]

    return of


def engine_of(checkpoint, name, precision):
    for package in {"openvino": ["openvino"], "onnxruntime": ["onnxruntime", "onnx"]}.get(name, []):
        pytest.importorskip(package, reason=f"no {package}")
    try:
        return create_engine(checkpoint, "cpu", precision, name)
    except EngineError as error:
        if "this CPU has no bf16" in str(error):
            pytest.skip(str(error))
        raise


def assert_agree(known_of_checkpoint, name, precision):
    checkpoint, images, truths, expected = known_of_checkpoint
    header = checkpoint.header
    found = Sight(engine_of(checkpoint, name, precision), images)
    abs_rels = found.abs_rel(truths, header), expected.abs_rel(truths, header)
    differences, errors = [], []
    for disparity, wanted in zip(found.disparities, expected.disparities, strict=True):
        assert np.ptp(wanted) > 0.05, "a flat disparity shows nothing"
        differences.append(float(np.abs(disparity - wanted).max()))
        depth, reference = (disparity_to_depth(d, header.min_depth, header.max_depth) for d in (disparity, wanted))
        errors.append(float(np.mean(np.abs(depth - reference) / reference)))
    motions = [float(np.abs(a - b).max()) for a, b in zip(found.motions, expected.motions, strict=True)]
    print(
        f"{name} {precision}: disparity off by {max(differences):.2g} at most, depth by {100 * max(errors):.3f} % in the worst"
        f" image, abs_rel {abs_rels[0]:.5f} for {abs_rels[1]:.5f}, motion off by {max(motions, default=0):.2g} at most"
    )
    assert abs(abs_rels[0] - abs_rels[1]) < ABS_REL, abs_rels
    if precision == "fp32":
        assert max(differences) < FP32_DISPARITY, differences
    else:
        assert max(errors) < REDUCED_DEPTH, errors
    tolerance = FP32_MOTION if precision == "fp32" else REDUCED_MOTION
    for motion, wanted in zip(found.motions, expected.motions, strict=True):
        np.testing.assert_allclose(motion, wanted, rtol=tolerance, atol=tolerance)


@pytest.mark.parametrize(("name", "precision"), ENGINES)
@pytest.mark.parametrize("weights", ["ms_640_192", "m_640_192"])
def test_rt_monodepth_on_real_images(monodepth_data, known, graphs, weights, name, precision):
    assert_agree(known(monodepth_data / "rtmonodepth_s_weights" / weights, monodepth_data), name, precision)


@pytest.mark.parametrize(("name", "precision"), ENGINES)
def test_the_bundled_checkpoint_on_the_synthetic_world(known, graphs, name, precision):
    assert_agree(known(bundled_checkpoint()), name, precision)


@pytest.fixture
def own_checkpoint():
    """For weights that are too large to stand in the project: MONODEPTH_CHECKPOINT=trained/last.safetensors."""
    path = os.environ.get("MONODEPTH_CHECKPOINT")
    return Path(path) if path else pytest.skip("MONODEPTH_CHECKPOINT names no checkpoint")


@pytest.mark.parametrize(("name", "precision"), ENGINES)
def test_a_checkpoint_of_ones_own_on_the_synthetic_world(own_checkpoint, known, graphs, name, precision):
    assert_agree(known(own_checkpoint), name, precision)


@pytest.mark.parametrize(("name", "precision"), ENGINES)
def test_a_checkpoint_of_ones_own_on_real_images(own_checkpoint, monodepth_data, known, graphs, name, precision):
    assert_agree(known(own_checkpoint, monodepth_data), name, precision)
