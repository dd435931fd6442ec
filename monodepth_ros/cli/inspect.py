# SPDX-License-Identifier: Apache-2.0
"""`monodepth inspect`: what a training would use of its recordings, said before it."""

import argparse
import math
import sys

from monodepth_ros.cli.train import add_preset_argument, configuration

WOULD_NOT_TRAIN = 1
SHEET, FACTS = "inspect.png", "inspect.json"


def add_parser(verbs: argparse._SubParsersAction) -> None:
    """Register the verb and its options."""
    parser = verbs.add_parser(
        "inspect",
        help="say what a training would use of recordings, and what is wrong with them",
        description="Read recordings as `monodepth train` does and say which frames it would use and why not the others, with"
        " warnings and a contact sheet in results/<time>/. Exit code 1 where a training would refuse them.",
    )
    parser.add_argument("recordings", nargs="*", metavar="RECORDING", help="bags, image folders, KITTI folders, videos")
    parser.add_argument("--data", nargs="+", default=[], metavar="RECORDING", help="the same, as in monodepth train")
    add_preset_argument(parser)
    parser.add_argument(
        "--config",
        default="",
        metavar="YAML",
        help="settings of the training; `monodepth config --dump train` lists them all",
    )
    parser.add_argument(
        "--set",
        action="append",
        default=[],
        metavar="NAME=VALUE",
        help="one setting, such as data.frame_step=2; repeatable",
    )
    parser.add_argument(
        "--sources", choices=("mono", "stereo", "both"), help="what is reconstructed from (data.sources)"
    )
    parser.add_argument(
        "--from",
        dest="start_from",
        default="",
        metavar="CHECKPOINT",
        help="weights that training begins with",
    )
    parser.add_argument("--results", default="results", metavar="DIR", help="folder of the results (default: results)")
    parser.add_argument("--json", default="", metavar="FILE", help="the figures as JSON; - is standard output")
    parser.add_argument(
        "--write-mask",
        default="",
        metavar="FILE",
        help="PNG of what never changes at the image's border, for data.mask_file",
    )
    parser.set_defaults(run=run, resume="", out="", epochs=None, batch_size=None, device="")


def run(options: argparse.Namespace) -> int:
    """Inspect; 0, or 1 where a training would refuse the recordings. MonodepthError for what cannot be
    read."""
    from monodepth_ros.cli.result_files import say, write_json, write_picture
    from monodepth_ros.errors import MonodepthError
    from monodepth_ros.results_folder import new_results_folder
    from monodepth_ros.training.inspection.contact_sheet import contact_sheet
    from monodepth_ros.training.inspection.recording import inspect_recordings
    from monodepth_ros.training.inspection.warnings import add_warnings

    options.data = [*options.recordings, *options.data]
    config, _ = configuration(options)
    if not config.data.recordings:
        raise MonodepthError("nothing to inspect: give one or more recordings")
    if options.write_mask and not options.write_mask.lower().endswith(".png"):
        raise MonodepthError(f"{options.write_mask}: a mask is a PNG: end the name in .png")
    inspection = inspect_recordings(config, Indexing())
    add_warnings(inspection)
    folder = new_results_folder(options.results)
    several = len(inspection.recordings) > 1
    for number, one in enumerate(inspection.recordings):
        if number:
            say("", options)
        for name, value in recording_lines(one):
            say(f"{name:<16}{value}", options)
        path = folder / (f"inspect_{number}.png" if several else SHEET)
        write_picture(str(path), contact_sheet(one))
        say(f"{'contact sheet':<16}{path}", options)
    if several:
        say("", options)
    for name, value in outcome_lines(inspection):
        say(f"{name:<16}{value}", options)
    if options.write_mask:
        say(f"{'mask':<16}{written_mask(options.write_mask, inspection)}", options)
    for path in (str(folder / FACTS), options.json):
        if path:
            write_json(path, as_json(inspection))
    return WOULD_NOT_TRAIN if inspection.reason else 0


def recording_lines(one) -> list[tuple[str, str]]:
    """(name, value) of what is known of a recording, then its warnings."""
    figures = one.figures
    lines = [("recording", figures["source"])]
    lines += [("topic", f"{t['name']} ({t['type']}, {t['count']}){_use(t)}") for t in figures["topics"]]
    lines += [("note", note) for note in figures["notes"]]
    lines += camera_lines(figures["camera"])
    lines += [("view", text) for text in figures["view"]]
    unsteady = f", {_percent(figures['unsteady_share'])} of the intervals off by more than 20 %"
    if math.isfinite(figures["rate"]):
        text = f"{figures['rate']:.2f} Hz, {figures['frames']} frames in {figures['duration']:.2f} s{unsteady}"
        lines.append(("rate", text))
    else:
        lines.append(("rate", "one frame"))
    gaps = figures["gaps"]
    if gaps:
        shown = ", ".join(f"{gap['seconds']:.2f} s at {gap['at']:.2f} s" for gap in gaps[:5])
        more = f", and {len(gaps) - 5} more" if len(gaps) > 5 else ""
        lines.append(("gaps", f"{len(gaps)}, {figures['missing_frames']} frames missing: {shown}{more}"))
    step = figures["step"]
    if math.isfinite(figures["pose_interval"]):
        lines.append(
            (
                "step",
                f"{step} frame{'s' if step > 1 else ''}, {figures['pose_interval']:.3f} s between target and neighbours",
            )
        )
    motion = figures["motion_per_step"]
    if math.isfinite(motion):
        overlap = f"; neighbours overlap by about {100 * max(0.0, 1 - motion):.0f} %"
        lines.append(("motion", f"{100 * motion:.2f} % of the width per step (median){overlap}"))
    lines.append(("static", f"{_percent(figures['static_share'])} of the triplets, left out"))
    if math.isfinite(figures["parallax"]):
        text = f"{100 * figures['parallax']:.0f} % of the tracked points move as no rotation explains (median of {figures['looked_at']})"
        lines.append(("parallax", text))
    if math.isfinite(figures["brightness_change"]):
        usual, largest = (
            100 * math.expm1(figures[name]) for name in ("brightness_change", "largest_brightness_change")
        )
        lines.append(
            (
                "exposure",
                f"brightness changes by {usual:.1f} % from frame to frame (median), at most by {largest:.0f} %",
            )
        )
    lines.append(
        (
            "samples",
            f"{figures['training_samples']} for training, {figures['validation_samples']} for validation",
        )
    )
    unused = {use: n for use, n in figures["frames_by_use"].items() if use not in ("training", "validation")}
    lines += [("left out", f"{count}: {use}") for use, count in {**unused, **figures["left_out"]}.items()]
    lines.append(("ground truth", truth_text(figures["ground_truth"])))
    stereo = figures["stereo"]
    if stereo:
        paired = f", {_percent(stereo['paired_share'])} of the frames paired" if "paired_share" in stereo else ""
        use = "" if stereo["used"] else " (not used; --sources both would)"
        baseline = f"{stereo['baseline']:.4f} m" if math.isfinite(stereo["baseline"]) else "unknown"
        lines.append(("stereo partner", f"{stereo['right']}, baseline {baseline}{paired}{use}"))
    return lines + warning_lines(one.warnings)


def camera_lines(camera: dict) -> list[tuple[str, str]]:
    """Size, intrinsics, distortion and field of view."""
    size = f"{camera['width']}x{camera['height']}"
    if not camera["calibrated"]:
        return [("camera", f"{size}, not calibrated")]
    intrinsics = ", ".join(f"{name} {camera[name]:.2f}" for name in ("fx", "fy", "cx", "cy"))
    distortion = camera["distortion_model"]
    if distortion != "none":
        distortion += f" ({', '.join(f'{value:.4g}' for value in camera['D'])})"
    fields = camera["horizontal_field_of_view"], camera["vertical_field_of_view"]
    text = " x ".join(f"{angle:.0f}" if math.isfinite(angle) else "?" for angle in fields)
    state = "" if camera["rectified"] else ", rectified on the way in"
    return [("camera", f"{size}, {intrinsics}, {text} degrees"), ("distortion", distortion + state)]


def truth_text(truth: dict) -> str:
    """What exact depth and poses there are; they serve for validation only."""
    found = [f"{truth['depth_images']} depth images"] if truth["depth_images"] else []
    if truth["poses"]:
        found.append(f"{truth['poses']} poses, {truth['path_length']:.1f} m at {truth['mean_speed']:.2f} m/s")
    return ", ".join(found) + " (for validation only)" if found else "none"


def outcome_lines(inspection) -> list[tuple[str, str]]:
    """What the training would be, or why it would not begin."""
    figures = inspection.figures
    lines = warning_lines(inspection.warnings)
    if inspection.reason:
        return [*lines, ("training", f"would refuse: {inspection.reason}")]
    fx, fy, cx, cy = figures["training_camera"]
    text = (
        f"{figures['training_samples']} samples, validated on {figures['validated_on']};"
        f" camera of the networks fx {fx:.3f}, fy {fy:.3f}, cx {cx:.3f}, cy {cy:.3f} (of width, height);"
        f" pose interval {figures['pose_interval']:.3f} s"
    )
    return [*lines, ("training", text)]


def warning_lines(warnings) -> list[tuple[str, str]]:
    """Two lines each: what was found, what to do."""
    return [line for warned in warnings for line in (("WARNING", warned.found), ("  do", warned.advice))]


def written_mask(path: str, inspection) -> str:
    """Write the mask of the first recording in which something never changes; says what was done."""
    from monodepth_ros.cli.result_files import write_picture

    for one in inspection.recordings:
        if one.scan.region is not None:
            camera = one.index.cameras[0]
            write_picture(path, one.scan.region.mask(camera.width, camera.height))
            return f"{path}: --set data.mask_file={path}"
    return "nothing at the border never changes: none written"


def as_json(inspection) -> dict:
    """Everything that was printed, and what the pictures show of each frame's use."""
    recordings = [
        {**one.figures, "warnings": [vars(warned) for warned in one.warnings]} for one in inspection.recordings
    ]
    return {
        **inspection.figures,
        "reason": inspection.reason or None,
        "notes": inspection.notes,
        "warnings": [vars(warned) for warned in inspection.warnings],
        "recordings": recordings,
    }


class Indexing:
    """Progress of the first reading, as `monodepth run` shows its own."""

    def __init__(self):
        self._path = ""
        self._progress = None

    def __call__(self, path: str, count: int, total: int | None) -> None:
        from monodepth_ros.cli.progress import Progress

        if self._progress is None or count == 1:
            if self._progress is not None:
                self._progress.end()
            print(f"reading {path}", file=sys.stderr)
            self._progress = Progress(total)
        self._progress.step()
        if total and count == total:
            self._progress.end()
            self._progress = None


def _use(topic: dict) -> str:
    return f": {topic['use']}" if "use" in topic else ""


def _percent(share: float) -> str:
    return f"{100 * share:.0f} %"
