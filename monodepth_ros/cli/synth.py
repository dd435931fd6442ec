# SPDX-License-Identifier: Apache-2.0
"""`monodepth synth`: a recording of a drive through a synthetic street, with exact depth and odometry."""

import argparse
import math
import time

import numpy as np

from monodepth_ros.cli.argument_types import field_of_view, positive
from monodepth_ros.cli.interrupt import INTERRUPTED, stop_on_interrupt
from monodepth_ros.cli.output_arguments import add_force
from monodepth_ros.cli.progress import Progress, ProgressLine, stage
from monodepth_ros.data.bags.writer import BagWriter
from monodepth_ros.errors import MonodepthError
from monodepth_ros.geometry.camera import CameraModel
from monodepth_ros.synthetic.drive import Drive, default_camera, mounted, stereo_pair
from monodepth_ros.synthetic.drive_bag import write_drive

# Mild barrel distortion by model, that of a common wide-angle lens.
DISTORTIONS = {
    "plumb_bob": (-0.24, 0.075, 0.0006, -0.0004, -0.01),
    "rational_polynomial": (0.35, -0.06, 0.0004, -0.0003, 0.002, 0.6, 0.02, 0.004),
    "equidistant": (-0.02, 0.004, -0.001, 0.0002),
}
BASELINE = 0.54  # metres, KITTI's


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of the verb."""
    parser.description = (
        "Render a drive through a procedural street into a rosbag2: images, camera_info, tf_static,"
        " /ground_truth/odometry and /ground_truth/depth."
    )
    parser.add_argument("--out", required=True, help="the new bag: a folder, or a file name in .mcap or .db3")
    parser.add_argument("--seconds", type=positive, default=20.0, metavar="S", help="length [s] (default 20)")
    parser.add_argument("--rate", type=positive, default=10.0, metavar="HZ", help="frames per second (default 10)")
    parser.add_argument("--seed", type=_seed, default=1, help="seed of the street (default 1)")
    parser.add_argument("--width", type=int, default=640, help="image width [pixels] (default 640)")
    parser.add_argument("--height", type=int, default=192, help="image height [pixels] (default 192)")
    parser.add_argument(
        "--field-of-view",
        type=field_of_view,
        default=0.0,
        metavar="DEG",
        help="horizontal field of view, with square pixels (default: that of KITTI's cameras for any image size)",
    )
    parser.add_argument(
        "--storage",
        choices=("mcap", "sqlite3"),
        default="",
        help="storage of the bag (default: by the name, else mcap)",
    )
    parser.add_argument("--compressed", action="store_true", help="write JPEG images (sensor_msgs/CompressedImage)")
    parser.add_argument(
        "--distortion",
        default="none",
        metavar="MODEL[:D]",
        help=f"lens: none, {', '.join(DISTORTIONS)}; with your own coefficients as plumb_bob:k1,k2,p1,p2,k3",
    )
    parser.add_argument(
        "--stereo",
        type=positive,
        nargs="?",
        const=BASELINE,
        metavar="B",
        help=f"two cameras, /left and /right, B metres apart (default {BASELINE})",
    )
    parser.add_argument("--imu", action="store_true", help="write exact angular velocities on /imu (sensor_msgs/Imu)")
    parser.add_argument(
        "--depth-camera",
        action="store_true",
        help="add the aligned depth of a depth camera: millimetres, up to 20 m, noisy, with holes",
    )
    parser.add_argument("--no-traffic", action="store_true", help="no moving cars: a static street")
    parser.add_argument("--constant-light", action="store_true", help="no passing clouds, constant exposure")
    add_force(parser, "a recording at --out")


def run(options: argparse.Namespace) -> int:
    """Render and write. Raises MonodepthError for a path that exists and for impossible options."""
    BagWriter(options.out, options.storage, replace=options.force)  # refuses the path before the work
    if round(options.seconds * options.rate) < 1:
        raise MonodepthError(f"{options.seconds:g} s at {options.rate:g} Hz hold no frame: ask for more of either")
    with stage("building the street"):
        drive = Drive(
            options.seed,
            options.seconds,
            options.rate,
            make_cameras(options.width, options.height, options.distortion, options.stereo, options.field_of_view),
            traffic=not options.no_traffic,
            changing_light=not options.constant_light,
        )
    begin = time.monotonic()
    with (
        Progress(len(drive), ProgressLine(line_period=math.inf)) as progress,
        stop_on_interrupt(kept=f"the frames so far stay in {options.out}") as stop,
    ):
        written = write_drive(
            drive,
            options.out,
            options.storage,
            options.compressed,
            options.imu,
            depth_camera=options.depth_camera,
            is_stopped=stop.is_set,
            replace=options.force,
        )
        for _ in written:
            progress.step()
    seconds = time.monotonic() - begin
    content = f"{progress.count} frames, {progress.count / options.rate:g} s of street {options.seed}"
    print(f"wrote {options.out}: {content}, in {seconds:.1f} s")
    return INTERRUPTED if stop.is_set() else 0


def make_cameras(
    width: int, height: int, distortion: str = "none", baseline: float | None = None, field_of_view: float = 0.0
) -> dict:
    """Cameras on the vehicle by name: "camera", or "left" and "right" with a baseline [m].

    field_of_view: horizontal [degrees], with square pixels; 0: that of `default_camera`. Raises MonodepthError.
    """
    if min(width, height) < 16:
        raise MonodepthError(f"images of {width}x{height} are too small: 16x16 pixels at least")
    model = default_camera(width, height)
    if field_of_view:
        if field_of_view > 150:
            raise MonodepthError(f"--field-of-view {field_of_view:g}: a pinhole camera sees up to 150 degrees here")
        focal = 0.5 * width / math.tan(math.radians(field_of_view) / 2)
        model = CameraModel.pinhole(width, height, focal, focal, (width - 1) / 2, (height - 1) / 2)
    if distortion != "none":
        kind, coefficients = parse_distortion(distortion)
        model = CameraModel(width, height, K=model.K, D=np.array(coefficients), distortion_model=kind)
    if baseline is None:
        return {"camera": mounted(model)}
    return stereo_pair(model, baseline)


def parse_distortion(text: str) -> tuple[str, tuple[float, ...]]:
    """Name and coefficients of a distortion model from 'plumb_bob' or 'plumb_bob:k1,k2,...'.

    Raises MonodepthError for an unknown model and for text that is not numbers.
    """
    kind, _, numbers = text.partition(":")
    if kind not in DISTORTIONS:
        raise MonodepthError(f"unknown distortion '{kind}': expected none, {', '.join(DISTORTIONS)}")
    if not numbers:
        return kind, DISTORTIONS[kind]
    try:
        return kind, tuple(float(number) for number in numbers.split(","))
    except ValueError:
        raise MonodepthError(f"--distortion {text}: expected numbers with commas after {kind}:") from None


def _seed(text: str) -> int:
    value = int(text)
    if value < 0:
        raise argparse.ArgumentTypeError(f"{text} is negative: seeds are whole numbers of 0 or more")
    return value
