# SPDX-License-Identifier: Apache-2.0
"""The engine for CUDA, on a GPU or with the CPU in its place."""

import weakref

import numpy as np
import pytest
import torch
from host_queue import NETWORKS, CudaQueueWithoutGraphs, HostQueue, expected_of, picture

from monodepth_ros.inference.config import EngineConfig
from monodepth_ros.inference.create_engine import create_engine
from monodepth_ros.inference.cuda_graphs import Replayed
from monodepth_ros.inference.engine import EngineError
from monodepth_ros.inference.parity import check_parity
from monodepth_ros.inference.pytorch_cuda import CudaEngine
from monodepth_ros.networks.checkpoints.bundled_checkpoint import bundled_checkpoint
from monodepth_ros.networks.checkpoints.checkpoint import load_checkpoint


@pytest.fixture(params=["host", pytest.param("cuda", marks=pytest.mark.cuda)])
def create(request):
    """Creates a CudaEngine in float32: on a GPU, or with a HostQueue on the CPU."""
    if request.param == "cuda":
        return lambda checkpoint: CudaEngine(checkpoint, "cuda", "fp32", pytest.fail)
    return lambda checkpoint: CudaEngine(checkpoint, "cpu", "fp32", pytest.fail, HostQueue())


@pytest.mark.parametrize(("depth", "pose"), NETWORKS)
@pytest.mark.parametrize("depth_first", [True, False])
def test_depth_and_motion_equal_the_eager_engine_s(create, make_checkpoint, depth, pose, depth_first):
    checkpoint = load_checkpoint(make_checkpoint(depth, pose))
    engine, phases = create(checkpoint), (0.0, 0.3, 0.6, 0.9)
    disparities, motions = expected_of(checkpoint, phases)
    previous = None
    for index, phase in enumerate(phases):  # the first is recorded, the others are replayed
        image = engine.load_image(picture(phase))
        for is_depth in (depth_first, not depth_first):
            if is_depth:
                np.testing.assert_allclose(engine.disparity(image), disparities[index], atol=1e-4)
            elif previous is not None:
                np.testing.assert_allclose(engine.motion(previous, image), motions[index - 1], atol=1e-4)
        previous = image


@pytest.mark.parametrize(("depth", "pose"), NETWORKS)
def test_a_batch_of_six_images_gives_the_results_of_single_images(create, make_checkpoint, depth, pose):
    checkpoint = load_checkpoint(make_checkpoint(depth, pose))
    engine, phases = create(checkpoint), np.arange(6) / 6
    disparities, motions = expected_of(checkpoint, phases)
    for _ in range(2):
        images = [engine.load_image(picture(phase)) for phase in phases]
        for found, expected in zip(engine.disparities(images), disparities, strict=True):
            np.testing.assert_allclose(found, expected, atol=1e-4)
        for pair, expected in zip(zip(images, images[1:], strict=False), motions, strict=False):
            np.testing.assert_allclose(engine.motion(*pair), expected, atol=1e-4)
    assert engine.disparities([]) == []


@pytest.mark.parametrize(("depth", "pose"), NETWORKS)
def test_an_image_and_its_results_stay_valid_after_later_calls(create, make_checkpoint, depth, pose):
    checkpoint = load_checkpoint(make_checkpoint(depth, pose))
    engine, phases = create(checkpoint), (0.0, 0.3)
    (first, second), (motion,) = expected_of(checkpoint, phases)
    images = [engine.load_image(picture(phase)) for phase in phases]
    disparity, _ = [engine.disparity(image) for image in images]
    others = [engine.load_image(picture(1 + index / 20)) for index in range(12)]
    engine.disparities(others[:2])
    for pair in zip(others, others[1:], strict=False):
        engine.disparity(pair[0])
        engine.motion(*pair)
    np.testing.assert_allclose(disparity, first, atol=1e-4)
    np.testing.assert_allclose(engine.motion(*images), motion, rtol=1e-3, atol=1e-6)
    np.testing.assert_allclose(engine.disparity(images[1]), second, atol=1e-4)


@pytest.mark.parametrize(("depth", "pose"), NETWORKS)
def test_expected_and_unexpected_motions_are_right(create, make_checkpoint, depth, pose):
    checkpoint = load_checkpoint(make_checkpoint(depth, pose))
    engine, phases = create(checkpoint), (0.0, 0.3, 0.6, 0.9)
    disparities, motions = expected_of(checkpoint, phases)
    for _ in range(2):
        images = [engine.load_image(picture(phase)) for phase in phases]
        np.testing.assert_allclose(engine.disparity(images[0]), disparities[0], atol=1e-4)
        for index in (1, 2, 3):
            engine.expect_motion(images[index - 1], images[index])
        for found, expected in zip(engine.disparities(images[1:]), disparities[1:], strict=True):
            np.testing.assert_allclose(found, expected, atol=1e-4)
        np.testing.assert_allclose(engine.motion(images[0], images[2]), engine.motion(images[0], images[2]))
        for index in (3, 2, 1, 3):
            np.testing.assert_allclose(engine.motion(images[index - 1], images[index]), motions[index - 1], atol=1e-4)


def test_an_image_does_not_keep_earlier_images_alive(create, make_checkpoint):
    engine = create(load_checkpoint(make_checkpoint()))
    previous, seen = None, []
    for index in range(6):
        image = engine.load_image(picture(index / 6))
        if previous is not None:
            engine.expect_motion(previous, image)  # the motion itself is never asked for
        engine.disparity(image)
        seen.append(weakref.ref(image))
        previous = image
    del image
    assert [reference() is not None for reference in seen] == [False, False, False, False, True, True]


def test_a_failing_motion_does_not_affect_depth(create, make_checkpoint, monkeypatch):
    engine = create(load_checkpoint(make_checkpoint()))
    first, second = (engine.load_image(picture(phase)) for phase in (0.0, 0.3))

    run = Replayed.__call__

    def out_of_memory_for_pairs(replayed, *inputs):
        if len(inputs) == 2:
            raise RuntimeError("out of memory")
        return run(replayed, *inputs)

    monkeypatch.setattr(Replayed, "__call__", out_of_memory_for_pairs)
    engine.expect_motion(first, second)
    assert np.isfinite(engine.disparity(second)).all()
    with pytest.raises(RuntimeError, match="out of memory"):
        engine.motion(first, second)


def test_the_pixels_may_be_overwritten_after_loading(create, checkpoint_file):
    engine, pixels = create(load_checkpoint(checkpoint_file)), np.ascontiguousarray(picture(0.0))
    expected = engine.disparity(engine.load_image(pixels))
    for layout in (
        pixels[..., ::-1].copy()[..., ::-1],
        np.frombuffer(pixels.tobytes(), np.uint8).reshape(pixels.shape),
    ):
        assert np.array_equal(engine.disparity(engine.load_image(layout)), expected)
    image = engine.load_image(pixels)
    pixels[:] = 0
    assert np.array_equal(engine.disparity(image), expected)


def test_wrong_images_and_calls_after_release_are_refused(create, checkpoint_file):
    engine = create(load_checkpoint(checkpoint_file))
    with pytest.raises(EngineError, match=r"the network takes uint8 \(64, 96, 3\)"):
        engine.load_image(np.zeros((64, 95, 3), np.uint8))
    image = engine.load_image(picture(0.0))
    engine.release()
    engine.release()
    for call in (
        lambda: engine.load_image(picture(0.0)),
        lambda: engine.disparity(image),
        lambda: engine.motion(image, image),
    ):
        with pytest.raises(EngineError, match="has been released"):
            call()


@pytest.mark.cuda
@pytest.mark.parametrize("precision", ["fp32", "fp16", "bf16"])
@pytest.mark.parametrize(("depth", "pose"), NETWORKS)
def test_cuda_agrees_with_the_cpu(make_checkpoint, depth, pose, precision):
    """Formula weights tolerate reduced precision less well than trained ones."""
    checkpoint = load_checkpoint(make_checkpoint(depth, pose))
    engine = create_engine(checkpoint, EngineConfig(device="cuda", precision=precision), warn=pytest.fail)
    assert (engine.name, engine.device, engine.precision) == ("pytorch", "cuda:0", precision)
    if precision == "fp32":
        check_parity(engine, checkpoint)
    (expected, _), (motion,) = expected_of(checkpoint, (0.0, 0.7))
    images = [engine.load_image(picture(phase)) for phase in (0.0, 0.7)]
    error = np.abs(engine.disparity(images[0]) - expected)
    limit = {"fp32": 1e-4, "fp16": 2e-3, "bf16": 2e-2}[precision]
    assert error.mean() < limit, f"disparity off by {error.mean()} on average, {error.max()} at most"
    error = np.abs(engine.motion(*images) - motion).max()
    assert error < 10 * limit, f"motion off by {error}"


@pytest.mark.cuda
@pytest.mark.parametrize("precision", ["fp16", "bf16"])
def test_the_bundled_checkpoint_passes_the_check_on_cuda(precision):
    checkpoint = load_checkpoint(bundled_checkpoint())
    check_parity(
        create_engine(checkpoint, EngineConfig(device="cuda", precision=precision), warn=pytest.fail), checkpoint
    )


@pytest.mark.cuda
@pytest.mark.parametrize("precision", ["fp32", "fp16", "bf16"])
@pytest.mark.parametrize(("depth", "pose"), NETWORKS)
def test_graphs_agree_with_the_same_kernels_run_one_by_one(make_checkpoint, depth, pose, precision):
    checkpoint = load_checkpoint(make_checkpoint(depth, pose))
    graphs = CudaEngine(checkpoint, "cuda", precision, pytest.fail)
    eager = CudaEngine(checkpoint, "cuda", precision, queue=CudaQueueWithoutGraphs(torch.device("cuda", 0)))
    tolerance = {"fp32": 1e-5, "fp16": 2e-3, "bf16": 2e-2}[precision]
    for phase in (0.0, 0.3, 0.6):
        pairs = [[engine.load_image(picture(phase + step)) for step in (0.0, 0.3)] for engine in (graphs, eager)]
        found, expected = (
            np.stack(engine.disparities(pair)) for engine, pair in zip((graphs, eager), pairs, strict=True)
        )
        np.testing.assert_allclose(found, expected, atol=tolerance)
        found, expected = (engine.motion(*pair) for engine, pair in zip((graphs, eager), pairs, strict=True))
        np.testing.assert_allclose(found, expected, atol=10 * tolerance)
