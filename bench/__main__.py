# SPDX-License-Identifier: Apache-2.0
"""`scripts/bench <command> ...`: runs one of the benchmarks, each a module of this folder."""

import importlib
import sys

from monodepth_ros.errors import MonodepthError

COMMANDS = {
    "live": "camera process -> depth_node -> client process over DDS: frames/s, latency, drops, CPU, memory",
    "matrix": "live for every combination of networks, sizes, engines and outputs",
    "loss": "large images that arrive from another process, with and without the remedies for lost ones",
    "stages": "the cost of a frame in the node besides the networks, stage by stage",
    "opening": "a recording of 10 GB: opening it as every verb does, beside the mcap library reading its summary",
    "views": "coverage and error of depth by the shape of the camera, for several views of a network",
    "train": "a training step against a plain one: samples/s, memory, stages; or the wait for data",
    "video": "a drive as H.264 beside the same as JPEG: index, reading in any order, the wait of a training",
    "table": "results of `live` and `train` as Markdown tables; --docs: the tables of the documentation",
}


def main() -> int:
    """Run the benchmark that the first argument names; 2 for an unknown one and for bad input, 130 if interrupted."""
    name = sys.argv[1] if len(sys.argv) > 1 else "--help"
    if name in COMMANDS:
        try:
            return importlib.import_module(f"bench.{name}").main(sys.argv[2:])
        except MonodepthError as error:
            print(f"bench: {error}", file=sys.stderr)
            return 2
        except KeyboardInterrupt:
            return 130
    usage = "\n".join(f"  {command:8s}{text}" for command, text in COMMANDS.items())
    print(f"usage: scripts/bench <command> [--help] ...\n\n{usage}")
    if name in ("-h", "--help"):
        return 0
    print(f"bench: unknown command {name!r}", file=sys.stderr)
    return 2


if __name__ == "__main__":
    sys.exit(main())
