# SPDX-License-Identifier: Apache-2.0
"""Command line of `scripts/bench live`."""

import argparse

from bench.arguments import NETWORKS, OUTPUTS, make_parser, outputs, size


def parse(arguments: list[str], description: str | None) -> argparse.Namespace:
    """The options in `arguments`. description: text of --help."""
    parser = make_parser("live", description)
    _add_network(parser)
    _add_camera(parser)
    _add_measurement(parser)
    _add_node(parser)
    options = parser.parse_args(arguments)
    if min(options.rate, options.load, options.growth) < 0 or options.seconds <= 0:
        parser.error("--rate, --load and --growth must not be negative; --seconds must be positive")
    if min(options.frames or 2, options.warm_up) < 2:
        parser.error("--frames and --warm-up must be at least 2")
    if any(":=" not in parameter for parameter in options.parameter):
        parser.error("--parameter must have the form NAME:=VALUE")
    if options.plain and not {"depth", "cloud", "odometry"}.issuperset(options.outputs):
        parser.error("--plain: the plain node has the outputs depth, cloud and odometry only")
    return options


def _add_network(parser: argparse.ArgumentParser) -> None:
    weights = parser.add_mutually_exclusive_group()
    weights.add_argument("--checkpoint", default="", help="checkpoint, as for the node")
    weights.add_argument("--network", default="resnet18", choices=NETWORKS, help="untrained (default: resnet18)")
    parser.add_argument(
        "--pose",
        default="",
        help="pose network with --network (default: separate_resnet18 if odometry is among the outputs, else none)",
    )
    parser.add_argument("--size", type=size, default=(640, 192), help="network input with --network (640x192)")


def _add_camera(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--input", type=size, default=(1242, 375), help="size of the camera's images (1242x375)")
    parser.add_argument(
        "--transport",
        choices=("compressed", "raw"),
        default="compressed",
        help="compressed: JPEG of quality 95; raw: rgb8 (default: compressed)",
    )
    parser.add_argument(
        "--images",
        default="auto",
        help="auto (recorded ones from MONODEPTH_DATA if it is there), procedural, or a recording",
    )


def _add_measurement(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--rate", type=float, default=10.0, help="images per second; 0 saturates (default: 10)")
    parser.add_argument(
        "--load",
        type=float,
        default=0.8,
        help="with --rate 0, measure again at this share of the frames/s reached; 0 does not (default: 0.8)",
    )
    parser.add_argument(
        "--outputs",
        type=outputs,
        default=["depth"],
        help=f"outputs that the client listens to, of {','.join(OUTPUTS)} (default: depth)",
    )
    length = parser.add_mutually_exclusive_group()
    length.add_argument("--seconds", type=float, default=20.0, help="length of a measurement (default: 20)")
    length.add_argument("--frames", type=int, help="length of a measurement as a number of published images")
    parser.add_argument("--warm-up", type=int, default=20, help="images published for warm-up (default: 20)")
    parser.add_argument("--plain", action="store_true", help="also measure a plain node of depth, cloud and odometry")
    parser.add_argument("--growth", type=int, default=0, metavar="N", help="memory over N more images (default: 0)")


def _add_node(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--device", default="auto", help="auto, cpu, cuda or cuda:N")
    parser.add_argument("--engine", default="auto", help="auto, pytorch, openvino or onnxruntime")
    parser.add_argument("--precision", default="auto", help="auto, fp32, bf16 or fp16")
    parser.add_argument("--compile", action="store_true", help="compile PyTorch's networks")
    parser.add_argument(
        "--reliability",
        choices=("best_effort", "reliable"),
        default="best_effort",
        help="of the node's image subscription (default: best_effort)",
    )
    parser.add_argument(
        "--parameter",
        action="append",
        default=[],
        metavar="NAME:=VALUE",
        help="another parameter of the node; may be repeated",
    )
