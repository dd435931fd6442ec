# SPDX-License-Identifier: Apache-2.0
"""Named sets of training settings to start with."""

from typing import Any

PRESETS: dict[str, dict[str, Any]] = {
    # The defaults: the objective and schedule of Godard et al. 2019.
    "monodepth2": {},
    # Networks small enough to train on a laptop's CPU in minutes, from a few minutes of video.
    "compact": {
        "networks.depth": "rt_monodepth_s",
        "networks.pose": "posecnn",
        "networks.pixels": 12288,  # 192x64 for KITTI's cameras, 128x96 for 4:3
        "objective.scales": 3,
        "optimizer.learning_rate": 3e-4,
        "optimizer.schedule": "cosine",
        "optimizer.epochs": 100000,
        "loop.batch_size": 8,
        "loop.max_steps": 4000,
        "loop.validate_every": 500,
    },
}
