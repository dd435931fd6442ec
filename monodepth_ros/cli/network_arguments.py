# SPDX-License-Identifier: Apache-2.0
"""Options that choose the networks and the engine that runs them: declared once, for every verb that runs networks."""

import argparse

from monodepth_ros.inference.config import ENGINES, PRECISIONS

FIXED = "fp32"  # so that figures do not depend on the machine


def add_network_arguments(parser: argparse.ArgumentParser, precision: str = FIXED) -> None:
    """Add the group 'networks': --checkpoint, --device, --engine and --precision, for `engine_settings`.

    precision: the verb's default; '' leaves it to the node's settings.
    """
    networks = parser.add_argument_group("networks")
    networks.add_argument(
        "--checkpoint", default="", metavar="C", help="weights (default: the bundled demonstration checkpoint)"
    )
    networks.add_argument("--device", default="", help="auto, cpu, cuda or cuda:N (default: auto)")
    networks.add_argument(
        "--engine", default="", choices=ENGINES, metavar="E", help=f"{_listed(ENGINES)} (default: auto)"
    )
    reason = "so that figures do not depend on the machine" if precision else "as in the node"
    networks.add_argument(
        "--precision",
        default=precision,
        choices=PRECISIONS,
        metavar="P",
        help=f"{_listed(PRECISIONS)} (default: {precision or 'auto'}, {reason})",
    )


def engine_settings(options: argparse.Namespace) -> dict[str, str]:
    """The options as settings of the node, by name: those that were given."""
    given = {
        "checkpoint": options.checkpoint,
        "device": options.device,
        "engine": options.engine,
        "precision": options.precision,
    }
    return {name: value for name, value in given.items() if value}


def _listed(names: tuple[str, ...]) -> str:
    return f"{', '.join(names[:-1])} or {names[-1]}"
