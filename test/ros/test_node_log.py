# SPDX-License-Identifier: Apache-2.0
"""What a node logs: whole lines that can be printed, and few of one cause."""

import ast
from pathlib import Path

import pytest

from monodepth_ros.ros import node_log
from monodepth_ros.ros.live.diagnostics import Health
from monodepth_ros.ros.live.problems import Problems
from monodepth_ros.ros.node_log import NodeLog

ROS = Path(node_log.__file__).parent
HOSTILE = "frame \x1b[31m\nroot: fake line " + "x" * 10_000


class Lines:
    """A logger that keeps its lines."""

    def __init__(self):
        self.lines = []
        self.info = self.warning = self.error = self.lines.append

    def get_child(self, name):
        return self


@pytest.fixture
def clock(monkeypatch):
    """The steady clock, which stands still until it is set."""

    class Clock:
        now = 1000.0

    monkeypatch.setattr("time.monotonic", lambda: Clock.now)
    return Clock


def test_every_line_can_be_printed_and_is_bounded():
    lines = Lines()
    log = NodeLog(lines)
    for say in (log.info, log.warning, log.error, log.infos("a"), log.warnings("b"), log.of_camera("left").info):
        say(HOSTILE)
    Problems(log).note("kind", HOSTILE)
    assert len(lines.lines) == 7
    assert all(line.isprintable() and len(line) <= 2000 for line in lines.lines)


def test_lines_of_one_cause_come_once_in_five_seconds_and_others_always(clock):
    lines = Lines()
    log = NodeLog(lines)
    for i in range(100):
        clock.now = 1000.0 + 0.1 * i
        log.info(f"calibration {i % 2}", cause="calibration")
        log.of_camera("left").info("of another camera", cause="calibration")
        log.warning(f"three {i}", cause="three", most=3)
    assert lines.lines.count("calibration 0") == 2 and "calibration 1" not in lines.lines
    assert lines.lines.count("of another camera") == 2
    assert len([line for line in lines.lines if line.startswith("three")]) == 6
    for _ in range(3):
        log.error("no cause")
    assert lines.lines.count("no cause") == 3


def test_ten_thousand_causes_and_kinds_are_not_kept(clock):
    log = NodeLog(Lines())
    for i in range(10_000):
        clock.now = 1000.0 + 0.1 * i
        log.info("text", cause=f"cause {i}")
    assert len(log._limits._logged) <= node_log.MOST_CAUSES


def test_diagnostics_can_be_printed_and_are_bounded():
    health = Health("camera", HOSTILE, values={"view": HOSTILE})
    for _ in range(50):
        health.warn(HOSTILE)
    status = health.status("depth_node")
    texts = [status.message, status.hardware_id, *(item.value for item in status.values)]
    assert all(text.isprintable() and len(text) <= 2000 for text in texts)


def calls(path):
    return [node for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Call)]


def name_of(call):
    return call.func.attr if isinstance(call.func, ast.Attribute) else ""


MODULES = sorted(path for path in ROS.rglob("*.py") if path.name != "node_log.py")


def test_no_module_logs_around_the_node_log():
    found = [
        f"{path.relative_to(ROS)}:{node.lineno}"
        for path in MODULES
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Attribute) and node.attr == "get_logger"
    ]
    assert not found


def test_kinds_of_problems_and_causes_of_lines_are_words_of_this_package():
    foreign = []
    for path in MODULES:
        for call in calls(path):
            cause = [keyword.value for keyword in call.keywords if keyword.arg == "cause"]
            if name_of(call) in ("note", "is_due", "infos", "warnings"):
                cause += call.args[:1]
            foreign += [f"{path.name}:{call.lineno}" for item in cause if not isinstance(item, ast.Constant)]
    # By the name of a stage or topic of our own, of which there are few.
    assert [place.partition(":")[0] for place in foreign] == ["camera_stream.py", "qos_events.py", "odometry_output.py"]


# Lines of a node's start and of a user's request, each of which comes once.
ONCE = {"camera_rig.py", "lifecycle_node.py", "node_parameters.py", "camera_placement.py", "camera_stream.py"}


def test_lines_that_may_repeat_have_a_cause():
    found = []
    for path in MODULES:
        if "is_due(" in path.read_text():  # it asks before it writes its lines
            continue
        for call in calls(path):
            is_line = name_of(call) in ("info", "warning", "error") and ast.unparse(call.func).split(".")[-2] in (
                *("_log", "log", "_logger"),
            )
            has_cause = any(keyword.arg == "cause" for keyword in call.keywords)
            if is_line and not has_cause and path.name not in ONCE | {"problems.py"}:
                found.append(f"{path.name}:{call.lineno}")
    assert not found
