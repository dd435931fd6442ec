"""`scripts/bench live`: the depth node as its users meet it, between a camera and a client in other processes.

    camera process --DDS--> depth_node process --DDS--> client process

How the figures are made:

- Images are encoded before any clock runs, so the camera costs little. It stamps each with the wall clock just
  before it publishes camera_info and image, keeps its rhythm, and never catches up in a rush.
- A warm-up comes first. Then everything comes to rest, the node's counters are read, the measured images are
  published, everything comes to rest again and the counters are read once more: the counts are exact. All images
  between the two readings count, none is left out.
- Latency is the time from an image's stamp to the client's callback with the deserialised message in hand. It
  holds the camera's serialisation, both trips through DDS and the waiting in the node. Frames that the node
  dropped have none: read latency together with the drops.
- frames/s is that of the first output in --outputs, from its first arrival at the client to its last.
- --rate 0 saturates the node: the camera runs 1.5 times as fast as the node can process, judged from its
  stage times in the warm-up, so a newer image always waits and the newest wins. Latency then holds that wait.
- Stage times are the node's own (DepthStatus), measured as wall time: they grow when other processes take the
  cores. `wait` is what they leave unexplained of the node's total: the image waited for the one before it.
- CPU is in percent of one core, from the first measured image until everything is at rest (a fraction of a second
  after the last). `others` is every other process of the machine: more than a few percent there means that the
  figures are of a busy machine. The camera and the client share the cores with the node, as in life.
- core speed is what one core achieves in a plain matrix product just before and just after the measurement.
  Virtual machines differ by a factor of two from hour to hour: compare results of like core speeds only.
- Peak memory is the node's largest resident set since it started, the loading of the checkpoint included.
- The client listens to depth/status besides --outputs, which costs the node the statistics of each depth image.
- With --network the weights are deterministic and untrained: the speed is that of trained ones, the depth is none.
"""

import argparse
import contextlib
import json
import os
import re
import shlex
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from bench.errors import BenchError
from monodepth_ros.errors import MonodepthError

ROOT = Path(__file__).resolve().parents[1]
NETWORKS = ("resnet18", "resnet50", "rt_monodepth_s")
# Name on the command line -> the topics a client of that output listens to.
OUTPUTS = {
    "depth": ("depth/image", "depth/camera_info"),
    "cloud": ("depth/points",),
    "odometry": ("odom",),
    "color": ("depth/color",),
    "rectified": ("rgb/image_rect",),
}
KITTI_CAMERA = (0.58, 1.92, 0.5, 0.5)
START_TIMEOUT = 120.0  # seconds
DISCOVERY_TIMEOUT = 30.0  # seconds
WARM_UP_RATE = 10.0  # hertz, where the node's speed is not known yet
SATURATION = 1.5


def parse(arguments: list[str] | None) -> argparse.Namespace:
    """Command line of `scripts/bench live`."""
    parser = argparse.ArgumentParser(
        prog="scripts/bench live", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    weights = parser.add_mutually_exclusive_group()
    weights.add_argument("--checkpoint", default="", help="weights, as the node takes them")
    weights.add_argument("--network", default="resnet18", choices=NETWORKS, help="untrained (default: resnet18)")
    parser.add_argument("--pose", default="", help="pose network beside --network (default: separate_resnet18 if "
                        "odometry is among the outputs, else none)")
    parser.add_argument("--size", type=size, default=(640, 192), help="network input with --network (640x192)")
    parser.add_argument("--input", type=size, default=(1242, 375), help="size of the camera's images (1242x375)")
    parser.add_argument("--transport", choices=("compressed", "raw"), default="compressed",
                        help="compressed: JPEG of quality 95; raw: rgb8 (default: compressed)")
    parser.add_argument("--images", default="auto", help="auto (recorded ones from MONODEPTH_DATA if it is there), "
                        "procedural, or a recording")
    parser.add_argument("--rate", type=float, default=10.0, help="images per second; 0 saturates (default: 10)")
    parser.add_argument("--outputs", type=outputs, default=["depth"], help="what the client listens to, of "
                        + ",".join(OUTPUTS) + " (default: depth)")
    length = parser.add_mutually_exclusive_group()
    length.add_argument("--seconds", type=float, default=20.0, help="length of the measurement (default: 20)")
    length.add_argument("--frames", type=int, help="the same as a number of published images")
    parser.add_argument("--warm-up", type=int, default=20, help="images published before (default: 20)")
    parser.add_argument("--device", default="auto", help="auto, cpu, cuda or cuda:N")
    parser.add_argument("--engine", default="auto", help="auto, pytorch, openvino or onnxruntime")
    parser.add_argument("--precision", default="auto", help="auto, fp32, bf16 or fp16")
    parser.add_argument("--reliability", choices=("best_effort", "reliable"), default="best_effort",
                        help="of the node's image subscription (default: best_effort)")
    parser.add_argument("--parameter", action="append", default=[], metavar="NAME:=VALUE",
                        help="another parameter of the node; may be repeated")
    parser.add_argument("--results", default=str(ROOT / "results" / "bench"), help="folder of the result's JSON")
    options = parser.parse_args(arguments)
    if options.rate < 0 or options.seconds <= 0 or (options.frames or 1) < 1 or options.warm_up < 1:
        parser.error("--rate must not be negative; --seconds, --frames and --warm-up must be positive")
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
    from bench.machine import core_speed
    from bench.processes import CpuUse, memory_mb
    from bench.report import Measurement, write_report
    from monodepth_ros.networks.checkpoint import load_checkpoint
    from monodepth_ros.ros.demo import ros_arguments, stop

    checkpoint = options.checkpoint or str(formula_checkpoint(options, folder))
    header = load_checkpoint(checkpoint).header
    topics = [topic for name in options.outputs for topic in OUTPUTS[name]]
    with Client(topics) as client, contextlib.ExitStack() as stack:
        parameters = {
            "checkpoint": checkpoint,
            "device": options.device,
            "engine": options.engine,
            "precision": options.precision,
            "image_transport": options.transport,
            "image.reliability": options.reliability,
            "scale.source": "auto" if header.is_metric else "relative",
        }
        parameters.update(parameter.split(":=", 1) for parameter in options.parameter)
        node = start("monodepth_ros.ros.depth_node", ros_arguments(parameters, {}))
        stack.callback(stop, node)
        camera = CameraProcess(options, header.training_camera)
        stack.callback(camera.stop)
        shown = camera.wait(node)

        rate = options.rate or WARM_UP_RATE
        warm_up(camera, client, options.warm_up, rate)
        if not options.rate:
            # Once at ease, once more under load.
            for _ in range(2):
                rate = SATURATION * capacity(warm_up(camera, client, options.warm_up, rate))
        begin = client.last_status()
        count = options.frames or max(2, round(options.seconds * rate))
        speed = {"before": core_speed()}
        use = CpuUse({"node": node.pid, "camera": camera.pid, "client": os.getpid()})
        memory = {"begin": memory_mb(node.pid)}
        use.start()
        burst = camera.burst(count, rate)
        client.wait_for(burst["stamps"][-1])
        cpu = use.stop()
        memory["end"] = memory_mb(node.pid)
        speed["after"] = core_speed()
        node_exit = stop(node)
    measurement = Measurement(
        options=options,
        command=command,
        checkpoint=header.summary(),
        images=shown,
        rate=rate,
        stamps=burst["stamps"],
        worst_lateness_ms=burst["worst_lateness_ms"],
        receipts=client.receipts,
        begin=begin,
        statuses=client.statuses,
        cpu_percent=cpu,
        memory=memory,
        core_gflops=speed,
    )
    write_report(measurement, Path(options.results))
    if node_exit != 0:
        print(f"bench: the node ended with exit code {node_exit}", file=sys.stderr)
    return 1 if node_exit else 0


def formula_checkpoint(options: argparse.Namespace, folder: Path) -> Path:
    """A checkpoint of the network that was asked for, its weights made by formula."""
    from monodepth_ros.networks.checkpoint import CheckpointHeader, save_checkpoint
    from monodepth_ros.networks.formula_weights import fill_networks_with_formula
    from monodepth_ros.networks.registry import build_depth, build_pose

    pose_name = options.pose or ("separate_resnet18" if "odometry" in options.outputs else "")
    width, height = options.size
    header = CheckpointHeader(options.network, height, width, KITTI_CAMERA, pose_network=pose_name)
    depth, pose = build_depth(options.network), build_pose(pose_name) if pose_name else None
    fill_networks_with_formula(depth, pose)
    path = folder / f"{options.network}.safetensors"
    save_checkpoint(path, header, depth, pose)
    return path


def warm_up(camera: "CameraProcess", client, count: int, rate: float) -> list:
    """Have images processed until all outputs come, and everything come to rest; statuses of the last round.

    Discovery is not symmetric: the camera may know the node seconds before the node knows the camera.
    """
    deadline = time.monotonic() + DISCOVERY_TIMEOUT
    while True:
        stamps = camera.burst(count, rate)["stamps"]
        client.wait_for(stamps[-1], quiet=1.0)
        missing = [topic for topic, times in client.receipts.items() if not times.keys() & set(stamps)]
        if client.count_nodes() > 1:
            raise BenchError("another depth node runs in this ROS domain: set another ROS_DOMAIN_ID")
        if not missing:
            return [client.statuses[stamp] for stamp in stamps if stamp in client.statuses]
        if time.monotonic() > deadline:
            raise BenchError(f"nothing came on {', '.join(missing)}; the node's log above may say why")


def capacity(statuses: list) -> float:
    """Frames per second that a node could process without a pause, from its stage times."""
    times = sorted(s.latency_decode_ms + s.latency_inference_ms + s.latency_publish_ms for s in statuses)
    return 1e3 / times[len(times) // 2]


def start(module: str, arguments: list[str], **options) -> subprocess.Popen:
    """A module as a process of its own, of which this process's environment holds."""
    return subprocess.Popen([sys.executable, "-m", module, *arguments], **{"stdin": subprocess.DEVNULL, **options})


class CameraProcess:
    """bench/camera.py, and the conversation with it."""

    def __init__(self, options: argparse.Namespace, intrinsics: tuple[float, float, float, float]):
        arguments = ["--images", options.images, "--size", *map(str, options.input)]
        arguments += ["--intrinsics", *map(str, intrinsics)]
        arguments += ["--compressed"] if options.transport == "compressed" else []
        pipes = dict(stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self._process = start("bench.camera", arguments, **pipes)
        self.pid = self._process.pid

    def wait(self, node: subprocess.Popen) -> dict:
        """Until the node listens: what the camera shows. BenchError if the node ends or takes too long."""
        import select

        deadline = time.monotonic() + START_TIMEOUT
        while not select.select([self._process.stdout], [], [], 0.1)[0]:
            if node.poll() is not None:
                raise BenchError("the node did not start; its log above says why")
            if time.monotonic() > deadline:
                raise BenchError(f"the node was not ready within {START_TIMEOUT:.0f} s")
        return self._answer()

    def burst(self, count: int, rate: float) -> dict:
        """Have `count` images published at `rate` [Hz]."""
        self._process.stdin.write(json.dumps({"count": count, "rate": rate}) + "\n")
        self._process.stdin.flush()
        return self._answer()

    def stop(self) -> None:
        """End the process."""
        self._process.stdin.close()
        try:
            self._process.wait(5.0)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def _answer(self) -> dict:
        line = self._process.stdout.readline()
        if not line:
            raise BenchError("the camera process ended; its message above says why")
        return json.loads(line)
