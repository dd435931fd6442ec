# SPDX-License-Identifier: Apache-2.0
"""What to do after a training or an adaptation: run its checkpoint, then start the node with it."""

import dataclasses

from monodepth_ros.cli.next_commands import next_lines, node_command, run_command
from monodepth_ros.training.samples.open_dataset import camera_options
from monodepth_ros.training.trainer import Trainer


def next_steps(trainer: Trainer, checkpoint: str, is_metric: bool) -> list[tuple[str, str]]:
    """Commands for the first recording and its camera. checkpoint: '' for the bundled one."""
    data = trainer.config.data
    path = data.recordings[0]
    chosen, _ = camera_options(path, dataclasses.replace(data, sources="mono"), [])
    source = trainer.dataset.recordings[0].clip.source
    return next_lines(
        run_command(path, chosen, checkpoint, is_metric),
        node_command(source, checkpoint, is_metric),
    )
