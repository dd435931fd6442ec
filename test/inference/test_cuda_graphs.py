# SPDX-License-Identifier: Apache-2.0
"""Recording and replay of CUDA graphs, with the CPU in place of the GPU."""

import numpy as np
import pytest
import torch
from host_queue import NETWORKS, HostQueue, HostQueueWithoutGraphs, expected_of, picture

from monodepth_ros.inference.cuda_graphs import MAX_SIZES, Replayed
from monodepth_ros.inference.pytorch_cuda import CudaEngine
from monodepth_ros.networks.checkpoints.checkpoint import load_checkpoint


def test_an_expected_motion_is_queued_after_depth_without_delaying_it(make_checkpoint):
    queue = HostQueue()
    engine = CudaEngine(load_checkpoint(make_checkpoint()), "cpu", "fp32", queue=queue)
    engine.warm_up()
    queue.ran.clear()
    queue.waits = 0
    first, second = (engine.load_image(picture(phase)) for phase in (0.0, 0.3))
    engine.expect_motion(first, second)
    engine.disparity(second)
    assert (queue.ran, queue.waits) == (["depth", "motion"], 1)
    engine.motion(first, second)
    assert (queue.ran, queue.waits) == (["depth", "motion"], 2)


@pytest.mark.parametrize(("depth", "pose"), NETWORKS)
def test_each_batch_size_is_recorded_once_and_only_results_are_waited_for(make_checkpoint, depth, pose):
    checkpoint, queue = load_checkpoint(make_checkpoint(depth, pose)), HostQueue()
    engine = CudaEngine(checkpoint, "cpu", "fp32", queue=queue)
    for _ in range(2):
        images = [engine.load_image(picture(phase)) for phase in (0.0, 0.3, 0.6)]
        assert queue.waits == 0
        engine.motion(*images[:2])  # includes the depth network's pass, if the pose network needs it
        assert queue.waits == 1
        engine.disparities(images)
        assert queue.waits == 2
        queue.waits = 0
    # Pairs of the pose network and batches of the depth network, which also runs once for motion if they share results.
    assert sorted(queue.recorded) == ([1, 3] if pose == "separate_resnet18" else [1, 1, 3])


def test_networks_run_without_graphs_and_warn_once_if_recording_fails(make_checkpoint):
    checkpoint, warnings = load_checkpoint(make_checkpoint()), []
    engine = CudaEngine(checkpoint, "cpu", "fp32", warnings.append, HostQueueWithoutGraphs())
    (first, second), (motion,) = expected_of(checkpoint, (0.0, 0.3))
    for _ in range(3):
        images = [engine.load_image(picture(phase)) for phase in (0.0, 0.3)]
        np.testing.assert_allclose(engine.disparities(images), [first, second], atol=1e-5)
        np.testing.assert_allclose(engine.disparity(images[0]), first, atol=1e-5)
    assert warnings == [
        "the networks run without CUDA graphs, which is slower: operation not permitted when stream is capturing"
    ]
    np.testing.assert_allclose(engine.motion(*images), motion, atol=1e-5)


def test_the_number_of_recordings_is_limited():
    queue = HostQueue()
    double = Replayed(lambda batch: (2 * batch,), queue.record, pytest.fail)
    for _ in range(2):
        for size in (*range(1, MAX_SIZES + 4), 1):
            items = [torch.full((1, 2), float(index)) for index in range(size)]
            (found,) = double(items)
            assert found[:, 0].tolist() == [2.0 * index for index in range(size)]
    assert queue.recorded == list(range(1, MAX_SIZES + 1))
