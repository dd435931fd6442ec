# SPDX-License-Identifier: Apache-2.0
"""A running depth node and a client of it, talking over DDS."""

import os
import sys
import threading
import time
from collections import defaultdict
from pathlib import Path

import cv2
import numpy as np
import pytest

# The tests of this folder need a real ROS 2; everywhere else the package must work without one.
pytest.importorskip("rclpy", reason="no rclpy: run scripts/test, or source a ROS 2 set-up")

import rclpy
import torch
from rclpy.executors import SingleThreadedExecutor
from rclpy.parameter import Parameter
from rclpy.qos import QoSProfile, ReliabilityPolicy
from sensor_msgs.msg import CameraInfo, CompressedImage, Image

from monodepth_ros.networks.checkpoints.checkpoint import CheckpointHeader, save_checkpoint
from monodepth_ros.networks.formula_weights import fill_networks_with_formula
from monodepth_ros.networks.registry import build_depth, build_pose
from monodepth_ros.ros.demonstration.output_listener import OUTPUTS
from monodepth_ros.ros.interop import encode_image
from monodepth_ros.ros.live.camera_health import camera_health
from monodepth_ros.ros.live.lifecycle_node import DepthNode

# Lets the tests of this folder import what they share (stamped_transform.py, node_log.py).
sys.path.insert(0, str(Path(__file__).parent))


SECOND = 1_000_000_000
RELIABLE = QoSProfile(depth=20, reliability=ReliabilityPolicy.RELIABLE)
TRAINING_CAMERA = (0.58, 1.92, 0.5, 0.5)


def make_checkpoint(path, height=96, width=320, depth="rt_monodepth_s", pose="", **header):
    """Write a checkpoint with formula weights, metric by default."""
    networks = build_depth(depth), build_pose(pose) if pose else None
    fill_networks_with_formula(*networks)
    facts = dict(scale_kind="metric", scale_factor=2.0, scale_origin="test", training_camera=TRAINING_CAMERA)
    facts.update(header)
    save_checkpoint(path, CheckpointHeader(depth, height, width, pose_network=pose, **facts), *networks)
    return path


@pytest.fixture(scope="session")
def depth_checkpoint(tmp_path_factory):
    """A metric checkpoint without a pose network."""
    return make_checkpoint(tmp_path_factory.mktemp("checkpoints") / "depth.safetensors")


@pytest.fixture(scope="session")
def pose_checkpoint(tmp_path_factory):
    """A metric checkpoint with a pose network, whose motions are plausible at 10 Hz."""
    return make_checkpoint(tmp_path_factory.mktemp("checkpoints") / "pose.safetensors", pose="posecnn")


@pytest.fixture(scope="session")
def relative_checkpoint(tmp_path_factory):
    """A relative checkpoint with a pose network."""
    path = tmp_path_factory.mktemp("checkpoints") / "relative.safetensors"
    return make_checkpoint(path, pose="posecnn", scale_kind="relative", scale_factor=1.0)


def camera_info(width=320, height=96, intrinsics=TRAINING_CAMERA, frame="camera_optical", stamp_ns=0):
    """CameraInfo of a pinhole camera with normalised intrinsics."""
    fx, fy, cx, cy = intrinsics
    message = CameraInfo(width=width, height=height, distortion_model="plumb_bob")
    message.header.frame_id = frame
    message.header.stamp.sec, message.header.stamp.nanosec = divmod(stamp_ns, SECOND)
    k = [fx * width, 0.0, cx * width - 0.5, 0.0, fy * height, cy * height - 0.5, 0.0, 0.0, 1.0]
    message.k, message.d = k, [0.0] * 5
    message.r = np.eye(3).reshape(-1)
    message.p = [*k[:3], 0.0, *k[3:6], 0.0, *k[6:], 0.0]
    return message


def texture(height=96, width=320):
    """A picture (H, W, 3) of blobs of at least two pixels, continuous across the left and right edge."""
    noise = np.random.default_rng(0).normal(size=(height, 3 * width)).astype(np.float32)
    noise[:, :width] = noise[:, 2 * width :] = noise[:, width : 2 * width]
    gray = cv2.GaussianBlur(noise, (0, 0), 1.5)[:, width : 2 * width]
    return cv2.merge([cv2.normalize(gray, None, 0, 255, cv2.NORM_MINMAX).astype(np.uint8)] * 3)


TEXTURE = texture()


class Harness:
    """A DepthNode and a client of it, in two contexts on one DDS domain."""

    def __init__(self, node_arguments=(), listen=tuple(OUTPUTS), **parameters):
        self.contexts = [rclpy.Context(), rclpy.Context()]
        for context in self.contexts:
            rclpy.init(context=context)
        # Most tests replace the pose network's motion by their own; fp32 gives the same figures on every machine.
        # No tree of frames is published in most, and TF must not wait for one.
        parameters = {"odometry__source": "network", "precision": "fp32", "base_frame": ""} | parameters
        given = [Parameter(name.replace("__", "."), value=value) for name, value in parameters.items()]
        self.node = DepthNode(
            context=self.contexts[0], parameter_overrides=given, cli_args=["--ros-args", *node_arguments]
        )
        self.client = rclpy.create_node("client", context=self.contexts[1])
        self.received = defaultdict(list)
        self.stamp_ns = 100 * SECOND
        for topic in listen:
            self.client.create_subscription(OUTPUTS[topic], topic, self.received[topic].append, RELIABLE)
        self.images = self.client.create_publisher(Image, "image", RELIABLE)
        self.compressed = self.client.create_publisher(CompressedImage, "image/compressed", RELIABLE)
        self.infos = self.client.create_publisher(CameraInfo, "camera_info", RELIABLE)
        self.executors = [self._spin(node, context) for node, context in zip((self.node, self.client), self.contexts)]

    @property
    def engine(self):
        """The node's engine while it is configured."""
        return self.node.engine

    @property
    def stream(self):
        """The node's first camera while it is configured."""
        return next(iter(self.node.streams), None)

    def health(self):
        """The first camera's diagnostics of this moment."""
        return camera_health(self.stream)

    def subscribers(self, topic):
        """Number of subscriptions to a topic of the node, as the node sees it."""
        found = [p for p in self.node.publishers if p.topic_name == self.node.resolve_topic_name(topic)]
        return sum(publisher.get_subscription_count() for publisher in found)

    def start(self, listen=tuple(OUTPUTS)):
        """Configure and activate the node, and wait for the connections."""
        assert self.node.trigger_configure().name == "SUCCESS"
        assert self.node.trigger_activate().name == "SUCCESS"
        self.wait_connected(listen)

    def _spin(self, node, context):
        executor = SingleThreadedExecutor(context=context)
        executor.add_node(node)
        thread = threading.Thread(target=executor.spin, daemon=True)
        thread.start()
        return executor, thread

    def wait_connected(self, listen=tuple(OUTPUTS)):
        """Wait until the topics of node and client are connected, so that no message is lost."""
        self.wait(lambda: self.images.get_subscription_count() or self.compressed.get_subscription_count())
        wanted = [topic for topic in listen if topic.startswith(("depth/", "rgb/"))]
        self.wait(lambda: all(map(self.subscribers, wanted)))

    def wait(self, condition, timeout=20.0, message=""):
        """Wait until a condition holds; fail with the numbers of received messages."""
        deadline = time.monotonic() + timeout
        while not condition():
            if time.monotonic() > deadline:
                counts = {topic: len(found) for topic, found in self.received.items()}
                pytest.fail(f"{message or 'condition not met'} within {timeout} s; received {counts}")
            time.sleep(0.005)

    def header(self, stamp_ns, frame="camera_optical"):
        message = Image()
        message.header.frame_id = frame
        message.header.stamp.sec, message.header.stamp.nanosec = divmod(stamp_ns, SECOND)
        return message.header

    def send_info(self, info=None):
        """Publish a calibration and wait until the node has it."""
        info = info or camera_info()
        deadline = time.monotonic() + 20.0
        while True:
            self.infos.publish(info)
            time.sleep(0.02)
            if self.stream.intake.camera_info == info:
                return
            assert time.monotonic() < deadline, "camera_info did not arrive"

    def send(self, stamp_ns, array=None, encoding="rgb8", frame="camera_optical"):
        """Publish one image; by default a texture that shifts by 3 pixels per 0.1 s and wraps around."""
        if array is None:
            array = np.roll(TEXTURE, round(stamp_ns * 3e-8) % 320, axis=1)
        self.images.publish(encode_image(array, encoding, self.header(stamp_ns, frame)))

    def exchange(self, stamp_ns, array=None, encoding="rgb8", topic="depth/image", frame="camera_optical"):
        """Publish one image and return the output of its stamp."""
        self.send(stamp_ns, array, encoding, frame)
        return self.output(stamp_ns, topic)

    def output(self, stamp_ns, topic="depth/image"):
        """Wait for the output of a stamp and return it."""

        def match():
            return [m for m in self.received[topic] if m.header.stamp.sec * SECOND + m.header.stamp.nanosec == stamp_ns]

        self.wait(match, message=f"no {topic} of stamp {stamp_ns}")
        return match()[-1]

    def settle(self, seconds=0.3):
        """Wait, so that a message that must not come could come."""
        time.sleep(seconds)

    def counts(self):
        """Frames by fate."""
        return self.stream.counters.counts()

    def settled_counts(self):
        """Wait until every received frame is counted (outputs arrive a moment earlier); the counts."""

        def is_settled():
            counts = self.counts()
            return 2 * counts["frames_received"] + counts["frames_lost"] == sum(counts.values())

        self.wait(is_settled, message="frames unaccounted for")
        return self.counts()

    def expect_dropped(self, send, cause="frames_invalid"):
        """Send a frame that must be dropped and counted under `cause`."""
        before = self.settled_counts()
        send()
        self.wait(lambda: self.counts()[cause] == before[cause] + 1, message=f"not counted as {cause}")
        assert self.counts()["frames_processed"] == before["frames_processed"]

    def next_stamp(self):
        """The next stamp, 0.1 s after the last; kept in `stamp_ns`."""
        self.stamp_ns += SECOND // 10
        return self.stamp_ns

    def on_executor(self, function, which=0):
        """Run a function like a callback, on the thread that spins the node (0) or the client (1); its result."""
        task = self.executors[which][0].create_task(function)
        self.wait(task.done)
        return task.result()

    def diagnosis(self, *words):
        """Wait for a diagnostic message of the first camera with all these words and return it."""

        def match():
            messages = [m.status[0].message for m in self.received["/diagnostics"]]
            return [text for text in messages if all(word in text for word in words)]

        self.wait(match, message=f"no diagnostic with {words}")
        return match()[0]

    def set(self, **parameters):
        """Set parameters atomically; the result."""
        given = [Parameter(name.replace("__", "."), value=value) for name, value in parameters.items()]
        return self.node.set_parameters_atomically(given)

    def call(self, service_type, name, request, timeout=10.0):
        """Call a service of the node from the client; its answer."""
        client = self.client.create_client(service_type, f"/depth_node/{name}")
        assert client.wait_for_service(timeout)
        future = client.call_async(request)
        self.wait(future.done, timeout, f"no answer from {name}")
        self.client.destroy_client(client)
        return future.result()

    def close(self):
        for executor, thread in self.executors:
            executor.shutdown()
            thread.join(5)
        self.node.end()
        for node in (self.node, self.client):
            node.destroy_node()
        for context in self.contexts:
            context.try_shutdown()


@pytest.fixture
def harness():
    """A function that makes harnesses, which are closed at the end of the test."""
    torch.set_num_threads(2)
    made = []

    def make(checkpoint, *arguments, start=True, listen=tuple(OUTPUTS), **parameters):
        made.append(Harness(*arguments, listen=listen, checkpoint=str(checkpoint), **parameters))
        if start:  # a node that fails to start is ended all the same
            made[-1].start(listen)
        return made[-1]

    yield make
    for item in made:
        item.close()


@pytest.fixture(scope="session")
def environment():
    """Environment of child processes: this one's."""
    return dict(os.environ)
