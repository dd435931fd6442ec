# SPDX-License-Identifier: Apache-2.0
"""`scripts/bench stages`: the cost of a frame in the node besides the networks, stage by stage.

Each stage is the node's own code on one image, in one process; messages go over DDS to a client in another process. The
stages take turns, round by round, so a change of the machine's speed affects all of them alike. The table gives the
median and the fastest of the rounds; on a busy machine the fastest is the better estimate. `depth/points, with a
subscriber` is the sum of its two stages. `no subscriber` is the node's check of all its topics for subscribers. The
stages of odometry and of the ground see the images of the sequence one after the other, forwards and backwards, with
the depth of --checkpoint. `image check` is the cost of `odometry.source: network` besides the network, `ground search`
that of `scale.source: camera_height`.
"""

import argparse
import time
from collections.abc import Callable

import rclpy
from rclpy.lifecycle import LifecycleNode
from sensor_msgs.msg import CompressedImage

from bench.arguments import KITTI_CAMERA, make_parser, size
from bench.errors import BenchError
from bench.frame_stages import CLOUD, frame_stages
from bench.images import image_sequence
from bench.machine import core_speed
from bench.motion_stages import motion_stages
from bench.phase import spread
from bench.result_file import command_line, conditions, write_result
from bench.worker import Worker
from monodepth_ros.data.images.image_codec import decode_compressed
from monodepth_ros.geometry.camera import CameraModel
from monodepth_ros.ros.live.outputs import DepthOutputs

TOPICS = ["depth/image", "depth/points"]
DISCOVERY_TIMEOUT = 20.0  # seconds
WARM_UP = 3  # rounds
PAUSE = 0.02  # seconds after a round, in which the client receives its messages


def parse(arguments: list[str]) -> argparse.Namespace:
    """The options in `arguments`."""
    parser = make_parser("stages", __doc__)
    parser.add_argument("--size", type=size, default=(640, 192), help="network input (640x192)")
    parser.add_argument("--input", type=size, default=(1242, 375), help="size of the camera's images (1242x375)")
    parser.add_argument("--images", default="auto", help="as for scripts/bench live")
    parser.add_argument("--checkpoint", default="", help="network for the depth of the sequence (the bundled one)")
    parser.add_argument("--rounds", type=int, default=100, help="turns of each stage (100)")
    options = parser.parse_args(arguments)
    if options.rounds < 1:
        parser.error("--rounds must be positive")
    return options


def main(arguments: list[str]) -> int:
    """Measure and print the stages, and write stages_<time>.json to the folder of results."""
    options = parse(arguments)
    times = measure(options)
    parts = zip(*(times[name] for name in CLOUD), strict=True)
    times["depth/points, with a subscriber"] = [sum(values) for values in parts]
    stages = {name: spread(values) for name, values in times.items()}
    figures = conditions(command_line("stages", arguments))
    figures |= {"core_gflops": round(core_speed(), 1), "stages_ms": stages}
    print(f"{'ms':34s}{'median':>10s}{'fastest':>10s}")
    for name, values in stages.items():
        print(f"{name:34s}{values['p50']:10.3f}{values['min']:10.3f}")
    print(f"core speed  {figures['core_gflops']:.0f} GFLOP/s")
    write_result("stages", figures, options.results)
    return 0


def measure(options: argparse.Namespace) -> dict[str, list[float]]:
    """Time of each round by stage [ms]."""
    sequence = image_sequence(options.images, *options.input, compressed=True).payloads
    messages = [CompressedImage(format="jpeg", data=data) for data in sequence]
    camera = CameraModel.from_normalized(*options.input, KITTI_CAMERA)
    motion = motion_stages([decode_compressed(message) for message in messages], camera, options)
    client = Worker("bench.sink", [], "the client")
    rclpy.init()
    try:
        client.ask({"topics": TOPICS})
        node = LifecycleNode("bench_stages")
        outputs = DepthOutputs(node, "")
        node.trigger_configure()
        node.trigger_activate()
        wait_for_client(outputs)
        times = take_turns(frame_stages(outputs, messages[0], camera, options.size) | motion, options.rounds)
        outputs.close()
        node.destroy_node()
        return times
    finally:
        client.stop()
        rclpy.try_shutdown()


def take_turns(stages: dict[str, Callable[[], object]], rounds: int) -> dict[str, list[float]]:
    """Time of each round by stage [ms], after WARM_UP rounds."""
    times: dict[str, list[float]] = {name: [] for name in stages}
    for turn in range(-WARM_UP, rounds):
        for name, stage in stages.items():
            started = time.perf_counter()
            stage()
            if turn >= 0:
                times[name].append(1e3 * (time.perf_counter() - started))
        time.sleep(PAUSE)
    return times


def wait_for_client(outputs: DepthOutputs) -> None:
    """Wait until the client has subscribed to TOPICS. Raises BenchError after DISCOVERY_TIMEOUT."""
    deadline = time.monotonic() + DISCOVERY_TIMEOUT
    while not (outputs.demand(False).cloud and outputs.demand(False).depth):
        if time.monotonic() > deadline:
            raise BenchError("the client was not found: is another ROS_AUTOMATIC_DISCOVERY_RANGE set?")
        time.sleep(0.02)
