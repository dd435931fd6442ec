# SPDX-License-Identifier: Apache-2.0
"""The demonstration: a recording played to the real node over DDS, and what a client of the node sees of it."""

import argparse
import contextlib
import os
import random
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

from monodepth_ros.cli.argument_types import count
from monodepth_ros.errors import MonodepthError

# How long [s] the node may take to load its networks and the player to begin.
START_TIMEOUT = 120.0
# Quiet time [s] after the last message before the demonstration is over.
SETTLE = 1.5


class DemoError(MonodepthError):
    """The demonstration could not be run."""


def parse(arguments: list[str] | None) -> argparse.Namespace:
    """Command line of `scripts/demo`."""
    parser = argparse.ArgumentParser(
        prog="demo",
        description="Play a recording to the depth node over DDS in real time, listen to all its outputs from another "
        "process, and leave a table and a picture sheet.",
    )
    parser.add_argument("bag", nargs="?", default="", help="recording (default: a synthetic drive, made once)")
    parser.add_argument("--checkpoint", default="", help="weights (default: the bundled demonstration checkpoint)")
    parser.add_argument(
        "--train",
        action="store_true",
        help="first train networks from scratch on the recording (some minutes), and use them",
    )
    parser.add_argument("--train-steps", type=count, default=3000, metavar="N", help="steps of --train (default 3000)")
    parser.add_argument("--topic", default="", help="image topic, where the recording has several")
    parser.add_argument("--camera-info", default="", help="calibration topic, where it is not beside the image")
    parser.add_argument("--rate", type=float, default=1.0, help="speed of the playback (default 1: real time)")
    parser.add_argument("--device", default="auto", help="auto, cpu, cuda or cuda:N")
    parser.add_argument("--resolution", choices=("network", "image"), default="network", help="size of the depth image")
    parser.add_argument("--results", default="results", help="folder of the results (default: results)")
    return parser.parse_args(arguments)


def main(arguments: list[str] | None = None) -> int:
    """Run the demonstration; 0 if every expected output came, 2 for bad input, 1 if something did not work."""
    options = parse(arguments)
    os.environ["ROS_AUTOMATIC_DISCOVERY_RANGE"] = "LOCALHOST"
    # A domain of its own: a camera that runs on this machine must not join in.
    os.environ["ROS_DOMAIN_ID"] = str(random.SystemRandom().randint(60, 99))
    try:
        return run(options)
    except MonodepthError as error:
        print(f"demo: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        return 130


def run(options: argparse.Namespace) -> int:
    """The demonstration itself."""
    from monodepth_ros.data.bags.recording import Recording
    from monodepth_ros.data.bags.topics import choose_image_stream, ground_truth_depth, ground_truth_odometry
    from monodepth_ros.networks.bundled_checkpoint import bundled_checkpoint
    from monodepth_ros.networks.checkpoint import load_checkpoint
    from monodepth_ros.ros.demonstration.defaults import default_bag
    from monodepth_ros.ros.demonstration.report import DemoRun, write_report

    bag = options.bag or str(default_bag())
    if options.train:
        from monodepth_ros.ros.demonstration.training import train_on

        if options.checkpoint:
            raise DemoError("--train begins with random weights: leave out --checkpoint, or use `monodepth adapt`")
        wanted = options.topic, options.camera_info, options.device, Path(options.results), options.train_steps
        options.checkpoint = str(train_on(bag, *wanted))
    checkpoint = options.checkpoint or str(bundled_checkpoint())
    header = load_checkpoint(checkpoint).header
    with Recording(bag) as recording:
        stream = choose_image_stream(recording, options.topic, options.camera_info)
        truth = ground_truth_depth(recording)
        odometry_truth = ground_truth_odometry(recording)
        has_tf = "/tf_static" in recording.topics and bool(odometry_truth)
        image_count = recording.topics[stream.image].count
        duration = recording.duration
    print(f"recording   {bag}: {image_count} images on {stream.image}, {duration:.1f} s")
    print(f"checkpoint  {checkpoint}: {header.summary()}")
    parameters = {
        "checkpoint": checkpoint,
        "device": options.device,
        "image_transport": "compressed" if stream.compressed else "raw",
        # Every frame of the recording counts here, so none may be lost on the way.
        "image.reliability": "reliable",
        "depth.resolution": options.resolution,
        "scale.source": "auto" if header.is_metric else "relative",
        "base_frame": "base_link" if has_tf else "",
    }
    if not header.is_metric:
        print("            its depth is relative: figures below are network units, not metres")
    base = stream.image.removesuffix("/compressed") if stream.compressed else stream.image
    remappings = {"image": base}
    if stream.camera_info:
        remappings["camera_info"] = stream.camera_info
    topics = [t for t in (stream.image, stream.camera_info, "/tf_static" if has_tf else "") if t]
    play = [bag, "--rate", str(options.rate), "--wait-timeout", str(START_TIMEOUT), "--topics", *topics]
    with Listening(stream, image_count) as listening, contextlib.ExitStack() as processes:
        node = processes.enter_context(child("monodepth_ros.ros.depth_node", ros_arguments(parameters, remappings)))
        listening.wait_for_node(node)
        play += ["--wait-subscribers", str(listening.count_subscriptions(topics))]
        player = processes.enter_context(child("monodepth_ros.ros.play", play))
        listening.wait_for_end(player, START_TIMEOUT + duration / options.rate)
        node_exit = stop(node)
    demo = DemoRun(
        bag=bag,
        camera_info_topic=stream.camera_info,
        depth_truth_topic=truth,
        odometry_truth_topic=odometry_truth,
        checkpoint=checkpoint,
        header=header,
        image_count=image_count,
        rate=options.rate,
        listener=listening.listener,
        expects_odometry=bool(header.pose_network),
    )
    is_complete = write_report(demo, Path(options.results))
    if node_exit != 0:
        print(f"demo: the node ended with exit code {node_exit}", file=sys.stderr)
    return 0 if is_complete and node_exit == 0 else 1


def ros_arguments(parameters: dict[str, str], remappings: dict[str, str]) -> list[str]:
    """Command-line form of parameters and remappings; empty strings are left at their defaults."""
    arguments = ["--ros-args"]
    for name, value in parameters.items():
        if value != "":
            arguments += ["-p", f"{name}:={value}"]
    for name, target in remappings.items():
        arguments += ["-r", f"{name}:={target}"]
    return arguments


@contextlib.contextmanager
def child(module: str, arguments: list[str]):
    """One of this package's executables as a process of its own; ended when the block is left."""
    process = subprocess.Popen([sys.executable, "-m", module, *arguments], stdin=subprocess.DEVNULL)
    try:
        yield process
    finally:
        stop(process)


def stop(process: subprocess.Popen) -> int:
    """End a process as Ctrl-C would; its exit code."""
    if process.poll() is None:
        process.send_signal(signal.SIGINT)
        try:
            process.wait(5.0)
        except subprocess.TimeoutExpired:
            process.kill()
    return process.wait()


class Listening:
    """The client's side: an OutputListener that spins in a thread of this process."""

    def __init__(self, stream, image_count: int):
        self._stream = stream
        self._kept = 0
        self._every = max(1, image_count // 24)

    def __enter__(self) -> "Listening":
        import rclpy
        from rclpy.executors import SingleThreadedExecutor

        from monodepth_ros.ros.demonstration.output_listener import OutputListener

        rclpy.init()
        self.node = rclpy.create_node("demo_client")
        self.listener = OutputListener(self.node, self._stream.image, self._stream.compressed, keep=self._keep)
        self._executor = SingleThreadedExecutor()
        self._executor.add_node(self.node)
        self._thread = threading.Thread(target=self._executor.spin, daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        import rclpy

        self._executor.shutdown()
        self._thread.join(2.0)
        self.node.destroy_node()
        rclpy.try_shutdown()

    def _keep(self, stamp_ns: int) -> bool:
        """Keep the messages of every so many frames, for the sheet and the depth error."""
        inputs = self.listener.arrivals[self._stream.image]
        if stamp_ns not in inputs:
            return False
        return list(inputs).index(stamp_ns) % self._every == 0

    def wait_for_node(self, process: subprocess.Popen) -> None:
        """Until the node has subscribed to the images, beside this client; DemoError if it does not come up."""
        deadline = time.monotonic() + START_TIMEOUT
        while self.node.count_subscribers(self._stream.image) < 2:
            if process.poll() is not None:
                raise DemoError("the node did not start; its log above says why")
            if time.monotonic() > deadline:
                raise DemoError(f"the node was not ready within {START_TIMEOUT:.0f} s")
            time.sleep(0.05)

    def count_subscriptions(self, topics: list[str]) -> int:
        """How many subscriptions the player will have once everybody, this client too, has found it."""
        # The node subscribes to the calibration right after the images.
        at_least = {self._stream.image: 2, self._stream.camera_info: 1}
        return sum(max(self.node.count_subscribers(topic), at_least.get(topic, 0)) for topic in topics)

    def wait_for_end(self, player: subprocess.Popen, timeout: float) -> None:
        """Until the player has ended and nothing more comes; DemoError if it fails."""
        deadline = time.monotonic() + timeout
        while player.poll() is None:
            if time.monotonic() > deadline:
                raise DemoError("the player did not end in time")
            time.sleep(0.05)
        if player.returncode != 0:
            raise DemoError("the player failed; its message above says why")
        quiet_since, seen = time.monotonic(), -1
        while time.monotonic() - quiet_since < SETTLE:
            total = sum(count for topic, count in self.listener.counts.items() if topic != "/diagnostics")
            if total != seen:
                quiet_since, seen = time.monotonic(), total
            time.sleep(0.05)


if __name__ == "__main__":
    sys.exit(main())
