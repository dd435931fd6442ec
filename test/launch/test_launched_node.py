# SPDX-License-Identifier: Apache-2.0
"""The launch files with the real node and player, and their end by an interrupt."""

import os
import signal
import subprocess
import sys
import time

import numpy as np
import pytest

# `import launch` alone succeeds at the root of the project, whose folder launch/ looks like a package.
pytest.importorskip("launch.actions", reason="no launch here (it is not on PyPI): source an apt ROS 2 to test it")
pytest.importorskip("launch_ros.actions", reason="no launch_ros here (it is not on PyPI)")
rclpy = pytest.importorskip("rclpy")

from ament_index_python.packages import PackageNotFoundError, get_package_share_directory  # noqa: E402
from rclpy.executors import SingleThreadedExecutor  # noqa: E402
from sensor_msgs.msg import Image  # noqa: E402
from tf2_msgs.msg import TFMessage  # noqa: E402

from monodepth_ros.data.bags.writer import BagWriter  # noqa: E402
from monodepth_ros.networks.checkpoints.checkpoint import CheckpointHeader, save_checkpoint  # noqa: E402
from monodepth_ros.networks.formula_weights import fill_networks_with_formula  # noqa: E402
from monodepth_ros.networks.registry import build_depth  # noqa: E402
from monodepth_ros.ros.frame_tree import TF_STATIC_QOS  # noqa: E402

SECOND = 1_000_000_000
START_NS = 1_700_000_000 * SECOND
WIDTH, HEIGHT = 320, 96
TRAINING_CAMERA = (0.58, 1.92, 0.5, 0.5)
TYPES = BagWriter.types

# What `ros2 launch` does, for machines that have launch but not that command.
LAUNCHER = """
import sys
from launch import LaunchDescription, LaunchService
from launch.actions import IncludeLaunchDescription
from launch.launch_description_sources import PythonLaunchDescriptionSource

arguments = [argument.split(":=", 1) for argument in sys.argv[2:]]
source = PythonLaunchDescriptionSource(sys.argv[1])
service = LaunchService()
service.include_launch_description(
    LaunchDescription([IncludeLaunchDescription(source, launch_arguments=arguments)])
)
sys.exit(service.run())
"""


@pytest.fixture
def launch_folder():
    try:
        return f"{get_package_share_directory('monodepth_ros')}/launch"
    except (PackageNotFoundError, OSError):  # OSError: no environment at all
        pytest.skip("monodepth_ros is not installed here: run scripts/test")


@pytest.fixture
def recording(tmp_path):
    """A recording of raw images of a calibrated camera at 10 Hz."""
    fx, fy, cx, cy = TRAINING_CAMERA
    k = np.array([fx * WIDTH, 0.0, cx * WIDTH - 0.5, 0.0, fy * HEIGHT, cy * HEIGHT - 0.5, 0.0, 0.0, 1.0])
    p = np.hstack((k.reshape(3, 3), np.zeros((3, 1)))).reshape(-1)
    roi = TYPES["sensor_msgs/msg/RegionOfInterest"](0, 0, 0, 0, False)
    path = tmp_path / "drive"
    with BagWriter(path) as bag:
        bag.add_topic("/camera/image_raw", "sensor_msgs/msg/Image")
        bag.add_topic("/camera/camera_info", "sensor_msgs/msg/CameraInfo")
        for index in range(15):
            stamp_ns = START_NS + index * SECOND // 10
            stamp = TYPES["builtin_interfaces/msg/Time"](*divmod(stamp_ns, SECOND))
            header = TYPES["std_msgs/msg/Header"](stamp, "camera_optical")
            info = TYPES["sensor_msgs/msg/CameraInfo"](
                header, HEIGHT, WIDTH, "plumb_bob", np.zeros(5), k, np.eye(3).reshape(-1), p, 0, 0, roi
            )
            pixels = np.random.default_rng(index).integers(0, 255, WIDTH * HEIGHT * 3, np.uint8)
            image = TYPES["sensor_msgs/msg/Image"](header, HEIGHT, WIDTH, "rgb8", 0, WIDTH * 3, pixels)
            bag.write("/camera/camera_info", stamp_ns, info)
            bag.write("/camera/image_raw", stamp_ns, image)
    return path


@pytest.fixture
def checkpoint(tmp_path):
    """A small metric network."""
    network = build_depth("rt_monodepth_s")
    fill_networks_with_formula(network, None)
    facts = dict(scale_kind="metric", scale_factor=2.0, scale_origin="test", training_camera=TRAINING_CAMERA)
    path = tmp_path / "weights.safetensors"
    save_checkpoint(path, CheckpointHeader("rt_monodepth_s", HEIGHT, WIDTH, **facts), network)
    return path


@pytest.fixture
def params_file(tmp_path):
    """A parameter file of which the launch arguments must override one setting only."""
    path = tmp_path / "mine.yaml"
    path.write_text(
        "/**:\n  ros__parameters:\n    checkpoint: /nowhere\n    depth:\n      encoding: 16UC1\n      max_range: 50\n"
    )
    return path


@pytest.fixture
def listener():
    """A client's executor, the depth images that it receives, and the static transforms."""
    context = rclpy.Context()
    rclpy.init(context=context)
    node = rclpy.create_node("listener", context=context)
    depths, transforms = [], []
    node.create_subscription(Image, "/front/depth/image", depths.append, 50)
    node.create_subscription(TFMessage, "/tf_static", lambda m: transforms.extend(m.transforms), TF_STATIC_QOS)
    executor = SingleThreadedExecutor(context=context)
    executor.add_node(node)
    yield executor, depths, transforms
    executor.shutdown()
    node.destroy_node()
    context.try_shutdown()


def launched(launch_file, arguments, tmp_path):
    """Start a launch as a process."""
    return subprocess.Popen(
        [sys.executable, "-c", LAUNCHER, launch_file, *arguments],
        env={**os.environ, "ROS_LOG_DIR": str(tmp_path / "log")},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )


def test_a_recording_gives_depth_from_its_first_second_and_an_interrupt_ends_everything(
    launch_folder, recording, checkpoint, params_file, listener, tmp_path
):
    executor, depths, transforms = listener
    arguments = (
        f"params_file:={params_file}", f"checkpoint:={checkpoint}", "namespace:=front",
        f"bag:={recording}", "image:=/camera/image_raw", "camera_pose:=-0.2,0,0.9,0,0,0",
    )  # fmt: skip
    process = launched(f"{launch_folder}/depth.launch.py", arguments, tmp_path)
    try:
        deadline = time.monotonic() + 90
        while not (depths and transforms) and process.poll() is None and time.monotonic() < deadline:
            executor.spin_once(timeout_sec=0.1)
        os.killpg(process.pid, signal.SIGINT)  # as a terminal does on Ctrl-C
        output, _ = process.communicate(timeout=30)
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
    assert depths, f"no depth from the launched node:\n{output}"
    header = depths[0].header
    late = header.stamp.sec + header.stamp.nanosec / SECOND - START_NS / SECOND
    assert late < 1.0, f"the first depth image is {late:.1f} s into the recording:\n{output}"
    assert (header.frame_id, depths[0].encoding) == ("camera_optical", "16UC1")
    assert process.returncode == 0, output
    assert output.count("process has finished cleanly") == 3, output
    assert [(t.header.frame_id, t.child_frame_id) for t in transforms] == [("base_link", "camera_optical")], output
    assert transforms[0].transform.translation.x == -0.2
    with pytest.raises(ProcessLookupError):  # nothing of the group is left
        os.killpg(process.pid, 0)


def test_each_of_two_cameras_gives_depth_below_its_name(launch_folder, checkpoint, listener, tmp_path):
    executor, depths, _ = listener
    node = executor.get_nodes()[0]
    cameras = {"front": (320, 96), "left": (200, 150)}
    publishers = {name: node.create_publisher(Image, f"/rig/{name}/color", 1) for name in cameras}
    node.create_subscription(Image, "/left/depth/image", depths.append, 50)
    params_file = tmp_path / "mine.yaml"
    params_file.write_text("/**:\n  ros__parameters: {camera_info_timeout: 0, depth: {resolution: image}}\n")
    arguments = (
        "cameras:=front,left", "image_topic:=/rig/{camera}/color", f"params_file:={params_file}",
        f"checkpoint:={checkpoint}",
    )  # fmt: skip
    process = launched(f"{launch_folder}/multi_camera.launch.py", arguments, tmp_path)
    try:
        deadline, stamp = time.monotonic() + 90, 0
        while process.poll() is None and time.monotonic() < deadline:
            if len({message.header.frame_id for message in depths}) == 2:
                break
            stamp += 1
            for name, (width, height) in cameras.items():
                image = Image(width=width, height=height, encoding="mono8", step=width, data=bytes(width * height))
                image.header.frame_id, image.header.stamp.sec = name, stamp
                publishers[name].publish(image)
            executor.spin_once(timeout_sec=0.1)
        os.killpg(process.pid, signal.SIGINT)
        output, _ = process.communicate(timeout=30)
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
    assert {(m.header.frame_id, (m.width, m.height)) for m in depths} == set(cameras.items()), output
    assert process.returncode == 0 and output.count("process has finished cleanly") == 1, output
