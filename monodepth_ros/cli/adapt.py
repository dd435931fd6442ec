# SPDX-License-Identifier: Apache-2.0
"""`monodepth adapt`: a checkpoint made better for one's own camera, or left as it is."""

import argparse
from pathlib import Path

from monodepth_ros.cli.argument_types import count
from monodepth_ros.cli.train import INTERRUPTED, Bar, make_folder, open_data, run_to_end

FIGURES = ("loss", "inconsistency", "spread", "abs_rel", "a1", "ate_5", "rotation_error")


def add_parser(verbs: argparse._SubParsersAction) -> None:
    """Register the verb and its options."""
    parser = verbs.add_parser(
        "adapt",
        help="make a checkpoint better for one's own camera, from a recording of it",
        description="Train a checkpoint on for some minutes with recordings of the camera it is to serve. A fifth of each"
        " recording, in blocks, is held out and judges the result without ground truth: the new checkpoint is kept only where"
        " it explains the held-out images better, its depth agrees with itself and has not collapsed.",
    )
    parser.add_argument(
        "recordings", nargs="+", metavar="RECORDING", help="bags, image folders, KITTI folders or videos"
    )
    parser.add_argument(
        "--checkpoint", default="", metavar="FILE", help="what to begin with (default: the bundled checkpoint)"
    )
    parser.add_argument("--steps", type=count, default=400, metavar="N", help="at most so many steps (default 400)")
    parser.add_argument(
        "--set", action="append", default=[], metavar="NAME=VALUE", help="a setting of `monodepth train`; repeatable"
    )
    parser.add_argument("--device", default="", help="auto, cpu, cuda or cuda:N (loop.device)")
    parser.add_argument(
        "--out", default="", metavar="DIR", help="folder of the results (default: results/adapt/<time>)"
    )
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Adapt; 0 also where the old checkpoint turned out to be the better one, 130 after control-C (what was reached by then
    is judged). MonodepthError for bad input."""
    from monodepth_ros.networks.bundled_checkpoint import bundled_checkpoint
    from monodepth_ros.networks.checkpoint import load_checkpoint
    from monodepth_ros.settings.files import changed
    from monodepth_ros.settings.schema import replace
    from monodepth_ros.training.adaptation import adaptation_settings, judge, keep
    from monodepth_ros.training.samples.clip import TrainingError
    from monodepth_ros.training.trainer import Trainer

    checkpoint = load_checkpoint(options.checkpoint or bundled_checkpoint())
    config = replace(adaptation_settings(checkpoint, options.steps), {"data.recordings": options.recordings})
    config = changed(config, options.set)
    if options.device:
        config = replace(config, {"loop.device": options.device})
    with open_data(config, True, checkpoint.header.training_camera) as dataset:
        for note in dataset.notes:
            print(note)
        if not dataset.validation:
            raise TrainingError("nothing is held out to judge by: record longer, or raise data.validation_share")
        folder = make_folder(options.out, "", config, "adapt")
        bar = Bar(True)
        trainer = Trainer(config, dataset, folder, report=bar)
        print(f"{checkpoint.path}: {checkpoint.header.summary()}; on {trainer.device}; at most {trainer.steps} steps")
        is_finished = run_to_end(trainer, bar)
        outcome = judge(folder)
        kept = keep(checkpoint, dataset, folder, config.data.workers) if outcome.is_better else None
        _report(trainer, checkpoint, outcome, kept)
    return 0 if is_finished else INTERRUPTED


def _report(trainer, checkpoint, outcome, kept: Path | None) -> None:
    """The figures before and after, the pictures, the page, and the last words."""
    import cv2

    from monodepth_ros.networks.checkpoint import load_checkpoint
    from monodepth_ros.training.before_after import SHEET, before_after_sheet
    from monodepth_ros.training.report import write_report

    folder = trainer.folder
    facts = [("began with", f"{checkpoint.path} ({checkpoint.header.summary()})")]
    for title, line in (("before", outcome.before), ("after", outcome.after)):
        shown = ", ".join(f"{name} {line[name]:.4g}" for name in FIGURES if line.get(name) is not None)
        facts.append((title, f"{shown} (step {line['step']})"))
        print(f"{title:<11}{facts[-1][1]}")
    verdict = "the new checkpoint is kept" if kept else "the old checkpoint stays"
    facts += [("verdict", f"{verdict}: {outcome.reason}"), *(("data", note) for note in trainer.dataset.notes)]
    sheet = None
    if kept:
        sheet = before_after_sheet(trainer.dataset, checkpoint, load_checkpoint(kept))
        cv2.imwrite(str(folder / SHEET), sheet)
    write_report(folder, facts, trainer.pictures, trainer.trajectories, title="Adaptation", sheet=sheet)
    print(f"verdict    {verdict}: {outcome.reason}")
    print(f"checkpoint {kept or checkpoint.path}")
    print(f"report     {folder / 'report.html'}")
