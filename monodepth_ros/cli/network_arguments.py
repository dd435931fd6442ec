# SPDX-License-Identifier: Apache-2.0
"""Options that choose the networks to evaluate and the engine that runs them."""

import argparse


def add_network_arguments(parser: argparse.ArgumentParser) -> None:
    """Add --checkpoint, --device, --engine and --precision."""
    parser.add_argument(
        "--checkpoint", default="", metavar="C", help="weights (default: the bundled demonstration checkpoint)"
    )
    parser.add_argument("--device", default="auto", help="auto (default), cpu, cuda or cuda:N")
    parser.add_argument("--engine", default="auto", help="auto (default), pytorch, openvino or onnxruntime")
    parser.add_argument(
        "--precision",
        default="fp32",
        help="fp32 (default, so that figures do not depend on the machine), bf16, fp16, or auto as in the node",
    )
