# SPDX-License-Identifier: Apache-2.0
"""`scripts/soak`: the depth node under faults that a seed chooses, for thousands of images.

The node runs in a process of its own with every output subscribed. A camera in another process publishes images,
camera_info, a gyro and TF; after each fault it publishes good images until depth comes again, each as soon as the one
before is answered. It fails if

- the images sent are not those received plus those lost on the way, or received ones have no fate;
- depth does not come again after a fault within --recovery good images, each of which may take 1.5 s;
- memory grows by more than 10 MB, or threads or open handles grow, after the warm-up (a fifth of the run);
- the log holds a traceback or an internal error, a line that is too long or cannot be printed, or a cause too often;
- an output holds a number that is not finite, or a diagnostic a text that cannot be printed;
- the node does not end with exit code 0 within seconds of SIGINT.
"""

import argparse
import contextlib
import json
import random
import sys
import tempfile
import time
from pathlib import Path

import rclpy

from bench.errors import BenchError
from monodepth_ros.networks.checkpoints.bundled_checkpoint import bundled_checkpoint
from reliability.soak.listener import Listener
from reliability.soak.node_process import NodeProcess
from reliability.soak.scenery import write_scenery
from reliability.soak.session import FAULTS, Session
from reliability.soak.verdict import END_SECONDS, judge, progress_line, table

PROGRESS_SECONDS = 60.0


def parse(arguments: list[str]) -> argparse.Namespace:
    """The options."""
    parser = argparse.ArgumentParser(
        prog="scripts/soak", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--frames", type=int, default=20_000, help="end after this number of images [%(default)s]")
    parser.add_argument("--rounds", type=int, help="end after every fault has come so often, instead of --frames")
    parser.add_argument("--seconds", type=float, default=float("inf"), help="end after this time")
    parser.add_argument("--seed", type=int, help="choice of the faults [random, printed]")
    parser.add_argument("--rate", type=float, default=0.0, help="good images per second; 0: as fast as they are taken")
    parser.add_argument("--faults", nargs="*", metavar="NAME", help=f"of {', '.join(FAULTS)} [all]; none: no faults")
    parser.add_argument("--between", type=int, default=40, help="good images between faults [%(default)s]")
    parser.add_argument("--times", type=int, default=30, help="faulty messages of one fault [%(default)s]")
    parser.add_argument(
        "--recovery", type=int, default=30, help="good images without depth after a fault [%(default)s]"
    )
    parser.add_argument("--checkpoint", default=str(bundled_checkpoint()), help="weights [the bundled demonstration]")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures to a new file")
    parser.add_argument("--log", type=Path, metavar="FILE", help="keep the node's log in this file")
    options = parser.parse_args(arguments)
    if options.rounds is not None:
        options.frames = sys.maxsize
    if options.seed is None:
        options.seed = random.randrange(10**6)
    if options.faults is None:
        options.faults = list(FAULTS)
    unknown = [name for name in options.faults if name not in FAULTS]
    if unknown:
        parser.error(f"unknown fault {unknown[0]!r}; there are {', '.join(FAULTS)}")
    if options.json and options.json.exists():
        parser.error(f"{options.json} exists: name a new file")
    return options


def main(arguments: list[str]) -> int:
    """Run the soak test; 1 if anything is wrong."""
    options = parse(arguments)
    length = f"{options.frames} images" if options.rounds is None else f"{options.rounds} rounds"
    print(f"soak: seed {options.seed}, {length}, faults: {', '.join(options.faults) or 'none'}", flush=True)
    with tempfile.TemporaryDirectory() as folder:
        log = options.log or Path(folder) / "node.log"
        figures = run(options, log, Path(folder) / "scenery.npz")
        print(table(figures, options.seed))
        if figures["problems"] and not options.log:
            print("last lines of the node's log (--log keeps it):")
            print("\n".join(log.read_text(errors="replace").splitlines()[-10:]))
    if options.json:
        options.json.write_text(json.dumps({"seed": options.seed, **figures}, indent=1) + "\n")
    return 1 if figures["problems"] else 0


def run(options: argparse.Namespace, log: Path, scenery: Path) -> dict:
    """Start the processes, run all faults, and judge."""
    given = {"checkpoint": options.checkpoint, "odometry.imu_topic": "imu"}
    write_scenery(scenery)
    rclpy.init()
    node = NodeProcess(given, log)
    listener, began = Listener(), time.monotonic()
    told = began

    def report(session: Session) -> None:
        nonlocal told
        if time.monotonic() - told >= PROGRESS_SECONDS:
            told = time.monotonic()
            print(f"{(told - began) / 60:4.0f} min: {progress_line(session)}", flush=True)

    with contextlib.ExitStack() as stack:
        stack.callback(listener.close)
        stack.callback(node.end, END_SECONDS)
        session = Session(node, listener, options, given, scenery)
        stack.callback(session.close)
        try:
            session.run(report)
        except BenchError as error:
            session.note(f"ended early: {error}")
            session.outcome.seconds = time.monotonic() - began
        return judge(session, node.end(END_SECONDS))


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except KeyboardInterrupt:
        sys.exit(130)
