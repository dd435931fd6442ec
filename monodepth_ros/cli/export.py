# SPDX-License-Identifier: Apache-2.0
"""`monodepth export`: a checkpoint's networks as files for other programs."""

import argparse

from monodepth_ros.cli.network_arguments import add_checkpoint_argument, chosen_checkpoint
from monodepth_ros.cli.progress import stage
from monodepth_ros.inference.export import export_networks
from monodepth_ros.inference.parity import FP32_DISPARITY
from monodepth_ros.networks.checkpoints.checkpoint import load_checkpoint


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of the verb."""
    parser.description = (
        "Write a checkpoint's networks as files that run without this package: depth.*, and pose.* if the checkpoint"
        " has a pose network. They take 8-bit RGB images and carry the model card. Before they are put into their"
        " folder, they are read back and compared with PyTorch."
    )
    add_checkpoint_argument(parser)
    parser.add_argument("--to", required=True, metavar="FORMAT", help="onnx, openvino or torchscript")
    parser.add_argument("--out", required=True, metavar="FOLDER", help="folder for the files")
    parser.add_argument(
        "--batch", type=int, default=0, metavar="N", help="fix the number of images per call (default: any number)"
    )
    parser.add_argument(
        "--force", action="store_true", help="replace files in the folder that no export has made; never the checkpoint"
    )


def run(options: argparse.Namespace) -> int:
    """Write the files and print their names. Raises MonodepthError if they cannot be written or do not agree."""
    with stage("loading networks"):
        checkpoint = load_checkpoint(chosen_checkpoint(options))
    with stage(f"writing {options.to}, and comparing with PyTorch"):
        paths = export_networks(checkpoint, options.to, options.out, options.batch, options.force)
    if options.force:
        print(f"--force: what was at these paths in {options.out} has been replaced")
    for path in paths:
        print(f"{path}  {path.stat().st_size / 1e6:.1f} MB")
    print(f"read back and compared with PyTorch: disparity within {FP32_DISPARITY:g}")
    return 0
