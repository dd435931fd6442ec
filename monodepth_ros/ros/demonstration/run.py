# SPDX-License-Identifier: Apache-2.0
"""The body of the demonstration: the node, the player and a client, each a process of its own."""

import argparse
import sys
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from monodepth_ros.data.bags.recording import Recording
from monodepth_ros.data.cameras.topics import ImageStream, choose_image_stream
from monodepth_ros.data.sources.reference_topics import ground_truth_depth, ground_truth_odometry
from monodepth_ros.networks.checkpoints.bundled_checkpoint import BUNDLED_NAME
from monodepth_ros.networks.checkpoints.checkpoint import CheckpointHeader, load_checkpoint
from monodepth_ros.odometry.config import OdometryConfig
from monodepth_ros.pipeline.motion_tracking import gives_motion
from monodepth_ros.ros.demonstration.client import START_TIMEOUT, DemoClient
from monodepth_ros.ros.demonstration.defaults import default_bag
from monodepth_ros.ros.demonstration.errors import DemoError
from monodepth_ros.ros.demonstration.processes import child, ros_arguments, stop
from monodepth_ros.ros.demonstration.report import DemoRun, write_report
from monodepth_ros.ros.demonstration.training import train_on


@dataclass(frozen=True)
class DemoRecording:
    """The recording to play. Topics are empty where it has none; has_tf: it holds static transforms."""

    bag: str
    stream: ImageStream
    depth_truth_topic: str
    reference_odometry_topic: str
    image_count: int
    duration: float  # seconds
    has_tf: bool

    @property
    def played_topics(self) -> list[str]:
        """The topics that the player publishes."""
        topics = (self.stream.image, self.stream.camera_info, "/tf_static" if self.has_tf else "")
        return [topic for topic in topics if topic]

    @property
    def counted_topics(self) -> list[str]:
        """The topics whose subscriptions the player waits for."""
        return [topic for topic in self.played_topics if topic != "/tf_static"]

    @property
    def remappings(self) -> dict[str, str]:
        """The node's remappings onto the recorded topics."""
        image = self.stream.image.removesuffix("/compressed") if self.stream.compressed else self.stream.image
        remappings = {"image": image}
        if self.stream.camera_info:
            remappings["camera_info"] = self.stream.camera_info
        return remappings


def open_recording(bag: str, topic: str, camera_info: str) -> DemoRecording:
    """The recording with its topics; MonodepthError if it cannot be read or its camera is not clear."""
    with Recording(bag) as recording:
        stream = choose_image_stream(recording, topic, camera_info)
        reference = ground_truth_odometry(recording)
        return DemoRecording(
            bag=bag,
            stream=stream,
            depth_truth_topic=ground_truth_depth(recording),
            reference_odometry_topic=reference,
            image_count=recording.topics[stream.image].count,
            duration=recording.duration,
            has_tf="/tf_static" in recording.topics,
        )


def node_parameters(
    recording: DemoRecording, checkpoint: str, header: CheckpointHeader, options: argparse.Namespace
) -> dict[str, str]:
    """The node's parameters for this recording."""
    return {
        "checkpoint": checkpoint,
        "device": options.device,
        "image_transport": "compressed" if recording.stream.compressed else "raw",
        # Every frame of the recording counts here, so none may get lost on the way.
        "image.reliability": "reliable",
        "depth.resolution": options.resolution,
        "scale.source": "auto" if header.is_metric else "relative",
    }


def run(options: argparse.Namespace) -> int:
    """Run the demonstration; 0 if every expected output came, else 1. MonodepthError for bad input."""
    if options.train and options.checkpoint:
        raise DemoError("--train begins with random weights: leave out --checkpoint, or use `monodepth adapt`")
    bag = options.bag or str(default_bag())
    checkpoint = options.checkpoint or BUNDLED_NAME
    if options.train:
        checkpoint = str(
            train_on(
                bag,
                topic=options.topic,
                camera_info=options.camera_info,
                device=options.device,
                results=Path(options.results),
                steps=options.train_steps,
            )
        )
    header = load_checkpoint(checkpoint).header
    recording = open_recording(bag, options.topic, options.camera_info)
    print(f"recording   {bag}: {recording.image_count} images on {recording.stream.image}, {recording.duration:.1f} s")
    print(f"checkpoint  {checkpoint}: {header.summary()}")
    if not header.is_metric:
        print("            its depth is relative: the figures below are network units, not metres")
    parameters = node_parameters(recording, checkpoint, header, options)
    listener, node_exit = play_to_node(recording, parameters, options.rate)
    demo = DemoRun(
        bag=bag,
        camera_info_topic=recording.stream.camera_info,
        depth_truth_topic=recording.depth_truth_topic,
        reference_odometry_topic=recording.reference_odometry_topic,
        checkpoint=checkpoint,
        header=header,
        image_count=recording.image_count,
        rate=options.rate,
        listener=listener,
        # The node runs with the default settings of the odometry.
        expects_odometry=gives_motion(OdometryConfig(), bool(header.pose_network)),
    )
    is_complete = write_report(demo, Path(options.results))
    if node_exit != 0:
        print(f"demo: the node ended with exit code {node_exit}", file=sys.stderr)
    return 0 if is_complete and node_exit == 0 else 1


def play_to_node(recording: DemoRecording, parameters: dict[str, str], rate: float):
    """Play the recording to a node; the OutputListener that heard its outputs, and the node's exit code."""
    topics = recording.played_topics
    play = [recording.bag, "--rate", str(rate), "--wait-timeout", str(START_TIMEOUT), "--topics", *topics]
    with DemoClient(recording.stream, recording.image_count) as client, ExitStack() as processes:
        arguments = ros_arguments(parameters, recording.remappings)
        node = processes.enter_context(child("monodepth_ros.ros.depth_node", arguments))
        client.wait_for_node(node)
        play += ["--wait-subscribers", str(client.count_subscriptions(recording.counted_topics))]
        player = processes.enter_context(child("monodepth_ros.ros.play", play))
        client.wait_for_end(player, START_TIMEOUT + recording.duration / rate)
        return client.listener, stop(node)
