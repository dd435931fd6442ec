# SPDX-License-Identifier: Apache-2.0
"""`monodepth adapt`: a checkpoint improved for the user's own camera, or kept as it is."""

import argparse
from pathlib import Path

import cv2

from monodepth_ros.cli.after_training import next_steps
from monodepth_ros.cli.argument_types import count
from monodepth_ros.cli.interrupt import INTERRUPTED, stop_on_interrupt
from monodepth_ros.cli.progress import ReadingProgress, StepProgress, stage
from monodepth_ros.cli.result_files import print_facts
from monodepth_ros.cli.training_arguments import (
    add_force_argument,
    add_hardware_arguments,
    add_recording_arguments,
    hardware_changes,
    recording_changes,
)
from monodepth_ros.errors import MonodepthError
from monodepth_ros.networks.checkpoints.bundled_checkpoint import NO_CHECKPOINT, bundled_checkpoint
from monodepth_ros.networks.checkpoints.checkpoint import Checkpoint, load_checkpoint
from monodepth_ros.output_file import write_file
from monodepth_ros.settings.files import changed, read_assignments
from monodepth_ros.settings.schema import replace
from monodepth_ros.training.adaptation import (
    Outcome,
    adaptation_settings,
    judge,
    keep,
    open_recordings,
    with_measured_depth,
)
from monodepth_ros.training.before_after import SHEET, before_after_sheet
from monodepth_ros.training.config import TrainConfig
from monodepth_ros.training.report import write_report
from monodepth_ros.training.samples.clip import TrainingError
from monodepth_ros.training.samples.dataset import Dataset
from monodepth_ros.training.session import figures_text
from monodepth_ros.training.trainer import NotWritten, Trainer
from monodepth_ros.training.training_folder import TrainingFolder, training_inputs

WIDTH = 11  # characters up to the values that are printed
FIGURES = ("loss", "inconsistency", "spread", "abs_rel", "a1", "ate_5", "rotation_error")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of the verb."""
    parser.description = (
        "Continue the training of a checkpoint for some minutes with recordings of the camera that it will serve. A"
        " fifth of each recording, in blocks, is held out and judges the result without ground truth. The new"
        " checkpoint is kept only if it explains the held-out images better and its depth is consistent and has not"
        " collapsed. Aligned depth of a depth camera in the recording teaches and judges as well."
    )
    add_recording_arguments(parser)
    parser.add_argument(
        "--checkpoint", default="", metavar="FILE", help="checkpoint to start with (default: the bundled checkpoint)"
    )
    parser.add_argument("--steps", type=count, default=400, metavar="N", help="maximum number of steps (default 400)")
    add_hardware_arguments(parser)
    parser.add_argument(
        "--out", default="", metavar="DIR", help="folder of the results (default: results/adapt/<time>)"
    )
    add_force_argument(parser)


def run(options: argparse.Namespace) -> int:
    """Adapt; returns 0 whether the new or the old checkpoint is kept, and 130 after control-C.

    After control-C the training so far is judged. Raises MonodepthError for bad input.
    """
    if not options.checkpoint:
        print(f"{NO_CHECKPOINT}; give --checkpoint weights for your camera, if you have some")
    with stage("loading networks"):
        checkpoint = load_checkpoint(options.checkpoint or bundled_checkpoint())
    config = changed(adaptation_settings(checkpoint, options.steps), options.set)
    config = replace(config, recording_changes(options) | hardware_changes(options))
    given = read_assignments(options.set)
    config = with_measured_depth(config, given)
    inputs = training_inputs(config)
    with TrainingFolder(options.out, "adapt", force=options.force, inputs=inputs) as place:
        with ReadingProgress() as reading:
            config, dataset = open_recordings(config, checkpoint, given, reading)
        with dataset:
            return _adapt(config, dataset, checkpoint, place, options)


def _adapt(
    config: TrainConfig, dataset: Dataset, checkpoint: Checkpoint, place: TrainingFolder, options: argparse.Namespace
) -> int:
    for note in [*dataset.notes, *place.notes]:
        print(note)
    if config.depth_supervision:
        weight = f"{config.depth_supervision}; --set objective.depth.weight=0 learns from the images alone"
        print(f"the recording's depth teaches beside the images, and judges the result ({weight})")
    if not dataset.validation:
        raise TrainingError("nothing is held out to judge by: record longer, or raise data.validation_share")
    folder = place.begin()
    kept_text = f"the training so far is judged, and its results stay in {folder}/"
    with (
        StepProgress() as progress,
        Trainer(config, dataset, folder, report=progress) as trainer,
        stop_on_interrupt(trainer.stop, kept_text),
    ):
        place.write_settings(trainer.config)
        summary = checkpoint.header.summary()
        print(f"{checkpoint.title}: {summary}; on {trainer.device}; at most {trainer.steps} steps")
        progress.prepare()
        try:
            is_finished = trainer.run()
        except NotWritten as error:
            raise TrainingError(f"{error}: make room, then adapt again; {checkpoint.title} is as it was") from None
        with stage("comparing with the checkpoint before"):
            outcome = judge(folder, dataset.depth_range is not None)
            kept = keep(checkpoint, dataset, folder, config.data.workers) if outcome.is_better else None
        _report(trainer, checkpoint, outcome, kept)
    is_metric = checkpoint.header.is_metric or (kept is not None and dataset.depth_range is not None)
    print_facts(next_steps(trainer, str(kept or options.checkpoint), is_metric), WIDTH)
    return 0 if is_finished else INTERRUPTED


def _report(trainer: Trainer, checkpoint: Checkpoint, outcome: Outcome, kept: Path | None) -> None:
    """Write the pictures and the page; print the figures before and after, and the verdict."""
    folder = trainer.folder
    figures = [("before", figures_text(outcome.before, FIGURES)), ("after", figures_text(outcome.after, FIGURES))]
    verdict = f"{'the new checkpoint is kept' if kept else 'the old checkpoint stays'}: {outcome.reason}"
    facts = [("began with", f"{checkpoint.title}: {checkpoint.header.summary()}"), *figures, ("verdict", verdict)]
    facts += [("data", note) for note in trainer.dataset.notes]
    sheet = None
    try:
        if kept:
            sheet = before_after_sheet(trainer.dataset, checkpoint, load_checkpoint(kept))
            write_file(folder / SHEET, cv2.imencode(".png", sheet)[1].tobytes())
        write_report(folder, facts, trainer.pictures, trainer.trajectories, title="Adaptation", sheet=sheet)
    except MonodepthError as error:
        raise TrainingError(f"{error}; {verdict} ({kept or checkpoint.path})") from None
    files = [("checkpoint", str(kept or checkpoint.path)), ("report", str(folder / "report.html"))]
    print_facts([*figures, ("verdict", verdict), *files], WIDTH)
