# SPDX-License-Identifier: Apache-2.0
"""Faults around the node: parameters, life cycle, publishers and subscribers that come, go, stop and are killed.

Each takes the session and a random generator, and leaves the node as it found it. Its result: how its images
were sent (accounts.py).
"""

import math
import os
import signal
import threading
import time

from lifecycle_msgs.msg import Transition
from lifecycle_msgs.srv import ChangeState
from rcl_interfaces.srv import SetParameters
from rclpy.parameter import Parameter
from std_srvs.srv import SetBool, Trigger

from bench.errors import BenchError
from monodepth_ros.pipeline.node_config import NodeConfig
from monodepth_ros.settings.schema import Specification, specifications
from reliability.soak.accounts import UNCONNECTED, UNPACED
from reliability.soak.listener import KEPT, TOPICS
from reliability.soak.message_faults import ODD_TEXTS

LIVE = [item for item in specifications(NodeConfig).values() if item.live and item.name != "enabled"]
BAD_VALUES = (math.nan, math.inf, -1e300, -(2**40), 2**40, True, ["a"], "", *ODD_TEXTS[2:5])


def _value(item: Specification, random):
    """A valid value of a setting."""
    if item.type is bool:
        return random.random() < 0.5
    if item.choices:
        return random.choice(item.choices)
    if item.type in (int, float):
        low = item.minimum if item.minimum is not None else -1.0
        high = item.maximum if item.maximum is not None else low + 10.0
        value = random.choice((low, high, random.uniform(low, min(high, low + 10.0))))
        return item.type(value)
    return item.default


def _set(session, values: dict) -> list[bool]:
    messages = [Parameter(name, value=value).to_parameter_msg() for name, value in values.items()]
    answer = session.listener.call(SetParameters, "set_parameters", SetParameters.Request(parameters=messages))
    for name, result in zip(values, answer.results):
        if not result.successful and (not result.reason.isprintable() or len(result.reason) > 2000):
            session.note(f"the refusal of {name} is not one printable line: {result.reason[:100]!r}")
    return [result.successful for result in answer.results]


def parameters(session, random) -> str:
    """Random parameters set live, to valid and to impossible values, among images; then all as before."""
    for _ in range(4):
        for item in random.sample(LIVE, 6):
            is_valid = random.random() < 0.6
            _set(session, {item.name: _value(item, random) if is_valid else random.choice(BAD_VALUES)})
        session.ask({"do": "good", "count": 3, "seconds": 0.1})
    _set(session, {item.name: session.parameters_given.get(item.name, item.default) for item in LIVE})
    refused = [
        item.name
        for item in LIVE
        if not _set(session, {item.name: session.parameters_given.get(item.name, item.default)})[0]
    ]
    if refused:
        session.note(f"settings that cannot be set back to their defaults: {', '.join(refused)}")
    return UNPACED


def switch(session, random) -> str:
    """Processing switched off and on by ~/enable among images."""
    for is_on in (False, True):
        session.listener.call(SetBool, "enable", SetBool.Request(data=is_on))
        session.ask({"do": "good", "count": random.randint(1, 10), "seconds": 0.05})
    return UNPACED


def reset(session, random) -> str:
    """~/reset_odometry among images."""
    for _ in range(random.randint(1, 5)):
        session.listener.call(Trigger, "reset_odometry", Trigger.Request())
        session.ask({"do": "good", "count": 2, "seconds": 0.5})
    return UNPACED


def _change(session, *transitions: int) -> None:
    for transition in transitions:
        request = ChangeState.Request(transition=Transition(id=transition))
        if not session.listener.call(ChangeState, "change_state", request).success:
            raise BenchError(f"transition {transition} failed: see the node's log")


def deactivate(session, random) -> str:
    """The node deactivated and activated while the camera sends."""
    answers = session.ask_later({"do": "blind", "count": 20, "rate": 40.0})
    time.sleep(0.2 * random.random())
    _change(session, Transition.TRANSITION_DEACTIVATE)
    time.sleep(0.2 * random.random())
    _change(session, Transition.TRANSITION_ACTIVATE)
    answers()
    return UNCONNECTED


def cleanup(session, random) -> str:
    """The node cleaned up and configured anew while the camera sends; its counts begin at zero."""
    session.connect()
    session.enter("before the clean-up")
    answers = session.ask_later({"do": "blind", "count": 20, "rate": 40.0})
    _change(session, Transition.TRANSITION_DEACTIVATE, Transition.TRANSITION_CLEANUP)
    _change(session, Transition.TRANSITION_CONFIGURE, Transition.TRANSITION_ACTIVATE)
    answers()
    session.begin_anew()
    return UNCONNECTED


def impossible_transitions(session, random) -> str:
    """Transitions that the state does not allow, and some that do not exist, among images."""
    for transition in random.sample((Transition.TRANSITION_CONFIGURE, Transition.TRANSITION_ACTIVATE, 77, 255), 3):
        session.listener.call(ChangeState, "change_state", ChangeState.Request(transition=Transition(id=transition)))
        session.ask({"do": "good", "count": 2, "seconds": 0.5})
    return UNPACED


def camera_killed(session, random) -> str:
    """The camera's process killed while it sends, and another one started."""
    session.ask_later({"do": "blind", "count": 200, "rate": 100.0})
    time.sleep(0.3 * random.random())
    session.replace_camera()
    return UNCONNECTED


def camera_stopped(session, random) -> str:
    """The camera's process stopped for a while in the middle of its images, and continued."""
    answers = session.ask_later({"do": "blind", "count": 30, "rate": 60.0})
    time.sleep(0.2 * random.random())
    os.kill(session.camera.pid, signal.SIGSTOP)
    try:
        time.sleep(0.5 + 2.0 * random.random())
    finally:
        os.kill(session.camera.pid, signal.SIGCONT)
    answers()
    return UNPACED


def subscribers(session, random) -> str:
    """Subscribers of the outputs that come and go among images."""
    listener = session.listener
    for _ in range(3):
        chosen = random.sample([topic for topic in TOPICS if topic not in KEPT], random.randint(1, 8))
        listener.run(lambda chosen=chosen: [listener.unsubscribe(topic) for topic in chosen])
        session.ask({"do": "good", "count": 4, "seconds": 0.5})
        listener.run(lambda chosen=chosen: [listener.subscribe(topic) for topic in chosen])
        session.ask({"do": "good", "count": 4, "seconds": 0.5})
    return UNPACED


def node_stopped(session, random) -> str:
    """The node's own process stopped for a while, as by a machine without time for it, and continued."""
    pid = session.node.process.pid
    timer = threading.Timer(0.3 + random.random(), os.kill, args=(pid, signal.SIGCONT))
    os.kill(pid, signal.SIGSTOP)
    timer.start()
    session.ask({"do": "blind", "count": 20, "rate": 60.0})
    timer.join()
    return UNPACED


FAULTS = {
    function.__name__: function
    for function in (
        *(parameters, switch, reset, deactivate, cleanup, impossible_transitions),
        *(camera_killed, camera_stopped, subscribers, node_stopped),
    )
}
