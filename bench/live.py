# SPDX-License-Identifier: Apache-2.0
"""`scripts/bench live`: the depth node between a camera and a client in processes of their own.

    camera process --DDS--> depth_node process --DDS--> client process

One run starts the node, measures it at a rate or saturated, and measures the networks alone for comparison. Method:

- Images are encoded before the clock starts, so the camera costs little. It stamps each image with the wall clock just
  before it publishes camera_info and image. It keeps its rhythm and never publishes late images in a rush.
- A measurement starts and ends at rest, after a warm-up. The node's counters are read before the first and after the
  last measured image, so the counts are exact. No image between the two readings is left out.
- Latency is the time from an image's stamp to the client's callback with the deserialised message. It contains the
  camera's serialisation, both trips through DDS and the wait in the node. Dropped frames have no latency: read latency
  together with the drops.
- frames/s is the rate of the first output in --outputs, from its first to its last arrival at the client.
- --rate 0 saturates the node. The camera runs 1.5 times as fast as the node gave results for a camera that was too
  fast: a newer image always waits, and the newest one is used. Latency then contains that wait. A second measurement
  follows at --load times the frames/s of the first, the rate of a camera that leaves the node some reserve.
- Stage times are the node's own (DepthStatus). They are wall times and increase when other processes use the cores.
  `wait` is the rest of the node's total: the time that the image waited for the one before it. `share` is a stage's
  part of the mean total.
- `bare engine` is the time of the networks alone, in a process that does nothing else, just before the node starts and
  just after it has ended: depth of an image and, with odometry, the motion from the image before. Images are loaded
  before the clock starts. `whole frame` is the time of all of the node's own work on a frame.
- Odometry is that of the pose network if the checkpoint has one. --parameter odometry.source:=auto changes that, and
  removes motion from the bare engine.
- Start is the time from the request to configure the node, which loads and checks the networks, to the first output at
  the client. The bare engine has cached the conversions of the networks by then.
- --plain measures a plain node (bench/plain_node.py) after the depth node, with the same camera and client. For
  saturation, each of the two gets 1.5 times its own speed.
- --growth N publishes N more images at the second rate and reads the node's resident memory at rest, ten times.
- CPU is in percent of one core, from the first measured image until rest, a fraction of a second after the last one.
  `others` is the rest of the machine: with more than a few percent the figures are those of a busy machine. Camera and
  client share the cores with the node, as on a robot.
- `core speed` is the speed of one core in a plain matrix product just before and just after the measurement. The speed
  of a virtual machine varies by a factor of two from hour to hour: compare results of similar core speeds only.
- Peak memory is the node's largest resident set since its start, which includes loading the checkpoint.
- The client also listens to depth/status, for which the node computes the statistics of each depth image.
- With --network, `default` is the bundled checkpoint. The other networks have deterministic, untrained weights: their
  speed is that of trained ones, but their depth is meaningless.
"""

import argparse
import contextlib
import sys
import tempfile
from pathlib import Path

from bench.arguments import OUTPUTS
from bench.client import Client
from bench.live_options import parse
from bench.live_processes import (
    bare_arguments,
    camera_arguments,
    named_checkpoint,
    node_parameters,
    plain_arguments,
)
from bench.phase import Phase
from bench.report import Measurement, write_report
from bench.result_file import command_line
from bench.session import SATURATION, Session
from bench.worker import Worker, start
from monodepth_ros.networks.checkpoints.checkpoint import load_checkpoint
from monodepth_ros.ros.demonstration.processes import ros_arguments, stop

BARE_SECONDS = 2.0  # duration of each of the two measurements of the networks alone
KEPT_UP = 0.9  # share of images with a result above which a node was not saturated
ATTEMPTS = 4  # attempts to saturate the node with a faster camera


def main(arguments: list[str]) -> int:
    """Run the benchmark; 1 if the node fails at its end."""
    options = parse(arguments, __doc__)
    with tempfile.TemporaryDirectory() as folder:
        return run(options, command_line("live", arguments), Path(folder))


def run(options: argparse.Namespace, command: str, folder: Path) -> int:
    """Start the processes, measure and write the report. folder: for a temporary checkpoint."""
    checkpoint = options.checkpoint or str(named_checkpoint(options, folder))
    header = load_checkpoint(checkpoint).header
    parameters = node_parameters(options, checkpoint, header)
    bare_motion = "odometry" in options.outputs and parameters.get("odometry.source") == "network"
    with contextlib.ExitStack() as stack:
        client = stack.enter_context(Client([topic for name in options.outputs for topic in OUTPUTS[name]]))
        camera = Worker("bench.camera", camera_arguments(options, header.training_camera), "the camera")
        stack.callback(camera.stop)
        bare = Worker("bench.bare_engine", bare_arguments(options, checkpoint, bare_motion), "the bare engine")
        stack.callback(bare.stop)
        images, engine = camera.answer(), bare.answer()
        bare_ms = [bare.ask({"seconds": BARE_SECONDS})["milliseconds"]]

        node = start("monodepth_ros.ros.depth_node", ros_arguments(parameters, {}))
        stack.callback(stop, node)
        session = Session(node, camera, client)
        start_seconds = session.bring_up()
        phases = measure(session, options, options.load)
        rate = phases.get("load", phases.get("steady", phases.get("saturated"))).rate
        growth = session.memory_growth(rate, options.growth) if options.growth else None
        exit_code = stop(node)
        bare_ms.append(bare.ask({"seconds": BARE_SECONDS})["milliseconds"])

        plain = None
        if options.plain:
            node = start("bench.plain_node", plain_arguments(options, checkpoint))
            stack.callback(stop, node)
            session = Session(node, camera, client, has_status=False)
            session.wait_for_node()
            plain = measure(session, options, load=0.0)
            stop(node)
    measurement = Measurement(
        options=options,
        command=command,
        checkpoint=header.summary(),
        images=images,
        engine=engine,
        start=start_seconds,
        bare_ms=bare_ms,
        phases=phases,
        growth=growth,
        plain=plain,
    )
    write_report(measurement, options.results)
    if exit_code:
        print(f"bench: the node ended with exit code {exit_code}", file=sys.stderr)
    return 1 if exit_code else 0


def measure(session: Session, options: argparse.Namespace, load: float) -> dict[str, Phase]:
    """The phases by name: "steady", or "saturated" and, for a `load` other than 0, "load"."""
    session.warm_up(options.warm_up, options.rate or 10.0)

    def count(rate: float) -> int:
        return options.frames or max(2, round(options.seconds * rate))

    if options.rate:
        return {"steady": session.measure(options.rate, count(options.rate))}
    rate = session.saturating_rate(options.warm_up)
    phases = {"saturated": session.measure(rate, count(rate))}
    for _ in range(ATTEMPTS):
        if phases["saturated"].share_of_images < KEPT_UP:
            break
        # The node was slower during the search for its speed.
        rate *= SATURATION
        phases["saturated"] = session.measure(rate, count(rate))
    if load:
        rate = load * phases["saturated"].frames_per_second
        phases["load"] = session.measure(rate, count(rate))
    return phases
