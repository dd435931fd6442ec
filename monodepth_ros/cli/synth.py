# SPDX-License-Identifier: Apache-2.0
"""`monodepth synth`: a recording of a drive through a synthetic street, with exact depth and odometry."""

import argparse
import sys
import time

from monodepth_ros.cli.argument_types import positive
from monodepth_ros.errors import MonodepthError

# A mild barrel distortion of each kind, as of a common wide-angle lens.
DISTORTIONS = {
    "plumb_bob": (-0.24, 0.075, 0.0006, -0.0004, -0.01),
    "rational_polynomial": (0.35, -0.06, 0.0004, -0.0003, 0.002, 0.6, 0.02, 0.004),
    "equidistant": (-0.02, 0.004, -0.001, 0.0002),
}
BASELINE = 0.54  # metres, KITTI's


def add_parser(verbs: argparse._SubParsersAction) -> None:
    """Register the verb and its options."""
    parser = verbs.add_parser(
        "synth",
        help="make a recording of a synthetic drive with exact depth and odometry",
        description="Render a drive through a procedural street into a rosbag2: images, camera_info, "
        "tf_static, /ground_truth/odometry and /ground_truth/depth.",
    )
    parser.add_argument("--out", required=True, help="the new bag: a folder, or a file name in .mcap or .db3")
    parser.add_argument("--seconds", type=positive, default=20.0, metavar="S", help="length (default 20)")
    parser.add_argument("--rate", type=positive, default=10.0, metavar="HZ", help="frames per second (default 10)")
    parser.add_argument("--seed", type=_seed, default=1, help="which street (default 1)")
    parser.add_argument("--width", type=int, default=640, help="pixels (default 640)")
    parser.add_argument("--height", type=int, default=192, help="pixels (default 192)")
    parser.add_argument("--storage", choices=("mcap", "sqlite3"), default="", help="default: by the name, else mcap")
    parser.add_argument("--compressed", action="store_true", help="write JPEG images (sensor_msgs/CompressedImage)")
    parser.add_argument(
        "--distortion",
        default="none",
        metavar="MODEL[:D]",
        help=f"lens: none, {', '.join(DISTORTIONS)}; with own coefficients as plumb_bob:k1,k2,p1,p2,k3",
    )
    parser.add_argument(
        "--stereo",
        type=positive,
        nargs="?",
        const=BASELINE,
        metavar="B",
        help=f"two cameras, /left and /right, B metres apart (default {BASELINE})",
    )
    parser.add_argument("--imu", action="store_true", help="write exact rates of rotation on /imu (sensor_msgs/Imu)")
    parser.add_argument("--no-traffic", action="store_true", help="no moving cars: everything in the street is static")
    parser.add_argument("--constant-light", action="store_true", help="no passing clouds, constant exposure")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Render and write; raises MonodepthError for a path that exists and for impossible options."""
    # Imported here because every other verb lists this one.
    from monodepth_ros.data.bags.writer import BagWriter
    from monodepth_ros.synthetic.drive import Drive
    from monodepth_ros.synthetic.drive_bag import write_drive

    BagWriter(options.out, options.storage)  # its problems come before the work
    if round(options.seconds * options.rate) < 1:
        raise MonodepthError(f"{options.seconds:g} s at {options.rate:g} Hz hold no frame: ask for more of either")

    cameras = make_cameras(options.width, options.height, options.distortion, options.stereo)
    drive = Drive(
        options.seed,
        options.seconds,
        options.rate,
        cameras,
        traffic=not options.no_traffic,
        changing_light=not options.constant_light,
    )
    begin = time.monotonic()
    for count in write_drive(drive, options.out, options.storage, options.compressed, options.imu):
        if sys.stderr.isatty():
            rate = count / (time.monotonic() - begin)
            left = (len(drive) - count) / rate
            print(
                f"\r{count}/{len(drive)} frames, {rate:.1f} frames/s, {left:.0f} s left ",
                end="",
                file=sys.stderr,
            )
    if sys.stderr.isatty():
        print(file=sys.stderr)
    seconds = time.monotonic() - begin
    what = f"{len(drive)} frames, {options.seconds:g} s of street {options.seed}"
    print(f"wrote {options.out}: {what}, in {seconds:.1f} s")
    return 0


def make_cameras(width: int, height: int, distortion: str = "none", baseline: float | None = None) -> dict:
    """The cameras on the vehicle by name: one called "camera", or "left" and "right"."""
    import numpy as np

    from monodepth_ros.geometry.camera import CameraModel
    from monodepth_ros.synthetic.drive import default_camera, mounted, stereo_pair

    if min(width, height) < 16:
        raise MonodepthError(f"images of {width}x{height} are too small: 16x16 pixels at least")
    model = default_camera(width, height)
    if distortion != "none":
        kind, coefficients = parse_distortion(distortion)
        model = CameraModel(width, height, K=model.K, D=np.array(coefficients), distortion_model=kind)
    if baseline is None:
        return {"camera": mounted(model)}
    return stereo_pair(model, baseline)


def parse_distortion(text: str) -> tuple[str, tuple[float, ...]]:
    """'plumb_bob' or 'plumb_bob:k1,k2,...' to the model's name and coefficients. Raises MonodepthError."""
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
        raise argparse.ArgumentTypeError(f"{text} is negative: seeds are whole numbers from 0 on")
    return value
