# SPDX-License-Identifier: Apache-2.0
"""The checkpoint of `scripts/bench live`, and the arguments of the processes that it starts."""

import argparse
from pathlib import Path

from bench.arguments import KITTI_CAMERA
from monodepth_ros.networks.checkpoints.bundled_checkpoint import bundled_checkpoint
from monodepth_ros.networks.checkpoints.checkpoint import save_checkpoint
from monodepth_ros.networks.checkpoints.header import CheckpointHeader
from monodepth_ros.networks.formula_weights import fill_networks_with_formula
from monodepth_ros.networks.registry import build_depth, build_pose


def named_checkpoint(options: argparse.Namespace, folder: Path) -> Path:
    """The bundled checkpoint for --network default, else one written to `folder` with deterministic weights."""
    if options.network == "default":
        return bundled_checkpoint()
    pose_name = options.pose or ("separate_resnet18" if "odometry" in options.outputs else "")
    width, height = options.size
    header = CheckpointHeader(options.network, height, width, KITTI_CAMERA, pose_network=pose_name)
    depth, pose = build_depth(options.network), build_pose(pose_name) if pose_name else None
    fill_networks_with_formula(depth, pose)
    path = folder / f"{options.network}.safetensors"
    save_checkpoint(path, header, depth, pose)
    return path


def node_parameters(options: argparse.Namespace, checkpoint: str, header: CheckpointHeader) -> dict[str, str]:
    """Parameters of the depth node by name."""
    parameters = {
        "checkpoint": checkpoint,
        "device": options.device,
        "engine": options.engine,
        "precision": options.precision,
        "compile": str(options.compile).lower(),
        "image_transport": options.transport,
        "image.reliability": options.reliability,
        "scale.source": "auto" if header.is_metric else "relative",
        "autostart": "false",
        # Publishing a transform makes the node compute odometry.
        "publish_tf": str("odometry" in options.outputs).lower(),
        # Nothing that nobody listens to: the tables are of the outputs asked for.
        "odometry.always_on": "false",
    }
    if header.pose_network:
        parameters["odometry.source"] = "network"
    return parameters | dict(parameter.split(":=", 1) for parameter in options.parameter)


def camera_arguments(options: argparse.Namespace, intrinsics: tuple[float, float, float, float]) -> list[str]:
    """Arguments of bench/camera.py."""
    arguments = ["--images", options.images, "--size", *map(str, options.input)]
    arguments += ["--intrinsics", *map(str, intrinsics)]
    return arguments + (["--compressed"] if options.transport == "compressed" else [])


def bare_arguments(options: argparse.Namespace, checkpoint: str, motion: bool) -> list[str]:
    """Arguments of bench/bare_engine.py."""
    arguments = ["--checkpoint", checkpoint, "--device", options.device, "--engine", options.engine]
    flags = ["--compile"] * options.compile + ["--motion"] * motion
    return [*arguments, "--precision", options.precision, *flags]


def plain_arguments(options: argparse.Namespace, checkpoint: str) -> list[str]:
    """Arguments of bench/plain_node.py."""
    arguments = ["--checkpoint", checkpoint, "--outputs", *options.outputs]
    return arguments + (["--compressed"] if options.transport == "compressed" else [])
