# SPDX-License-Identifier: Apache-2.0
"""`monodepth evaluate odometry`: a trajectory, or that of a checkpoint, against the reference."""

import argparse
from dataclasses import asdict

import numpy as np

from monodepth_ros.cli.argument_types import count, positive
from monodepth_ros.cli.network_arguments import add_network_arguments, engine_settings
from monodepth_ros.cli.output_arguments import add_force, chosen_outputs, write_marked_json
from monodepth_ros.cli.progress import Progress, stage
from monodepth_ros.cli.result_files import check_picture_name, encoded_picture, say
from monodepth_ros.cli.source_arguments import add_source_arguments, open_recording
from monodepth_ros.data.pose_files.columns import ORDERS
from monodepth_ros.errors import MonodepthError
from monodepth_ros.evaluation.odometry_report import OdometryReport, OdometrySettings, evaluate_odometry
from monodepth_ros.evaluation.step_consistency import step_consistency
from monodepth_ros.evaluation.trajectory_errors import align
from monodepth_ros.evaluation.trajectory_file import Trajectory, is_trajectory_file, read_trajectory
from monodepth_ros.evaluation.trajectory_pairs import pair
from monodepth_ros.inference.create_engine import create_engine
from monodepth_ros.networks.checkpoints.bundled_checkpoint import bundled_checkpoint
from monodepth_ros.networks.checkpoints.checkpoint import load_checkpoint
from monodepth_ros.odometry.config import MOTION_SOURCES
from monodepth_ros.offline.checkpoint_odometry import checkpoint_odometry, reference_trajectory
from monodepth_ros.output_file import Attempts
from monodepth_ros.own_outputs import Outputs, marked_picture
from monodepth_ros.pictures.odometry_picture import odometry_picture
from monodepth_ros.pipeline.run_config import RunConfig
from monodepth_ros.settings.files import changed
from monodepth_ros.settings.schema import replace

ALIGNMENTS = ("none", "scale", "6dof", "7dof")


def add_parser(subjects: argparse._SubParsersAction) -> None:
    """Register the subject and its options."""
    parser = subjects.add_parser(
        "odometry",
        help="5-frame ATE, KITTI's t_err and r_err, ATE and RPE of a trajectory or a checkpoint's odometry",
        description="Compare a trajectory file with a reference, or run a checkpoint's odometry over a recording with"
        " poses. Files: TUM, EuRoC, KITTI, tables with named columns, or monodepth2's poses.npy.",
    )
    parser.add_argument("source", nargs="?", default="", help="recording with reference poses, to run a checkpoint on")
    add_network_arguments(parser)
    parser.add_argument(
        "--motion",
        choices=MOTION_SOURCES,
        default="",
        help="source of the motion, as odometry.source (default: auto, as in the node; network judges the pose network"
        " alone)",
    )
    parser.add_argument(
        "--set",
        action="append",
        default=[],
        metavar="NAME=VALUE",
        help="one setting of the node, such as scale.camera_height=1.65; repeatable",
    )
    parser.add_argument("--trajectory", default="", metavar="FILE", help="estimated trajectory, instead of a source")
    parser.add_argument(
        "--ground-truth", default="", metavar="PATH", help="reference trajectory: a file, or a recording with poses"
    )
    _add_file_arguments(parser.add_argument_group("how to read trajectory files"))
    _add_comparison_arguments(parser.add_argument_group("how to compare"))
    what = parser.add_argument_group("what to write")
    what.add_argument("--json", default="", metavar="FILE", help="all figures; - is standard output")
    what.add_argument("--plot", default="", metavar="FILE", help="both paths from above (.png or .jpg)")
    add_force(what)
    add_source_arguments(parser)
    parser.set_defaults(evaluate=evaluate)


def _add_file_arguments(group: argparse._ArgumentGroup) -> None:
    for name, of in (("--trajectory-quaternion", "--trajectory"), ("--ground-truth-quaternion", "--ground-truth")):
        group.add_argument(
            name, choices=ORDERS, default="", help=f"order of the quaternions in {of} (default: recognised)"
        )
    group.add_argument("--times", default="", metavar="FILE", help="times [s] of poses without times, one per line")


def _add_comparison_arguments(how: argparse._ArgumentGroup) -> None:
    how.add_argument("--align", choices=(*ALIGNMENTS, "all"), default="all", help="alignment (default: all four)")
    how.add_argument(
        "--segments", type=_lengths, default=(), metavar="M,M,...",
        help="segment lengths (default 100,200,...,800, shorter ones on a path below 100 m)",
    )  # fmt: skip
    how.add_argument("--segment-step", type=count, default=0, metavar="N", help="frames between segments (10)")
    how.add_argument("--snippet", type=_snippet, default=5, metavar="N", help="frames in a snippet (default 5)")
    how.add_argument("--delta", type=count, default=1, metavar="N", help="frames of relative errors (default 1)")
    how.add_argument(
        "--max-difference",
        type=positive,
        default=0.02,
        metavar="S",
        help="largest difference of paired times [s] (default 0.02)",
    )
    how.add_argument(
        "--truth-noise", type=_noise, default=(0.0, 0.0), metavar="M,RAD",
        help="errors of the reference motions from frame to frame, for NEES (default 0,0: exact)",
    )  # fmt: skip


def evaluate(options: argparse.Namespace) -> None:
    """Compare, print and write. Raises MonodepthError for bad input."""
    _check(options)
    outputs = chosen_outputs("evaluate odometry", options, {"--json": options.json, "--plot": options.plot})
    if options.plot:
        check_picture_name(options.plot)
    reference, estimate, notes = _from_files(options) if options.trajectory else _from_network(options)
    reference_poses, poses = pair(reference, estimate, options.max_difference)
    settings = OdometrySettings(
        alignments=ALIGNMENTS if options.align == "all" else (options.align,),
        lengths=options.segments,
        step=options.segment_step,
        snippet=options.snippet,
        delta=options.delta,
    )
    report = evaluate_odometry(reference_poses, poses, settings)
    say(f"trajectory  {estimate.description}: {len(estimate)} poses", options)
    say(f"reference   {reference.description}: {len(reference)} poses", options)
    if estimate.is_scale_free:
        notes.append("the scale of the trajectory is unknown: look at scale and 7dof")
    for note in notes:
        say(f"note        {note}", options)
    say("\n".join(report.lines()), options)
    consistency = None
    if estimate.step_covariances is not None:
        consistency = step_consistency(
            reference.poses, estimate.poses, estimate.step_covariances, report.scale_ratio, options.truth_noise
        )
    if consistency is not None:
        text = f"of a step {consistency.nees:.1f}, mean of {consistency.steps}"
        say(f"NEES        {text}, lengths times {consistency.scale:.4g}; 6 is right", options)
    attempt = Attempts()
    if options.plot and attempt(lambda: _plot(outputs, reference_poses, poses, report, settings)):
        say(f"plot        {options.plot}", options)
    if options.json:
        names = {"trajectory": estimate.description, "ground_truth": reference.description, "notes": notes}
        steps = {"step_consistency": None if consistency is None else asdict(consistency)}
        attempt(lambda: write_marked_json(outputs, "--json", names | report.as_dict() | steps))
    attempt.end()


def _plot(
    outputs: Outputs, reference: np.ndarray, estimate: np.ndarray, report: OdometryReport, settings: OdometrySettings
) -> None:
    # The last alignment is the most forgiving one that was asked for.
    shown = settings.alignments[-1]
    aligned, scale = align(reference, estimate, shown)
    errors = report.aligned[-1][0]
    text = f"alignment {shown} (scale {scale:.4g}), ATE {errors.ate_rmse:.3g} m, {report.poses} poses"
    picture = encoded_picture(outputs.paths["--plot"], odometry_picture(reference, aligned, text))
    outputs.write("--plot", marked_picture(picture, outputs.verb))


def _check(options: argparse.Namespace) -> None:
    if bool(options.trajectory) == bool(options.source):
        raise MonodepthError("expected either a recording to run a checkpoint on, or --trajectory FILE")
    if options.trajectory and not options.ground_truth:
        raise MonodepthError("--trajectory needs --ground-truth: a trajectory file, or a recording with poses")
    if options.source and options.ground_truth:
        raise MonodepthError("--ground-truth goes with --trajectory; a recording is compared with its own poses")


def _from_files(options: argparse.Namespace) -> tuple[Trajectory, Trajectory, list[str]]:
    estimate = read_trajectory(options.trajectory, options.trajectory_quaternion, options.times)
    if is_trajectory_file(options.ground_truth):
        reference = read_trajectory(options.ground_truth, options.ground_truth_quaternion, options.times)
        return reference, estimate, [*estimate.notes, *reference.notes]
    with open_recording(options.ground_truth, options) as source:
        reference = reference_trajectory(source, options.frames)
        return reference, estimate, [*estimate.notes, *source.notes]


def _from_network(options: argparse.Namespace) -> tuple[Trajectory, Trajectory, list[str]]:
    config = changed(replace(RunConfig(), engine_settings(options)), options.set)
    with open_recording(options.source, options) as source:
        notes = list(source.notes) + [text for _, text in source.reference_lines if text.startswith("poses")]
        with stage("loading networks"):
            checkpoint = load_checkpoint(config.checkpoint or bundled_checkpoint())
            engine = create_engine(checkpoint, config, notes.append)
        if options.motion:
            config = replace(config, {"odometry.source": options.motion})
        say(f"checkpoint  {checkpoint.title}: {checkpoint.header.summary()}", options)
        with Progress(source.frame_count) as progress:
            reference, estimate, more = checkpoint_odometry(
                source, engine, checkpoint.header, options.frames, progress.step, config
            )
        late = [note for note in source.notes if note not in notes]
    return reference, estimate, notes + more + late


def _lengths(text: str) -> tuple[float, ...]:
    return tuple(positive(part) for part in text.split(","))


def _noise(text: str) -> tuple[float, float]:
    numbers = tuple(float(part) for part in text.split(","))
    if len(numbers) != 2 or not all(0 <= number < float("inf") for number in numbers):
        raise argparse.ArgumentTypeError(f"{text}: expected two numbers, metres and radians, such as 0.004,0.0004")
    return numbers


def _snippet(text: str) -> int:
    value = count(text)
    if value < 2:
        raise argparse.ArgumentTypeError(f"{text}: expected 2 frames or more in a snippet")
    return value
