# SPDX-License-Identifier: Apache-2.0
"""The bag player over DDS: another process receives the recorded messages in time."""

import os
import signal
import subprocess
import sys
import time

import numpy as np
import pytest

rclpy = pytest.importorskip("rclpy")

from rclpy.executors import SingleThreadedExecutor  # noqa: E402
from rclpy.qos import DurabilityPolicy, QoSProfile, ReliabilityPolicy  # noqa: E402
from rosbags.typesys import get_types_from_msg  # noqa: E402
from rosgraph_msgs.msg import Clock  # noqa: E402
from sensor_msgs.msg import CameraInfo, CompressedImage, Image  # noqa: E402
from std_msgs.msg import String  # noqa: E402

from monodepth_ros.data.bags.recording import Recording  # noqa: E402
from monodepth_ros.data.bags.types import common_types  # noqa: E402
from monodepth_ros.data.bags.writer import BagWriter  # noqa: E402
from monodepth_ros.ros.play import build_parser, parse_remappings  # noqa: E402

START_NS = 1_700_000_000_000_000_000
STEP_NS = 100_000_000
TYPES = BagWriter.types
RELIABLE = QoSProfile(depth=100, reliability=ReliabilityPolicy.RELIABLE)
LATCHED = QoSProfile(depth=100, reliability=ReliabilityPolicy.RELIABLE, durability=DurabilityPolicy.TRANSIENT_LOCAL)


@pytest.fixture(scope="module")
def ros():
    """A node of this process, with an executor, in its own domain."""
    before = os.environ.get("ROS_DOMAIN_ID")
    domain = int(before or 1 + os.getpid() % 100)
    os.environ["ROS_DOMAIN_ID"] = str(domain)
    context = rclpy.Context()
    rclpy.init(context=context, domain_id=domain)
    node = rclpy.create_node("play_test", context=context)
    executor = SingleThreadedExecutor(context=context)
    executor.add_node(node)
    yield node, executor
    executor.shutdown()
    node.destroy_node()
    rclpy.shutdown(context=context)
    if before is None:
        del os.environ["ROS_DOMAIN_ID"]


class Listener:
    """Collect (arrival time, message) of one topic until closed."""

    def __init__(self, ros, message_type, topic, qos=RELIABLE, raw=True):
        self.node, self.executor = ros
        self.received = []
        self.subscription = self.node.create_subscription(
            message_type, topic, lambda m: self.received.append((time.monotonic(), m)), qos, raw=raw
        )

    def spin(self, until, seconds=15.0):
        deadline = time.monotonic() + seconds
        while not until() and time.monotonic() < deadline:
            self.executor.spin_once(timeout_sec=0.05)
        return [message for _, message in self.received]

    def close(self):
        self.node.destroy_subscription(self.subscription)


@pytest.fixture
def listen(ros):
    listeners = []

    def make(*arguments, **options):
        listeners.append(Listener(ros, *arguments, **options))
        return listeners[-1]

    yield make
    for listener in listeners:
        listener.close()


@pytest.fixture
def play():
    """A function that starts players, which are killed at the end of the test."""
    processes = []

    def start(*arguments):
        command = [sys.executable, "-m", "monodepth_ros.ros.play", *map(str, arguments)]
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        processes.append(process)
        return process

    yield start
    for process in processes:
        if process.poll() is None:
            process.kill()
        process.communicate()


@pytest.fixture(scope="module")
def bag(tmp_path_factory):
    """A recording of 10 images at 10 Hz, a latched message before them, and a topic of an unknown type."""
    path = tmp_path_factory.mktemp("play") / "drive"
    with BagWriter(path) as writer:
        writer.add_topic("/image", "sensor_msgs/msg/Image")
        writer.add_topic("/description", "std_msgs/msg/String", latched=True)
        common_types().register(get_types_from_msg("int32 a", "odd_msgs/msg/Odd"))
        writer.add_topic("/odd", "odd_msgs/msg/Odd")
        writer.write("/description", START_NS, TYPES["std_msgs/msg/String"]("robot"))
        writer.write_raw("/odd", START_NS, b"\0\1\0\0\1\0\0\0")
        for index in range(10):
            stamp_ns = START_NS + index * STEP_NS
            stamp = TYPES["builtin_interfaces/msg/Time"](stamp_ns // 10**9, stamp_ns % 10**9)
            header = TYPES["std_msgs/msg/Header"](stamp, "camera")
            pixels = np.full(640 * 192 * 3, index, np.uint8)
            image = TYPES["sensor_msgs/msg/Image"](header, 192, 640, "rgb8", 0, 1920, pixels)
            writer.write("/image", stamp_ns, image)
    return path


def numbers(messages):
    """The numbers of images of `bag`, which their pixels hold."""
    return [int(message.data[0]) for message in messages]


def test_all_messages_of_a_real_bag_arrive_byte_identical_and_in_order(monodepth_data, listen, play):
    path = monodepth_data / "rosbag2" / "kitti_colour_compressed_mcap"
    images = listen(CompressedImage, "/camera/image_raw/compressed")
    infos = listen(CameraInfo, "/camera/camera_info")
    player = play(path, "--rate", 5, "--wait-subscribers", 2)
    images.spin(lambda: len(images.received) >= 24 and len(infos.received) >= 24)
    output = player.communicate(timeout=10)
    with Recording(path) as recording:
        for listener, topic in ((images, "/camera/image_raw/compressed"), (infos, "/camera/camera_info")):
            recorded = [message.data for message in recording.messages([topic])]
            received = [bytes(message) for _, message in listener.received]
            assert len(received) == 24, f"{len(received)} of 24 on {topic}: {output}"
            # DDS may pad what it carries with zeros to a multiple of four bytes.
            padding = [message[len(data) :] for message, data in zip(received, recorded, strict=True)]
            assert [m[: len(data)] for m, data in zip(received, recorded, strict=True)] == recorded
            assert all(len(rest) < 4 and not any(rest) for rest in padding), padding
    assert player.returncode == 0 and "played 48 messages" in output[0], output
    seconds = images.received[-1][0] - images.received[0][0]
    assert 0.4 < seconds < 2.0, f"2.38 s at rate 5 took {seconds:.2f} s"


def test_a_split_folder_with_wrong_metadata_is_played_whole_and_its_notes_are_printed(bag, listen, play, tmp_path):
    """metadata.yaml is that of the second of two files, and a third one is missing."""
    folder = tmp_path / "split"
    folder.mkdir()
    with Recording(bag) as recording:
        for part, (begin, end) in enumerate([(0, 4), (4, 10)]):
            with BagWriter(tmp_path / f"part_{part}") as writer:
                writer.add_topic("/image", "sensor_msgs/msg/Image")
                limits = START_NS + begin * STEP_NS, START_NS + end * STEP_NS
                for message in recording.messages(["/image"], *limits):
                    writer.write_raw("/image", message.stamp_ns, message.data)
            (tmp_path / f"part_{part}" / f"part_{part}.mcap").rename(folder / f"split_{part}.mcap")
    metadata = (tmp_path / "part_1" / "metadata.yaml").read_text()
    (folder / "metadata.yaml").write_text(metadata.replace("part_1.mcap", "split_9.mcap"))
    images = listen(Image, "/image", raw=False)
    player = play(folder, "--rate", 5, "--wait-subscribers", 1)
    assert numbers(images.spin(lambda: len(images.received) == 10)) == list(range(10))
    output = player.communicate(timeout=10)[0]
    assert "0.90 s" in output and "note: metadata.yaml lists split_9.mcap, missing" in output, output


def test_stamps_of_a_ros1_bag_are_kept(tmp_path, listen, play):
    from rosbags.rosbag1 import Writer
    from rosbags.typesys import Stores, get_typestore

    ros1 = get_typestore(Stores.ROS1_NOETIC)
    with Writer(tmp_path / "old.bag") as writer:
        connection = writer.add_connection("/cam", "sensor_msgs/msg/Image", typestore=ros1)
        header = ros1.types["std_msgs/msg/Header"](3, ros1.types["builtin_interfaces/msg/Time"](77, 5), "cam")
        image = ros1.types["sensor_msgs/msg/Image"](header, 1, 2, "mono8", 0, 2, np.array([4, 5], np.uint8))
        writer.write(connection, START_NS, ros1.serialize_ros1(image, "sensor_msgs/msg/Image"))
    images = listen(Image, "/cam", raw=False)
    play(tmp_path / "old.bag", "--wait-subscribers", 1)
    (received,) = images.spin(lambda: images.received)
    assert (received.header.stamp.sec, received.header.stamp.nanosec, received.header.frame_id) == (
        77,
        5,
        "cam",
    )
    assert list(received.data) == [4, 5]


def test_loop_repeats_until_sigint_with_exit_code_0(bag, listen, play):
    images = listen(Image, "/image", raw=False)
    player = play(bag, "--loop", "--rate", 5, "--topics", "/image", "--wait-subscribers", 1)
    received = images.spin(lambda: len(images.received) >= 25)
    assert numbers(received)[:25] == (list(range(10)) * 3)[:25]
    begin = time.monotonic()
    player.send_signal(signal.SIGINT)
    output = player.communicate(timeout=10)
    seconds = time.monotonic() - begin
    assert player.returncode == 0 and seconds < 2.0, f"exit {player.returncode} after {seconds:.2f} s: {output}"
    assert "stopped after" in output[0] and output[1] == ""


@pytest.mark.parametrize(("number", "wait"), [(signal.SIGINT, 0.0), (signal.SIGTERM, 0.3)])
def test_signals_before_the_first_message_end_the_player_cleanly(bag, play, number, wait):
    player = play(bag, "--loop", "--delay", 5)
    player.stdout.readline()
    time.sleep(wait)
    begin = time.monotonic()
    player.send_signal(number)
    output = player.communicate(timeout=10)
    seconds = time.monotonic() - begin
    assert player.returncode == 0 and seconds < 2.0, f"exit {player.returncode} after {seconds:.2f} s: {output}"


def test_clock_follows_the_recorded_time_at_the_asked_rate(bag, listen, play):
    clocks = listen(Clock, "/clock", raw=False)
    images = listen(Image, "/image", raw=False)
    play(bag, "--clock", 100, "--rate", 0.5, "--topics", "/image", "--wait-subscribers", 1)
    images.spin(lambda: len(images.received) >= 10)
    times = [m.clock.sec * 10**9 + m.clock.nanosec for _, m in clocks.received]
    assert times == sorted(times) and times[0] >= START_NS
    seconds = clocks.received[-1][0] - clocks.received[0][0]
    rate, speed = (len(times) - 1) / seconds, (times[-1] - times[0]) * 1e-9 / seconds
    assert 70 < rate < 105, f"/clock came at {rate:.1f} Hz, asked for 100"
    assert speed == pytest.approx(0.5, abs=0.05), f"/clock ran at {speed:.3f}, asked for 0.5"


def test_offset_duration_remap_and_delay(bag, listen, play):
    """The latched message lies before the offset and must come all the same."""
    images = listen(Image, "/front/image", raw=False)
    texts = listen(String, "/description", LATCHED, raw=False)
    arguments = ["--start-offset", 0.3, "--duration", 0.4, "--remap", "/image:=/front/image", "--delay", 0.2]
    # The subscription to the latched topic does not count: it cannot miss anything.
    player = play(bag, *arguments, "--wait-subscribers", 1)
    images.spin(lambda: len(images.received) >= 5 and texts.received)
    output, _ = player.communicate(timeout=10)
    assert numbers([m for _, m in images.received]) == [3, 4, 5, 6, 7]
    assert [m.data for _, m in texts.received] == ["robot"]
    assert "skipping /odd: odd_msgs/msg/Odd" in output


def test_ros_arguments_remap_too(bag, listen, play):
    images = listen(Image, "/renamed", raw=False)
    play(bag, "--rate", 20, "--wait-subscribers", 1, "--ros-args", "-r", "/image:=/renamed")
    assert numbers(images.spin(lambda: len(images.received) >= 10)) == list(range(10))


def test_a_latched_topic_reaches_late_subscribers(bag, listen, play):
    images = listen(Image, "/image", raw=False)
    play(bag, "--rate", 0.2, "--wait-subscribers", 1)
    images.spin(lambda: len(images.received) >= 2)
    texts = listen(String, "/description", LATCHED, raw=False)
    assert [m.data for m in texts.spin(lambda: texts.received, 4)] == ["robot"]


def test_best_effort_on_demand(bag, ros, play):
    node, _ = ros
    play(bag, "--qos", "sensor_data", "--delay", 20, "--remap", "image:=best_effort")
    deadline = time.monotonic() + 10
    while not (found := node.get_publishers_info_by_topic("/best_effort")) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert [p.qos_profile.reliability for p in found] == [ReliabilityPolicy.BEST_EFFORT]


def test_bad_input_gives_one_line_and_exit_code_2(bag, play, tmp_path):
    cases = {
        "does not exist": [tmp_path / "nowhere"],
        "no topic /nope": [bag, "--topics", "/nope"],
        "expected old:=new": [bag, "--remap", "nonsense"],
        "nothing to play": [bag, "--topics", "/odd"],
    }
    players = {expected: play(*arguments) for expected, arguments in cases.items()}
    for expected, player in players.items():
        _, errors = player.communicate(timeout=20)
        assert player.returncode == 2, f"exit {player.returncode} for {expected!r}: {errors}"
        assert expected in errors and errors.count("\n") == 1, errors


@pytest.mark.parametrize("arguments", [["--rate", "0"], ["--rate", "x"], ["--clock", "-3"], ["--start-offset", "-1"]])
def test_numbers_out_of_range_are_refused(arguments, capsys):
    with pytest.raises(SystemExit) as caught:
        build_parser().parse_args(["bag", *arguments])
    assert caught.value.code == 2 and arguments[0] in capsys.readouterr().err


def test_relative_names_remap_like_absolute_ones():
    assert parse_remappings(["image:=front/image"]) == {"/image": "/front/image"}
