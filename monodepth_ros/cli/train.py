# SPDX-License-Identifier: Apache-2.0
"""`monodepth train`: networks learned from recordings."""

import argparse
from contextlib import nullcontext
from pathlib import Path

from monodepth_ros.cli.after_training import next_steps
from monodepth_ros.cli.interrupt import INTERRUPTED, stop_on_interrupt
from monodepth_ros.cli.progress import ReadingProgress, StepProgress, stage
from monodepth_ros.cli.result_files import print_facts
from monodepth_ros.cli.training_arguments import (
    add_force_argument,
    add_hardware_arguments,
    add_recording_arguments,
    add_training_arguments,
    hardware_changes,
    training_changes,
)
from monodepth_ros.training.config import TrainConfig
from monodepth_ros.training.processes import Processes, join_processes
from monodepth_ros.training.samples.clip import TrainingError
from monodepth_ros.training.session import conclude, open_training_data, trained_checkpoint, training_config
from monodepth_ros.training.trainer import STATE, NotWritten, Trainer
from monodepth_ros.training.training_folder import SETTINGS, TrainingFolder, training_inputs

FACTS_WIDTH = 19  # characters up to the values that are printed


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of the verb."""
    parser.description = (
        "Learn a depth and a pose network from bags, folders of images or of data sets, or videos. Leaves checkpoints"
        " for the node and `monodepth run`, a log and report.html in results/train/<time>/. Several GPUs:"
        " torchrun --nproc-per-node N -m monodepth_ros.cli.main train ..."
    )
    add_recording_arguments(parser)
    add_training_arguments(parser)
    parser.add_argument("--epochs", type=int, help="passes over the data (optimizer.epochs)")
    parser.add_argument("--batch-size", type=int, help="samples per step (loop.batch_size)")
    add_hardware_arguments(parser)
    parser.add_argument(
        "--out", default="", metavar="DIR", help="folder of the results (default: results/train/<time>)"
    )
    add_force_argument(parser)
    parser.add_argument(
        "--resume", default="", metavar="DIR", help="continue the training that was stopped in a folder"
    )


def run(options: argparse.Namespace) -> int:
    """Train; returns 0, or 130 after control-C (everything is saved for --resume).

    Raises MonodepthError for bad input, and for results that cannot be written.
    """
    config = configuration(options)
    with stage("starting"):
        processes = join_processes(config.loop.device)
    place = TrainingFolder(
        options.resume or options.out,
        is_resumed=bool(options.resume),
        force=options.force,
        inputs=[*training_inputs(config), options.config],
    )
    try:
        with place if processes.is_first else nullcontext():
            return _train(config, options, processes, place)
    finally:
        processes.end()


def _train(config: TrainConfig, options: argparse.Namespace, processes: Processes, place: TrainingFolder) -> int:
    with ReadingProgress() as reading:
        dataset = open_training_data(config, reading if processes.is_first else None)
    with dataset:
        folder = place.begin() if processes.is_first else place.path
        kept = f"the training so far is saved; `monodepth train --resume {folder}` continues it"
        with (
            StepProgress(processes.is_first) as progress,
            Trainer(config, dataset, folder, bool(options.resume), processes, progress) as trainer,
            stop_on_interrupt(trainer.stop, kept),
        ):
            if processes.is_first:
                for note in [*dataset.notes, *place.notes, *trainer.notes]:
                    print(note)
                place.write_settings(trainer.config)
                summary = trainer.header().summary()
                print(f"{summary}; on {trainer.device}; {trainer.steps} steps; results in {folder}")
            progress.prepare()
            try:
                is_finished = trainer.run()
            except NotWritten as error:
                raise TrainingError(f"{error}: make room, then {_resuming(folder)}") from None
            if processes.is_first:
                facts = conclude(trainer, is_finished)
                checkpoint = str(trained_checkpoint(folder))
                print_facts([*facts, *next_steps(trainer, checkpoint, trainer.header().is_metric)], FACTS_WIDTH)
    return 0 if is_finished else INTERRUPTED


def _resuming(folder: Path) -> str:
    """How to go on after a file could not be written."""
    if (folder / STATE).exists():
        return f"`monodepth train --resume {folder}` continues it"
    return "train again"


def configuration(options: argparse.Namespace) -> TrainConfig:
    """The settings that a user asked for: preset, file (or that of the training to resume), --set, then options."""
    if options.resume and (options.config or options.out or options.force):
        raise TrainingError("--resume continues with the folder's own settings: leave out --config, --out and --force")
    given = {
        "optimizer.epochs": options.epochs,
        "loop.batch_size": options.batch_size,
    }
    changes = training_changes(options) | hardware_changes(options)
    changes |= {name: value for name, value in given.items() if value is not None}
    file = str(Path(options.resume) / SETTINGS) if options.resume else options.config
    return training_config(options.preset, file, options.set, changes, is_resumed=bool(options.resume))
