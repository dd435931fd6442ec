# SPDX-License-Identifier: Apache-2.0
"""`monodepth info`: the model card of a checkpoint."""

import argparse
import dataclasses
import json

from torch import nn

from monodepth_ros.cli.network_arguments import add_checkpoint_argument, chosen_checkpoint
from monodepth_ros.foreign_text import safe_line
from monodepth_ros.networks.checkpoints.checkpoint import Checkpoint, load_checkpoint


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of the verb."""
    parser.description = "Print the model card of a checkpoint."
    add_checkpoint_argument(parser)
    parser.add_argument("--json", action="store_true", help="print it as JSON")


def run(options: argparse.Namespace) -> int:
    """Print the card. Raises CheckpointError for a file that is not a checkpoint."""
    checkpoint = load_checkpoint(chosen_checkpoint(options))
    if options.json:
        card = {
            "path": str(checkpoint.path),
            "sha256": checkpoint.sha256,
            "depth_parameters": count_parameters(checkpoint.depth),
            "pose_parameters": count_parameters(checkpoint.pose),
            **dataclasses.asdict(checkpoint.header),
        }
        print(json.dumps(card, indent=2))
    else:
        for name, value in model_card(checkpoint):
            print(f"{name + ':':<17}{safe_line(value)}")
    return 0


def model_card(checkpoint: Checkpoint) -> list[tuple[str, str]]:
    """Names and values of the card's lines."""
    header = checkpoint.header
    fx, fy, cx, cy = header.training_camera
    pose = "none: odometry follows features and takes this depth (odometry.source features or auto)"
    if header.pose_network:
        pose = (
            f"{header.pose_network}, {count_parameters(checkpoint.pose) / 1e6:.2f} M parameters;"
            f" {header.pose_direction} of two frames {header.pose_interval:g} s apart"
        )
    if header.is_metric:
        scale = f"metric: network units times {header.scale_factor:g} are metres"
    else:
        scale = "relative: shapes are right, sizes are not known; metres need another source of scale"
    if header.scale_origin:
        scale += f" ({header.scale_origin})"
    return [
        ("checkpoint", str(checkpoint.path)),
        ("summary", header.summary()),
        (
            "depth network",
            f"{header.depth_network}, {count_parameters(checkpoint.depth) / 1e6:.2f} M parameters",
        ),
        ("pose network", pose),
        ("input", f"{header.width}x{header.height} RGB, scaled down with filter {header.filter!r}"),
        (
            "camera",
            f"fx {fx * header.width:.1f}, fy {fy * header.height:.1f}, cx {cx * header.width - 0.5:.1f},"
            f" cy {cy * header.height - 0.5:.1f} pixels at that size",
        ),
        ("depth range", f"{header.min_depth:g} to {header.max_depth:g} network units"),
        ("scale", scale),
        ("training data", header.training_data or "not stated"),
        ("licence", header.licence or "not stated"),
        (
            "written by",
            ", ".join(f"{name} {version}" for name, version in header.versions.items()) or "not stated",
        ),
        ("format version", str(header.format_version)),
        ("sha256", checkpoint.sha256),
    ]


def count_parameters(network: nn.Module | None) -> int:
    """Number of weights of a network; 0 for None."""
    return 0 if network is None else sum(parameter.numel() for parameter in network.parameters())
