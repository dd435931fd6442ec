# SPDX-License-Identifier: Apache-2.0
"""Command-line arguments that several benchmarks share."""

import argparse
import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
NETWORKS = ("resnet18", "resnet50", "rt_monodepth_s", "default")
# Output on the command line: the topics that a client of it listens to.
OUTPUTS = {
    "depth": ("depth/image", "depth/camera_info"),
    "cloud": ("depth/points",),
    "odometry": ("odom",),
    "color": ("depth/color",),
    "rectified": ("rgb/image_rect",),
}
KITTI_CAMERA = (0.58, 1.92, 0.5, 0.5)  # normalised intrinsics


def make_parser(command: str, description: str | None, **options) -> argparse.ArgumentParser:
    """A parser for `scripts/bench <command>` with the option --results."""
    parser = argparse.ArgumentParser(
        prog=f"scripts/bench {command}",
        description=description,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        **options,
    )
    folder = ROOT / "results" / "bench"
    parser.add_argument("--results", type=Path, default=folder, help="folder for the JSON file of the result")
    return parser


def size(text: str) -> tuple[int, int]:
    """(640, 192) from 640x192."""
    match = re.fullmatch(r"(\d+)x(\d+)", text)
    if not match:
        raise argparse.ArgumentTypeError(f"{text!r} is not a size: expected WIDTHxHEIGHT")
    return int(match[1]), int(match[2])


def outputs(text: str) -> list[str]:
    """Names of OUTPUTS from depth,cloud."""
    names = text.split(",")
    unknown = [name for name in names if name not in OUTPUTS]
    if unknown:
        raise argparse.ArgumentTypeError(f"unknown output {unknown[0]!r}: expected some of {','.join(OUTPUTS)}")
    return names
