# SPDX-License-Identifier: Apache-2.0
"""`scripts/bench live`: the depth node as its users meet it, between a camera and a client in other processes.

    camera process --DDS--> depth_node process --DDS--> client process

One run brings the node up, measures it at a rate or saturated, and beside it the networks alone. How the figures are made:

- Images are encoded before any clock runs, so the camera costs little. It stamps each with the wall clock just
  before it publishes camera_info and image, keeps its rhythm, and never catches up in a rush.
- A warm-up comes first. Then everything comes to rest, the node's counters are read, the measured images are
  published, everything comes to rest again and the counters are read once more: the counts are exact. All images
  between the two readings count, none is left out.
- Latency is the time from an image's stamp to the client's callback with the deserialised message in hand. It
  holds the camera's serialisation, both trips through DDS and the waiting in the node. Frames that the node
  dropped have none: read latency together with the drops.
- frames/s is that of the first output in --outputs, from its first arrival at the client to its last.
- --rate 0 saturates the node: the camera runs 1.5 times as fast as results came when it was too fast, so a newer
  image always waits and the newest wins. Latency then holds that wait. A second measurement follows, at --load
  times the frames/s that the first one reached: what a camera gets that leaves the node some air.
- Stage times are the node's own (DepthStatus), measured as wall time: they grow when other processes take the
  cores. `wait` is what they leave unexplained of the node's total: the image waited for the one before it.
  `share` is a stage's part of the mean total.
- `bare engine` is the time of the networks alone, in a process of its own that does nothing else, just before the
  node starts and just after it has ended: depth of an image and, with odometry, the motion from the one before, on
  images that are loaded already. `whole frame` is decode, inference and publish of the node together.
- Odometry is that of the pose network here, where the checkpoint has one (--parameter odometry.source:=auto changes
  that, and takes motion out of the bare engine).
- Start: from asking the node to configure, which loads and checks the networks, until the client has the first
  output. The conversions of the networks are cached by then (by the bare engine).
- --plain measures another node after ours, with the same camera and client: bench/plain_node.py, as such nodes are
  usually written. Saturated, each at 1.5 times its own speed.
- --growth N has N more images processed, at the second rate, and reads the node's resident memory at rest, ten times.
- CPU is in percent of one core, from the first measured image until everything is at rest (a fraction of a second
  after the last). `others` is every other process of the machine: more than a few percent there means that the
  figures are of a busy machine. The camera and the client share the cores with the node, as in life.
- core speed is what one core achieves in a plain matrix product just before and just after the measurement.
  Virtual machines differ by a factor of two from hour to hour: compare results of like core speeds only.
- Peak memory is the node's largest resident set since it started, the loading of the checkpoint included.
- The client listens to depth/status besides --outputs, which costs the node the statistics of each depth image.
- With --network, `default` is the checkpoint that comes with the package, as it is; for the others the weights are
  deterministic and untrained: the speed is that of trained ones, the depth is none.
"""

import argparse
import contextlib
import re
import shlex
import sys
import tempfile
from pathlib import Path

from monodepth_ros.errors import MonodepthError

ROOT = Path(__file__).resolve().parents[1]
NETWORKS = ("resnet18", "resnet50", "rt_monodepth_s", "default")
# Name on the command line -> the topics a client of that output listens to.
OUTPUTS = {
    "depth": ("depth/image", "depth/camera_info"),
    "cloud": ("depth/points",),
    "odometry": ("odom",),
    "color": ("depth/color",),
    "rectified": ("rgb/image_rect",),
}
KITTI_CAMERA = (0.58, 1.92, 0.5, 0.5)
BARE_SECONDS = 2.0  # before, and again after
KEPT_UP = 0.9  # share of the images with a result above which a node was not saturated
ATTEMPTS = 2  # at saturating it with a faster camera


def parse(arguments: list[str] | None) -> argparse.Namespace:
    """Command line of `scripts/bench live`."""
    parser = argparse.ArgumentParser(
        prog="scripts/bench live", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    weights = parser.add_mutually_exclusive_group()
    weights.add_argument("--checkpoint", default="", help="weights, as the node takes them")
    weights.add_argument("--network", default="resnet18", choices=NETWORKS, help="untrained (default: resnet18)")
    parser.add_argument(
        "--pose",
        default="",
        help="pose network beside --network (default: separate_resnet18 if odometry is among the outputs, else none)",
    )
    parser.add_argument("--size", type=size, default=(640, 192), help="network input with --network (640x192)")
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
    parser.add_argument("--rate", type=float, default=10.0, help="images per second; 0 saturates (default: 10)")
    parser.add_argument(
        "--load",
        type=float,
        default=0.8,
        help="with --rate 0: then this share of the frames/s reached; 0 leaves it out (default: 0.8)",
    )
    parser.add_argument(
        "--outputs",
        type=outputs,
        default=["depth"],
        help="what the client listens to, of " + ",".join(OUTPUTS) + " (default: depth)",
    )
    length = parser.add_mutually_exclusive_group()
    length.add_argument("--seconds", type=float, default=20.0, help="length of a measurement (default: 20)")
    length.add_argument("--frames", type=int, help="the same as a number of published images")
    parser.add_argument("--warm-up", type=int, default=20, help="images published before (default: 20)")
    parser.add_argument("--plain", action="store_true", help="measure a plain node too, of depth, cloud and odometry")
    parser.add_argument("--growth", type=int, default=0, metavar="N", help="memory over N more images (default: 0)")
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
    parser.add_argument("--results", default=str(ROOT / "results" / "bench"), help="folder of the result's JSON")
    options = parser.parse_args(arguments)
    if min(options.rate, options.load, options.growth) < 0 or options.seconds <= 0:
        parser.error("--rate, --load and --growth must not be negative; --seconds must be positive")
    if min(options.frames or 2, options.warm_up) < 2:
        parser.error("--frames and --warm-up must be at least 2")
    if any(":=" not in parameter for parameter in options.parameter):
        parser.error("--parameter takes NAME:=VALUE")
    if options.plain and not {"depth", "cloud", "odometry"}.issuperset(options.outputs):
        parser.error("--plain: the plain node has depth, cloud and odometry only")
    return options


def size(text: str) -> tuple[int, int]:
    """640x192 -> (640, 192)."""
    match = re.fullmatch(r"(\d+)x(\d+)", text)
    if not match:
        raise argparse.ArgumentTypeError(f"{text!r} is no size: expected WIDTHxHEIGHT")
    return int(match[1]), int(match[2])


def outputs(text: str) -> list[str]:
    """depth,cloud -> names of OUTPUTS."""
    names = text.split(",")
    unknown = [name for name in names if name not in OUTPUTS]
    if unknown:
        raise argparse.ArgumentTypeError(f"unknown output {unknown[0]!r}: expected some of {','.join(OUTPUTS)}")
    return names


def main(arguments: list[str] | None = None) -> int:
    """Run the benchmark; 2 for bad input, 1 if the node does not end in good order."""
    options = parse(arguments)
    words = sys.argv[2:] if arguments is None else arguments
    try:
        with tempfile.TemporaryDirectory() as folder:
            return run(options, shlex.join(["scripts/bench", "live", *words]), Path(folder))
    except MonodepthError as error:
        print(f"bench: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        return 130


def run(options: argparse.Namespace, command: str, folder: Path) -> int:
    """The benchmark itself."""
    from bench.client import Client
    from bench.report import Measurement, write_report
    from bench.session import Session
    from bench.worker import Worker, start
    from monodepth_ros.networks.checkpoint import load_checkpoint
    from monodepth_ros.ros.demonstration.processes import ros_arguments, stop

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
        shown, engine = camera.answer(), bare.answer()
        bare_ms = [bare.ask({"seconds": BARE_SECONDS})["milliseconds"]]

        node = start("monodepth_ros.ros.depth_node", ros_arguments(parameters, {}))
        stack.callback(stop, node)
        session = Session(node, camera, client)
        start_seconds = session.bring_up()
        phases = measure(session, options, options.load)
        rate = phases.get("load", phases.get("steady", phases.get("saturated"))).rate
        growth = session.memory_growth(rate, options.growth) if options.growth else None
        node_exit = stop(node)
        bare_ms.append(bare.ask({"seconds": BARE_SECONDS})["milliseconds"])

        plain = None
        if options.plain:
            node = start("bench.plain_node", plain_arguments(options, checkpoint))
            stack.callback(stop, node)
            session = Session(node, camera, client, has_status=False)
            session.wait_for_node()
            plain = measure(session, options, 0.0)
            stop(node)
    measurement = Measurement(
        options=options,
        command=command,
        checkpoint=header.summary(),
        images=shown,
        engine=engine,
        start=start_seconds,
        bare_ms=bare_ms,
        phases=phases,
        growth=growth,
        plain=plain,
    )
    write_report(measurement, Path(options.results))
    if node_exit != 0:
        print(f"bench: the node ended with exit code {node_exit}", file=sys.stderr)
    return 1 if node_exit else 0


def measure(session, options: argparse.Namespace, load: float) -> dict:
    """Phases by name: steady, or saturated and load."""
    from bench.session import SATURATION

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
        # The node was slower while its speed was found.
        rate *= SATURATION
        phases["saturated"] = session.measure(rate, count(rate))
    if load:
        rate = load * phases["saturated"].frames_per_second
        phases["load"] = session.measure(rate, count(rate))
    return phases


def named_checkpoint(options: argparse.Namespace, folder: Path) -> Path:
    """The bundled checkpoint, or one of the network that was asked for, its weights made by formula."""
    from monodepth_ros.networks.bundled_checkpoint import bundled_checkpoint
    from monodepth_ros.networks.checkpoint import CheckpointHeader, save_checkpoint
    from monodepth_ros.networks.formula_weights import fill_networks_with_formula
    from monodepth_ros.networks.registry import build_depth, build_pose

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


def node_parameters(options: argparse.Namespace, checkpoint: str, header) -> dict[str, str]:
    """Of the depth node, by name."""
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
        # A transform to publish is a demand for odometry.
        "publish_tf": str("odometry" in options.outputs).lower(),
    }
    if header.pose_network:
        parameters["odometry.source"] = "network"
    return parameters | dict(parameter.split(":=", 1) for parameter in options.parameter)


def camera_arguments(options: argparse.Namespace, intrinsics: tuple[float, float, float, float]) -> list[str]:
    """Of bench/camera.py."""
    arguments = ["--images", options.images, "--size", *map(str, options.input)]
    arguments += ["--intrinsics", *map(str, intrinsics)]
    return arguments + (["--compressed"] if options.transport == "compressed" else [])


def bare_arguments(options: argparse.Namespace, checkpoint: str, motion: bool) -> list[str]:
    """Of bench/bare_engine.py."""
    arguments = ["--checkpoint", checkpoint, "--device", options.device, "--engine", options.engine]
    flags = ["--compile"] * options.compile + ["--motion"] * motion
    return [*arguments, "--precision", options.precision, *flags]


def plain_arguments(options: argparse.Namespace, checkpoint: str) -> list[str]:
    """Of bench/plain_node.py."""
    arguments = ["--checkpoint", checkpoint, "--outputs", *options.outputs]
    return arguments + (["--compressed"] if options.transport == "compressed" else [])
