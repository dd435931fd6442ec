# SPDX-License-Identifier: Apache-2.0
"""`monodepth evaluate depth`: depth against ground truth, by the protocols of the field's tables."""

import argparse
from dataclasses import fields
from pathlib import Path

from monodepth_ros.cli.argument_types import positive
from monodepth_ros.cli.network_arguments import add_network_arguments, engine_settings
from monodepth_ros.cli.output_arguments import add_force, chosen_outputs, write_marked_json
from monodepth_ros.cli.progress import Progress, stage
from monodepth_ros.cli.result_files import csv_text, say
from monodepth_ros.cli.source_arguments import add_source_arguments, open_recording
from monodepth_ros.data.sources.left_out import few_reasons
from monodepth_ros.errors import MonodepthError
from monodepth_ros.evaluation.depth_arrays import DepthPredictions, read_truth_archive
from monodepth_ros.evaluation.depth_metrics import DepthMetrics
from monodepth_ros.evaluation.depth_report import DepthProtocol, DepthReport
from monodepth_ros.evaluation.split_file import read_split
from monodepth_ros.inference.config import EngineConfig
from monodepth_ros.inference.create_engine import create_engine
from monodepth_ros.networks.checkpoints.bundled_checkpoint import bundled_checkpoint
from monodepth_ros.networks.checkpoints.checkpoint import Checkpoint, load_checkpoint
from monodepth_ros.offline.checkpoint_depth import NO_TRUTH, FrameChoice, add_source
from monodepth_ros.offline.depth_predictor import DepthPredictor
from monodepth_ros.output_file import Attempts
from monodepth_ros.settings.schema import replace

Facts = list[tuple[str, str]]
TABLE_HEADER = ",".join(["image", *(field.name for field in fields(DepthMetrics))])


def add_parser(subjects: argparse._SubParsersAction) -> None:
    """Register the subject and its options."""
    parser = subjects.add_parser(
        "depth",
        help="abs_rel, rmse, a1, ... of a checkpoint or of saved predictions",
        description="Run a checkpoint over a recording with ground-truth depth, or read saved predictions, and"
        " compare by the protocol of Eigen et al. 2014 or that of KITTI's improved ground truth.",
    )
    parser.add_argument(
        "source", nargs="*", help="recordings with ground truth (or --ground-truth), to run a checkpoint on"
    )
    add_network_arguments(parser)
    parser.add_argument("--post-process", action="store_true", help="blend with the prediction for the mirrored image")
    parser.add_argument(
        "--predictions", default="", metavar="NPY",
        help="inverse depth (N, h, w) instead of a checkpoint, as monodepth2 saves it",
    )  # fmt: skip
    parser.add_argument("--depths", action="store_true", help="--predictions holds depth, not inverse depth")
    parser.add_argument(
        "--ground-truth", default="", metavar="PATH",
        help="gt_depths.npz, instead of the recording's own; with --predictions also a recording",
    )  # fmt: skip
    parser.add_argument(
        "--split", default="", metavar="FILE",
        help="only the frames it lists, such as Eigen's test_files.txt ('folder frame side' on each line)",
    )  # fmt: skip
    how = parser.add_argument_group("how to compare")
    how.add_argument(
        "--protocol", choices=("eigen", "improved"), default="eigen",
        help="eigen (default): ground truth up to 80 m, on KITTI in Garg's crop; improved: all, no crop",
    )  # fmt: skip
    how.add_argument(
        "--scaling", choices=("auto", "median", "checkpoint", "none"), default="auto",
        help="scale predictions by each image's medians, by the checkpoint's factor, or not at all; "
        "auto (default) is checkpoint for a metric one and a calibrated camera, else median",
    )  # fmt: skip
    how.add_argument("--factor", type=positive, default=1.0, metavar="F", help="multiply predictions (such as 5.4)")
    how.add_argument(
        "--crop", choices=("auto", "garg", "none"), default="auto", help="crop to use instead of the protocol's"
    )
    how.add_argument(
        "--min-depth", type=positive, default=1e-3, metavar="M", help="nearest depth to compare [m] (default 0.001)"
    )
    how.add_argument(
        "--max-depth", type=positive, default=80.0, metavar="M", help="farthest depth to compare [m] (default 80)"
    )
    what = parser.add_argument_group("what to write")
    what.add_argument("--per-image", action="store_true", help="print a line for each image")
    what.add_argument("--csv", default="", metavar="FILE", help="a table with a line for each image")
    what.add_argument("--json", default="", metavar="FILE", help="all figures; - is standard output")
    add_force(what)
    add_source_arguments(parser)
    parser.set_defaults(evaluate=evaluate)


def evaluate(options: argparse.Namespace) -> None:
    """Compare, print and write. Raises MonodepthError for bad input."""
    _check(options)
    paths = {"--csv": options.csv, "--json": options.json}
    outputs = chosen_outputs("evaluate depth", options, paths, headers={"--csv": TABLE_HEADER})
    facts, report = (_evaluate_predictions if options.predictions else _evaluate_checkpoint)(options)
    facts.append(("protocol", report.protocol.in_words()))
    lines = report.lines(options.per_image)
    for name, value in facts:
        say(f"{name:<14}{value}", options)
    for reason, number in few_reasons(report.left_out):
        say(f"{'left out':<14}{number}: {reason}", options)
    say("\n".join(lines), options)
    attempt = Attempts()
    if options.csv:
        attempt(lambda: outputs.write("--csv", csv_text(report.rows())))
    if options.json:
        notes = [value for name, value in facts if name == "note"]
        references = [value for name, value in facts if name == "reference"]
        single = {name.replace(" ", "_"): value for name, value in facts[:-1] if name not in ("note", "reference")}
        content = single | {"references": references, "notes": notes} | report.as_dict()
        attempt(lambda: write_marked_json(outputs, "--json", content))
    attempt.end()


def _check(options: argparse.Namespace) -> None:
    if bool(options.predictions) == bool(options.source):
        raise MonodepthError("expected either a recording to run a checkpoint on, or --predictions FILE.npy")
    if not options.predictions:
        if options.depths:
            raise MonodepthError("--depths goes with --predictions; a checkpoint gives inverse depth")
        if options.ground_truth and not _is_archive(options.ground_truth):
            raise MonodepthError(
                f"--ground-truth {options.ground_truth}: expected an .npz of depth maps; a recording that a"
                " checkpoint runs on has its own"
            )
        if options.ground_truth and len(options.source) > 1 and not options.split:
            raise MonodepthError(
                "one --ground-truth for several recordings needs --split, which lists the frame of each of its images"
            )
        return
    if not options.ground_truth:
        raise MonodepthError("--predictions needs --ground-truth: an .npz of depth maps, or a recording")
    if options.scaling == "checkpoint" or options.post_process or options.split:
        raise MonodepthError(
            "--scaling checkpoint, --post-process and --split need a checkpoint; for predictions of a known"
            " scale give --scaling none --factor F"
        )


def _is_archive(path: str) -> bool:
    return path.lower().endswith((".npz", ".npy"))


def _protocol(options: argparse.Namespace, crop: str, scaling: str, factor: float) -> DepthProtocol:
    is_eigen = options.protocol == "eigen"
    if options.crop != "auto":
        crop = options.crop
    elif not is_eigen:
        crop = "none"
    return DepthProtocol(crop, is_eigen, scaling, factor, options.min_depth, options.max_depth)


def _evaluate_checkpoint(options: argparse.Namespace) -> tuple[Facts, DepthReport]:
    split = read_split(options.split) if options.split else None
    archive = read_truth_archive(options.ground_truth) if options.ground_truth else None
    choice = FrameChoice(split, archive, options.frames)
    with stage("loading networks"):
        checkpoint = load_checkpoint(options.checkpoint or bundled_checkpoint())
    notes: list[str] = []
    engine, report, descriptions, references, chosen = None, None, [], [], 0
    sources = options.source
    if split is not None:  # skip recordings without a frame of the split
        sources = [path for path in sources if split.may_name(path)]
    for path in sources:
        with open_recording(path, options) as source:
            if engine is None:
                config = replace(EngineConfig(), engine_settings(options))
                with stage("starting the engine"):
                    engine = create_engine(checkpoint, config, notes.append)
                predictor = DepthPredictor(engine, checkpoint.header, options.post_process)
            crop = source.reference_crop if archive is None else "garg"
            protocol = _protocol(options, crop, *_scaling(options, checkpoint, source.is_calibrated))
            if report is None:
                report = DepthReport(protocol)
            _check_same(protocol, report.protocol, path)
            prefix = f"{Path(path).name}/" if len(options.source) > 1 else ""
            with Progress(source.frame_count) as progress:
                chosen += add_source(
                    report, source, path, predictor, choice=choice, prefix=prefix, advanced=progress.step
                )
            descriptions.append(source.description)
            references += [line for line in source.reference_lines if archive is None and line not in references]
            notes += source.notes
    if not chosen:
        raise MonodepthError(f"{options.split} names none of the frames of {', '.join(options.source)}")
    if split is not None and len(report.metrics) < len(split):
        notes.append(f"{len(report.metrics)} of the {len(split)} frames of {split.path} are compared")
    facts = [
        ("source", "; ".join(descriptions)),
        *references,
        ("checkpoint", f"{checkpoint.title}: {checkpoint.header.summary()}"),
        ("engine", f"{engine.name} on {engine.device} ({engine.precision})"),
        ("view", predictor.view_description),
    ]
    if archive is not None:
        facts.append(("ground truth", options.ground_truth))
    if options.post_process:
        facts.append(("post-process", "blended with the prediction for the mirrored image"))
    return facts + [("note", note) for note in notes], report


def _check_same(protocol: DepthProtocol, first: DepthProtocol, path: str) -> None:
    """Raise MonodepthError if a recording is compared otherwise than the first one."""
    if protocol.crop != first.crop:
        raise MonodepthError(f"{path} is compared with {protocol.crop} crop, others are not: give --crop")
    if protocol != first:
        raise MonodepthError(
            f"{path} is compared with scaling {protocol.scaling}, others are not, because not all are calibrated:"
            " give --scaling median, or --calibration"
        )


def _scaling(options: argparse.Namespace, checkpoint: Checkpoint, is_calibrated: bool) -> tuple[str, float]:
    """The protocol's scaling ('none' or 'median') and factor for --scaling and --factor."""
    header = checkpoint.header
    has_metres = header.is_metric and is_calibrated
    is_stated = options.scaling == "checkpoint" or (options.scaling == "auto" and has_metres)
    if not is_stated:
        return "median" if options.scaling == "auto" else options.scaling, options.factor
    if not header.is_metric:
        raise MonodepthError(f"{checkpoint.path} states no scale: use --scaling median, or none with --factor F")
    return "none", options.factor * header.scale_factor


def _evaluate_predictions(options: argparse.Namespace) -> tuple[Facts, DepthReport]:
    predictions = DepthPredictions(options.predictions, options.depths)
    scaling = "median" if options.scaling == "auto" else options.scaling
    facts = [("predictions", f"{options.predictions}: {len(predictions)} images")]
    if _is_archive(options.ground_truth):
        truth = read_truth_archive(options.ground_truth)
        if len(truth) != len(predictions):
            raise MonodepthError(
                f"{options.predictions} has {len(predictions)} images, {options.ground_truth} {len(truth)}:"
                " expected equal numbers"
            )
        report = DepthReport(_protocol(options, "garg", scaling, options.factor))
        for i, true_map in enumerate(truth):
            report.add(f"{i:06d}", true_map, predictions.depth(i, true_map.shape[::-1]))
            if i + 1 == options.frames:
                break
        return [*facts, ("ground truth", options.ground_truth)], report
    with open_recording(options.ground_truth, options) as source:
        description, crop = source.description, source.reference_crop
        known = [frame.reference_depth is not None for frame in source.frames()]
        reason = source.why_no_depth() or NO_TRUTH
    if not any(known):
        raise MonodepthError(f"{description}: no ground-truth depth in {len(known)} frames; {reason}")
    # One prediction for each frame, or for each that can be compared.
    if len(predictions) not in (len(known), sum(known)):
        raise MonodepthError(
            f"{options.predictions} has {len(predictions)} images, {description} {len(known)} frames,"
            f" {sum(known)} of them with ground truth: expected as many images as one or the other"
        )
    report = DepthReport(_protocol(options, crop, scaling, options.factor))
    index = 0
    with open_recording(options.ground_truth, options) as source:
        for frame in source.frames():
            if frame.reference_depth is not None:
                truth = frame.reference_depth
                report.add(frame.name, truth, predictions.depth(index, truth.shape[::-1]))
            if frame.reference_depth is not None or len(predictions) == len(known):
                index += 1
            if index == options.frames:
                break
    return [*facts, ("ground truth", description)], report
