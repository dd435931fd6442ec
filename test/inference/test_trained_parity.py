# SPDX-License-Identifier: Apache-2.0
"""Every engine against PyTorch in float32, with trained weights, on real and on synthetic images."""

import os
from functools import partial
from pathlib import Path

import numpy as np
import pytest

from monodepth_ros.data.images.image_codec import to_rgb
from monodepth_ros.data.sources.open_source import open_source
from monodepth_ros.evaluation.depth_metrics import evaluate_depth, mean_metrics
from monodepth_ros.inference.config import EngineConfig
from monodepth_ros.inference.create_engine import create_engine
from monodepth_ros.inference.engine import EngineError
from monodepth_ros.inference.parity import FP32_DISPARITY, FP32_MOTION, REDUCED_DEPTH, REDUCED_MOTION
from monodepth_ros.inference.pytorch import PytorchEngine
from monodepth_ros.networks.checkpoints.bundled_checkpoint import bundled_checkpoint
from monodepth_ros.networks.checkpoints.checkpoint import load_checkpoint
from monodepth_ros.networks.disparity import depth_at_size, disparity_to_depth, scale_disparity
from monodepth_ros.pipeline.network_view import view_through
from monodepth_ros.synthetic.drive import Drive, default_camera

ENGINES = [("openvino", "fp32"), ("openvino", "bf16"), ("onnxruntime", "fp32"), ("pytorch", "bf16")]
ABS_REL = 0.002
UNSEEN_STREET = 1003


def network_image(header, pixels, layout, camera):
    """A camera's image, resampled to the network's input."""
    view = view_through(camera, header.training_camera, header.width, header.height, header.filter)
    return to_rgb(view.resampler(pixels), layout)


def real_images(folder, header):
    """12 images in pairs of consecutive ones, and the LiDAR's depth for 8 of them."""
    images, references = [], []
    drives = (("kitti_raw_2011_09_26_drive_0052", 8), ("kitti_raw_2011_09_26_colour_f000-090_unknown_drive", 4))
    for name, count in drives:
        with open_source(str(folder / name)) as source:
            frames = list(source.frames())
        step = len(frames) // (count // 2)
        for frame in (frames[i + j] for i in range(0, step * (count // 2), step) for j in (0, 1)):
            images.append(network_image(header, frame.pixels.array, frame.pixels.layout, frame.camera))
            references.append(frame.reference_depth)
    assert len(images) == 12 and sum(depth is not None for depth in references) >= 7
    return images, references


def synthetic_images(header):
    """12 frames of a street outside the bundled checkpoint's training data, and their exact depth."""
    frames = list(Drive(UNSEEN_STREET, 1.2, 10.0))
    assert len(frames) == 12
    return [network_image(header, frame.image, "rgb", default_camera()) for frame in frames], [
        frame.depth for frame in frames
    ]


class Results:
    """Disparities and motions that an engine finds in some images."""

    def __init__(self, engine, images):
        loaded = [engine.load_image(image) for image in images]
        self.disparities = [engine.disparity(image) for image in loaded]
        pairs = zip(loaded, loaded[1:], strict=False)
        self.motions = [engine.motion(*pair) for pair in pairs] if engine.has_pose else []

    def abs_rel(self, references, header):
        """Mean abs_rel over the images with reference depth."""
        scaled = partial(scale_disparity, min_depth=header.min_depth, max_depth=header.max_depth)
        return mean_metrics([
            evaluate_depth(depth, depth_at_size(scaled(disparity), depth.shape[::-1]))
            for disparity, depth in zip(self.disparities, references, strict=True)
            if depth is not None
        ]).abs_rel  # fmt: skip


@pytest.fixture(scope="module")
def reference():
    """Checkpoint, images, reference depths and PyTorch's results in float32; each is computed once.

    Arguments: path of the checkpoint, folder of real data (None for the synthetic world).
    """
    made = {}

    def of(path, data=None):
        if (path, data) not in made:
            checkpoint = load_checkpoint(path)
            header = checkpoint.header
            images, references = synthetic_images(header) if data is None else real_images(data, header)
            made[path, data] = checkpoint, images, references, Results(PytorchEngine(checkpoint, "cpu", "fp32"), images)
        return made[path, data]

    return of


def engine_of(checkpoint, name, precision):
    for package in {"openvino": ["openvino"], "onnxruntime": ["onnxruntime", "onnx"]}.get(name, []):
        pytest.importorskip(package, reason=f"no {package}")
    try:
        return create_engine(checkpoint, EngineConfig(device="cpu", precision=precision, engine=name))
    except EngineError as error:
        if "this CPU has no bf16" in str(error):
            pytest.skip(str(error))
        raise


def assert_agree(reference_of_checkpoint, name, precision):
    checkpoint, images, references, expected = reference_of_checkpoint
    header = checkpoint.header
    found = Results(engine_of(checkpoint, name, precision), images)
    abs_rels = found.abs_rel(references, header), expected.abs_rel(references, header)
    differences, errors = [], []
    for disparity, wanted in zip(found.disparities, expected.disparities, strict=True):
        assert np.ptp(wanted) > 0.05, "a flat disparity shows nothing"
        differences.append(float(np.abs(disparity - wanted).max()))
        depth, wanted_depth = (disparity_to_depth(d, header.min_depth, header.max_depth) for d in (disparity, wanted))
        errors.append(float(np.mean(np.abs(depth - wanted_depth) / wanted_depth)))
    motions = [float(np.abs(a - b).max()) for a, b in zip(found.motions, expected.motions, strict=True)]
    print(
        f"{name} {precision}: disparity off by {max(differences):.2g} at most, depth by {100 * max(errors):.3f} % in"
        f" the worst image, abs_rel {abs_rels[0]:.5f} for {abs_rels[1]:.5f}, motion off by"
        f" {max(motions, default=0):.2g} at most"
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
def test_rt_monodepth_on_real_images(monodepth_data, reference, graphs, weights, name, precision):
    assert_agree(reference(monodepth_data / "rtmonodepth_s_weights" / weights, monodepth_data), name, precision)


@pytest.mark.parametrize(("name", "precision"), ENGINES)
def test_the_bundled_checkpoint_on_the_synthetic_world(reference, graphs, name, precision):
    assert_agree(reference(bundled_checkpoint()), name, precision)


@pytest.fixture
def own_checkpoint():
    """Path in MONODEPTH_CHECKPOINT, for weights too large for the repository."""
    path = os.environ.get("MONODEPTH_CHECKPOINT")
    return Path(path) if path else pytest.skip("MONODEPTH_CHECKPOINT names no checkpoint")


@pytest.mark.parametrize(("name", "precision"), ENGINES)
def test_a_custom_checkpoint_on_the_synthetic_world(own_checkpoint, reference, graphs, name, precision):
    assert_agree(reference(own_checkpoint), name, precision)


@pytest.mark.parametrize(("name", "precision"), ENGINES)
def test_a_custom_checkpoint_on_real_images(own_checkpoint, monodepth_data, reference, graphs, name, precision):
    assert_agree(reference(own_checkpoint, monodepth_data), name, precision)
