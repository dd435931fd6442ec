# SPDX-License-Identifier: Apache-2.0
"""Settings of a training that takes a second, and its batches."""

from monodepth_ros.training.samples.loader import Loader

SMALL = {
    "networks.depth": "rt_monodepth_s",
    "networks.pose": "posecnn",
    "networks.width": 96,
    "networks.height": 32,
    "objective.scales": 3,
    "loop.batch_size": 4,
    "loop.max_steps": 8,
    "loop.save_every": 3,
    "loop.log_every": 1,
    "loop.device": "cpu",
    "optimizer.learning_rate": 1e-3,
}


def batch_of(dataset, samples):
    loader = Loader(dataset, len(samples), workers=1)
    try:
        return next(loader.batches(samples)).to("cpu")
    finally:
        loader.close()
