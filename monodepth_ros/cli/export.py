# SPDX-License-Identifier: Apache-2.0
"""`monodepth export`: a checkpoint's networks as files for other programs."""

import argparse


def add_parser(verbs: argparse._SubParsersAction) -> None:
    """Register the verb and its options."""
    parser = verbs.add_parser(
        "export",
        help="write a checkpoint's networks as ONNX, OpenVINO or TorchScript",
        description="Write a checkpoint's networks as files that run without this package: depth.*, and pose.* where the "
        "checkpoint has a pose network. They take RGB images of 8 bits, carry the model card, and are read back and "
        "compared with PyTorch before they are put into their folder.",
    )
    parser.add_argument("checkpoint", help="a .safetensors file, published weights, or a name of `monodepth download`")
    parser.add_argument("--to", required=True, metavar="FORMAT", help="onnx, openvino or torchscript")
    parser.add_argument("--out", required=True, metavar="FOLDER", help="where the files go")
    parser.add_argument(
        "--batch", type=int, default=0, metavar="N", help="fix the number of images at a time (default: any number)"
    )
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Write the files and name them; MonodepthError for all that can go wrong."""
    from monodepth_ros.inference.export import export_networks
    from monodepth_ros.inference.parity import FP32_DISPARITY
    from monodepth_ros.networks.checkpoint import load_checkpoint

    checkpoint = load_checkpoint(options.checkpoint)
    for path in export_networks(checkpoint, options.to, options.out, options.batch):
        print(f"{path}  {path.stat().st_size / 1e6:.1f} MB")
    print(f"read back and compared with PyTorch: disparity within {FP32_DISPARITY:g}")
    return 0
