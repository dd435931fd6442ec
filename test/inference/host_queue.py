# SPDX-License-Identifier: Apache-2.0
"""A CUDA queue on the CPU, and the images and expected results that tests of the CUDA engine share."""

from contextlib import nullcontext

import numpy as np
import torch

from monodepth_ros.inference.cuda_graphs import CudaQueue
from monodepth_ros.inference.pytorch import PytorchEngine
from monodepth_ros.networks.formula_weights import formula_image

NETWORKS = [("rt_monodepth_s", "separate_resnet18"), ("resnet18", "shared_resnet18"), ("rt_monodepth_s", "posecnn")]


def picture(phase):
    return (255 * formula_image(phase, 64, 96)).round().astype(np.uint8).transpose(1, 2, 0)


class HostQueue:
    """The CPU in place of `CudaQueue`: a replay writes new results to the recording's outputs, like a graph."""

    def __init__(self):
        self.recorded, self.waits, self.ran = [], 0, []

    def current(self):
        return nullcontext()

    def upload(self, array):
        return torch.from_numpy(array.copy())

    def download(self, tensor):
        staged = tensor.clone()

        def fetch():
            self.waits += 1
            return staged.numpy().copy()

        return fetch

    def wait(self):
        pass

    def record(self, function, inputs):
        self.recorded.append(inputs[0].shape[0])
        outputs = function(*inputs)

        def replay():
            self.ran.append("depth" if outputs[0].ndim == 3 else "motion")
            for output, found in zip(outputs, function(*inputs), strict=True):
                output.copy_(found)
            return outputs

        return replay


def refuse_to_record(queue, function, inputs):
    raise RuntimeError("operation not permitted\nwhen stream is capturing")


class HostQueueWithoutGraphs(HostQueue):
    record = refuse_to_record


class CudaQueueWithoutGraphs(CudaQueue):
    record = refuse_to_record


def expected_of(checkpoint, phases):
    """Disparities of pictures by eager PyTorch on the CPU, and the motion from each picture to the next."""
    engine = PytorchEngine(checkpoint, "cpu", "fp32")
    images = [engine.load_image(picture(phase)) for phase in phases]
    disparities = [engine.disparity(image) for image in images]
    return disparities, [engine.motion(*pair) for pair in zip(images, images[1:], strict=False)]
