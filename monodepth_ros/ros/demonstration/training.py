# SPDX-License-Identifier: Apache-2.0
"""`scripts/demo --train`: networks trained on the demonstration's recording, and their depth before and after."""

from pathlib import Path

import cv2

from monodepth_ros.cli.interrupt import stop_on_interrupt
from monodepth_ros.cli.progress import ReadingProgress, StepProgress
from monodepth_ros.cli.result_files import print_facts
from monodepth_ros.networks.checkpoints.checkpoint import load_checkpoint, save_checkpoint
from monodepth_ros.output_file import write_file
from monodepth_ros.settings.schema import replace
from monodepth_ros.training.before_after import SHEET, before_after_sheet
from monodepth_ros.training.config import TrainConfig
from monodepth_ros.training.presets import PRESETS
from monodepth_ros.training.session import conclude, make_training_folder, open_training_data
from monodepth_ros.training.trainer import BEST, LAST, Trainer

UNTRAINED = "untrained.safetensors"


def train_on(bag: str, topic: str, camera_info: str, device: str, results: Path, steps: int) -> Path:
    """Train the compact pair from random weights on a recording; the checkpoint. KeyboardInterrupt if stopped.

    Writes the files of `monodepth train`, and a sheet of depth before and after, to <results>/train/<time>/.
    """
    changes = {"data.recordings": [bag], "data.topic": topic, "data.camera_info": camera_info}
    changes |= {"loop.device": device, "loop.max_steps": steps}
    config = replace(TrainConfig(), {**PRESETS["compact"], **changes})
    with ReadingProgress() as reading:
        dataset = open_training_data(config, reading)
    with dataset:
        folder = make_training_folder(config.with_input_size(dataset.size), root=results)
        with (
            StepProgress() as progress,
            Trainer(config, dataset, folder, report=progress) as trainer,
            stop_on_interrupt(trainer.stop),
        ):
            untrained = folder / UNTRAINED
            save_checkpoint(untrained, trainer.header(), trainer.learner.depth, trainer.learner.pose)
            samples = f"{len(dataset.training)} samples, held out {len(dataset.validation)}"
            print(f"training    {trainer.steps} steps on {trainer.device}: {samples}")
            is_finished = trainer.run()
        print_facts(conclude(trainer, is_finished), width=19)
        if not is_finished:
            raise KeyboardInterrupt
        trained = folder / BEST if (folder / BEST).exists() else folder / LAST
        sheet = before_after_sheet(dataset, load_checkpoint(untrained), load_checkpoint(trained))
        write_file(folder / SHEET, cv2.imencode(".png", sheet)[1].tobytes())
        print(f"before, after      {folder / SHEET}")
    return trained
