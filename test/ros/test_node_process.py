# SPDX-License-Identifier: Apache-2.0
"""The process of the executable: its start, and its end at any moment."""

import itertools
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import numpy as np
import pytest
import rclpy
from ament_index_python.packages import get_package_prefix
from lifecycle_msgs.msg import Transition
from lifecycle_msgs.srv import ChangeState, GetState
from rcl_interfaces.msg import Parameter, ParameterValue
from rcl_interfaces.srv import SetParameters
from rclpy.executors import SingleThreadedExecutor
from sensor_msgs.msg import Image

from monodepth_ros.ros.interop import encode_image

# Longest time between a signal and the end of the process [s].
LIMIT = 2.0
CRASHES = (
    "Traceback",
    "Exception ",
    "core dumped",
    "terminate called",
    "Segmentation",
    "Fatal Python error",
    "Aborted",
)


class NodeProcess:
    """A depth_node process that logs to a file."""

    def __init__(self, log: Path, *arguments: str, program=(sys.executable, "-m", "monodepth_ros.ros.depth_node")):
        self._log = log
        with log.open("wb") as file:
            self._process = subprocess.Popen(
                [*program, "--ros-args", *arguments],
                stdin=subprocess.DEVNULL,
                stdout=file,
                stderr=file,
                env=dict(os.environ, OMP_NUM_THREADS="1"),  # there is little to compute, and others want the cores
            )

    @property
    def log(self) -> str:
        return self._log.read_text(errors="replace")

    def proc(self, name: str) -> str:
        """Text of a file in /proc of this process; empty after its end."""
        try:
            return Path(f"/proc/{self._process.pid}/{name}").read_text()
        except OSError:
            return ""

    def wait(self, condition, timeout=60.0):
        """Wait until a condition holds; fail if the process ends before."""
        deadline = time.monotonic() + timeout
        while not condition():
            assert self._process.poll() is None, f"ended with {self._process.returncode}:\n{self.log}"
            assert time.monotonic() < deadline, f"condition not met within {timeout} s:\n{self.log}"
            time.sleep(0.002)

    def catches_signals(self) -> bool:
        """Whether main() has begun; a signal during the start of Python itself cannot be caught."""
        caught = [line for line in self.proc("status").splitlines() if line.startswith("SigCgt:")]
        return bool(caught) and bool(int(caught[0].split()[1], 16) >> (signal.SIGTERM - 1) & 1)

    def has_loaded(self, library: str) -> bool:
        return library in self.proc("maps")

    def has_participant(self) -> bool:
        """Whether the node is being made, by the threads of the middleware."""
        try:
            tasks = list(Path(f"/proc/{self._process.pid}/task").iterdir())
            return any((task / "comm").read_text().startswith("dds.") for task in tasks)
        except OSError:
            return False

    def is_active(self) -> bool:
        return "waiting for images" in self.log

    def ends_after(self, *signals: int) -> None:
        """Send signals; require exit code 0 within LIMIT and no trace of a crash."""
        started = time.monotonic()
        for number in signals:
            self._process.send_signal(number)
        code = self.exit_code()
        took = time.monotonic() - started
        assert code == 0, f"exit code {code} after {took:.2f} s:\n{self.log}"
        assert took < LIMIT, f"took {took:.2f} s:\n{self.log}"
        assert not [word for word in CRASHES if word in self.log], self.log

    def exit_code(self, timeout=60.0) -> int:
        return self._process.wait(timeout)

    def kill(self) -> None:
        if self._process.poll() is None:
            self._process.kill()
            self._process.wait()


@pytest.fixture
def start(tmp_path):
    """A function that starts processes, which are killed at the end of the test."""
    made = []

    def make(*arguments, **options):
        made.append(NodeProcess(tmp_path / f"{len(made)}.log", *arguments, **options))
        return made[-1]

    yield make
    for process in made:
        process.kill()


# When the signal is sent: a condition of the process, and seconds after it.
MOMENTS = {
    "as soon as it can": (NodeProcess.catches_signals, 0.0),
    "importing": (NodeProcess.catches_signals, 0.05),
    "importing rclpy": (lambda process: process.has_loaded("_rclpy_pybind11"), 0.0),
    "importing torch": (lambda process: process.has_loaded("libtorch_cpu"), 0.0),
    "amid torch": (lambda process: process.has_loaded("libtorch_python"), 0.3),
    "importing OpenCV": (lambda process: process.has_loaded("cv2"), 0.0),
    "making the node": (NodeProcess.has_participant, 0.0),
    "configuring": (NodeProcess.has_participant, 0.1),
    "loading": (NodeProcess.has_participant, 0.3),
    "loading on": (NodeProcess.has_participant, 0.6),
    "active": (NodeProcess.is_active, 0.0),
}


@pytest.mark.parametrize(("moment", "number"), zip(MOMENTS, itertools.cycle((signal.SIGINT, signal.SIGTERM))), ids=str)
def test_a_signal_at_any_moment_ends_the_process_cleanly(start, pose_checkpoint, moment, number):
    process = start("-p", f"checkpoint:={pose_checkpoint}")
    condition, delay = MOMENTS[moment]
    process.wait(lambda: condition(process))
    time.sleep(delay)
    process.ends_after(number)


@pytest.mark.parametrize("moment", ["importing torch", "configuring"])
def test_several_signals_in_a_row_end_the_process_cleanly(start, pose_checkpoint, moment):
    process = start("-p", f"checkpoint:={pose_checkpoint}")
    condition, delay = MOMENTS[moment]
    process.wait(lambda: condition(process))
    time.sleep(delay)
    process.ends_after(*[signal.SIGINT, signal.SIGTERM] * 4)


class Camera:
    """A camera of 50 Hz in this process, with a counter of depth images and a client of the node's services."""

    def __init__(self):
        self._context = rclpy.Context()
        rclpy.init(context=self._context)
        self.node = rclpy.create_node("camera", context=self._context)
        self._publisher = self.node.create_publisher(Image, "image", 1)
        self.outputs = 0
        self._clients = {}
        self._stamp = itertools.count(1)
        self._picture = np.random.default_rng(0).integers(0, 255, (96, 320, 3), np.uint8)
        self.node.create_timer(0.02, self._send)
        self.node.create_subscription(Image, "depth/image", self._count, 10)
        self._executor = SingleThreadedExecutor(context=self._context)
        self._executor.add_node(self.node)
        self._thread = threading.Thread(target=self._executor.spin)
        self._thread.start()

    def _send(self):
        message = encode_image(self._picture, "rgb8", Image().header)
        message.header.frame_id = "camera"
        message.header.stamp.sec = next(self._stamp)
        self._publisher.publish(message)

    def _count(self, message):
        self.outputs += 1

    def ask(self, service_type, name, request, timeout=30.0):
        """The answer of a service of the node; None if none comes."""
        client = self._clients.get(name)
        if client is None:
            client = self._clients[name] = self.node.create_client(service_type, f"/depth_node/{name}")
            assert client.wait_for_service(timeout)
            time.sleep(0.5)
        # DDS may lose the first answers: the node's side of a service can find the client later than the client
        # finds the service. What only reads is asked again.
        attempts = 3 if name.startswith("get_") else 1
        for _ in range(attempts):
            answered = threading.Event()
            future = client.call_async(request)
            future.add_done_callback(lambda _, answered=answered: answered.set())
            if answered.wait(timeout / attempts):
                return future.result()
        return None

    def close(self):
        self._executor.shutdown()
        self._thread.join()
        self.node.destroy_node()
        self._context.try_shutdown()


@pytest.fixture
def camera():
    made = Camera()
    yield made
    made.close()


def test_several_signals_end_a_busy_process_cleanly(start, pose_checkpoint, camera):
    process = start("-p", f"checkpoint:={pose_checkpoint}", "-p", "camera_info_timeout:=0.0")
    process.wait(lambda: camera.outputs >= 5)
    process.ends_after(*[signal.SIGINT, signal.SIGTERM] * 4)


def test_the_installed_executable_obeys_a_lifecycle_manager_and_survives_bad_requests(start, pose_checkpoint, camera):
    """The executable of `ros2 run monodepth_ros depth_node`, led by a lifecycle manager."""
    program = Path(get_package_prefix("monodepth_ros")) / "lib" / "monodepth_ros" / "depth_node"
    assert os.access(program, os.X_OK), program
    arguments = [f"checkpoint:={pose_checkpoint}", "camera_info_timeout:=0.0", "autostart:=false"]
    process = start(*(word for item in arguments for word in ("-p", item)), program=(str(program),))

    def state():
        return camera.ask(GetState, "get_state", GetState.Request()).current_state.label

    def change(transition):
        request = ChangeState.Request(transition=Transition(id=transition))
        return camera.ask(ChangeState, "change_state", request).success

    assert state() == "unconfigured"
    assert not change(Transition.TRANSITION_ACTIVATE)
    # A type of value that does not exist: rclpy's own service raises, and no answer comes.
    nonsense = SetParameters.Request(parameters=[Parameter(name="enabled", value=ParameterValue(type=99))])
    assert camera.ask(SetParameters, "set_parameters", nonsense, timeout=1.0) is None
    process.wait(lambda: "a callback failed" in process.log)
    assert state() == "unconfigured" and camera.outputs == 0
    assert change(Transition.TRANSITION_CONFIGURE) and change(Transition.TRANSITION_ACTIVATE)
    process.wait(lambda: camera.outputs >= 3)
    assert change(Transition.TRANSITION_DEACTIVATE) and state() == "inactive"
    assert change(Transition.TRANSITION_ACTIVATE)
    outputs = camera.outputs
    process.wait(lambda: camera.outputs >= outputs + 3)
    process.ends_after(signal.SIGTERM)


def test_a_failed_start_exits_with_1_and_one_line(start):
    bad = {
        "/no/such/weights.safetensors": ("-p", "checkpoint:=/no/such/weights.safetensors"),
        "depth.max_range is 'abc'": ("-p", "depth.max_range:=abc"),
        "use_sim_time": ("-p", "use_sim_time:=5"),
        "/no/such/file.yaml": ("--params-file", "/no/such/file.yaml"),
    }
    for named, process in [(named, start(*arguments)) for named, arguments in bad.items()]:
        assert process.exit_code() == 1, process.log
        # rcl adds a line of its own about arguments that it cannot read.
        lines = [line for line in process.log.splitlines() if "[rcl]" not in line]
        assert len(lines) == 1 and named in lines[0], process.log
