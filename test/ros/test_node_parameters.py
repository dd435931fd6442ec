# SPDX-License-Identifier: Apache-2.0
"""The node's parameters: values at start, changes at run time, refusals with a reason."""

import math
from pathlib import Path

import numpy as np
import pytest
import rclpy
from rcl_interfaces.msg import Parameter as ParameterMessage
from rcl_interfaces.msg import ParameterType, ParameterValue
from rcl_interfaces.srv import (
    DescribeParameters,
    GetParameters,
    ListParameters,
    SetParameters,
    SetParametersAtomically,
)
from rclpy.parameter import Parameter

from monodepth_ros.errors import MonodepthError
from monodepth_ros.pipeline.node_config import NodeConfig
from monodepth_ros.ros.live.lifecycle_node import DepthNode
from monodepth_ros.settings.schema import specifications, values

SECOND = 1_000_000_000
ROOT = Path(__file__).resolve().parents[2]
SPECIFICATIONS = specifications(NodeConfig)
TEXTURE = np.random.default_rng(5).integers(0, 255, (96, 320, 3), np.uint8)


def wrong_types(specification):
    """Values of wrong types that a client may send."""
    samples = {bool: True, int: 3, float: 2.5, str: "text"}
    if specification.type is float:
        samples.pop(int)  # a whole number is a number
    if specification.type is str and specification.choices:
        samples.pop(str)
    scalars = [value for kind, value in samples.items() if kind is not specification.type]
    texts = [] if specification.type is tuple else [["a"]]
    return [*scalars, [1, 2], [1.5], [b"a", b"b"], *texts]


def wrong_values(specification):
    """Values of the right type that are out of range."""
    found = ["", "nonsense"] if specification.choices else []
    if specification.minimum is not None:
        below, above = specification.minimum - 1, specification.maximum + 1
        found += [specification.type(below), specification.type(above)]
    if specification.type is float:
        found += [math.nan, math.inf, -math.inf]
    return found


class Services:
    """A client of the node's parameter services."""

    def __init__(self, harness):
        self._harness = harness
        self._clients = {}

    def _ask(self, service_type, name, request):
        client = self._clients.get(name)
        if client is None:
            client = self._clients[name] = self._harness.client.create_client(service_type, f"/depth_node/{name}")
            assert client.wait_for_service(20.0)
        future = client.call_async(request)
        self._harness.wait(future.done, 20.0, f"no answer from {name}")
        return future.result()

    def set(self, *pairs):
        """Set each parameter by itself; the results."""
        given = [Parameter(name, value=value).to_parameter_msg() for name, value in pairs]
        return self._ask(SetParameters, "set_parameters", SetParameters.Request(parameters=given)).results

    def set_message(self, name, value):
        given = [ParameterMessage(name=name, value=value)]
        return self._ask(SetParameters, "set_parameters", SetParameters.Request(parameters=given)).results[0]

    def set_all(self, **pairs):
        """Set the parameters atomically; the result."""
        given = [Parameter(n.replace("__", "."), value=v).to_parameter_msg() for n, v in pairs.items()]
        request = SetParametersAtomically.Request(parameters=given)
        return self._ask(SetParametersAtomically, "set_parameters_atomically", request).result

    def get(self, *names):
        return self._ask(GetParameters, "get_parameters", GetParameters.Request(names=list(names))).values

    def describe(self, *names):
        request = DescribeParameters.Request(names=list(names))
        return self._ask(DescribeParameters, "describe_parameters", request).descriptors

    def list(self):
        return self._ask(ListParameters, "list_parameters", ListParameters.Request()).result.names


@pytest.fixture
def start_node():
    """A function that makes a node from command-line arguments."""
    context = rclpy.Context()
    rclpy.init(context=context)
    made = []

    def start(*arguments):
        made.append(DepthNode(context=context, cli_args=["--ros-args", *arguments]))
        return made[-1]

    yield start
    for node in made:
        node.destroy_node()
    context.try_shutdown()


def as_argument(value):
    """The text of a value after `-p name:=`."""
    if isinstance(value, float) and not math.isfinite(value):
        return {"nan": ".nan", "inf": ".inf", "-inf": "-.inf"}[str(value)]
    if isinstance(value, bool):
        return str(value).lower()
    return f'"{value}"' if isinstance(value, str) else str(value)


@pytest.mark.parametrize("name", SPECIFICATIONS)
def test_a_bad_value_at_start_is_one_error_that_names_it(start_node, name):
    specification = SPECIFICATIONS[name]
    for value in wrong_types(specification)[:5] + wrong_values(specification):
        with pytest.raises(MonodepthError) as error:
            start_node("-p", f"{name}:={as_argument(value)}")
        text = str(error.value)
        assert text.startswith(f"{name} is ") and ": it must be " in text and "\n" not in text, text


def test_whole_numbers_are_accepted_for_doubles_at_start(start_node):
    node = start_node("-p", "depth.max_range:=50", "-p", "tf_timeout:=1")
    assert (node.config.depth.max_range, node.config.tf_timeout) == (50.0, 1.0)
    parameter = node.get_parameter("depth.max_range")
    assert parameter.type_ is Parameter.Type.DOUBLE and parameter.value == 50.0


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (("-p", "depth.min_range:=200.0"), "depth.min_range"),
        (("-p", "cloud.max_range:=0.1"), "cloud.min_range"),
        (("-p", "odom_frame:=''"), "odom_frame"),
        (("-p", "base_frame:=odom"), "base_frame"),
    ],
)
def test_contradicting_values_are_refused_at_start(start_node, arguments, named):
    with pytest.raises(MonodepthError, match=named):
        start_node(*arguments)


def test_the_default_file_holds_the_defaults_and_unknown_parameters_are_ignored(start_node, tmp_path):
    node = start_node("--params-file", str(ROOT / "config" / "depth.yaml"))
    assert values(node.config) == values(NodeConfig())
    path = tmp_path / "parameters.yaml"
    path.write_text(
        "/**:\n  ros__parameters:\n    future_feature: 3\n    depth: {max_range: 40, novelty: [1, 2]}\n"
        "other_node:\n  ros__parameters:\n    depth: {max_range: 1.0}\n"
    )
    node = start_node("--params-file", str(path))
    assert node.config.depth.max_range == 40.0
    assert not node.has_parameter("future_feature")


def test_every_parameter_is_described(harness, depth_checkpoint):
    services = Services(harness(depth_checkpoint, start=False))
    assert set(SPECIFICATIONS) < set(services.list())
    types = {bool: 1, int: 2, float: 3, str: 4, tuple: 9}
    for specification, found in zip(SPECIFICATIONS.values(), services.describe(*SPECIFICATIONS)):
        assert found.name == specification.name and found.type == types[specification.type], found
        assert specification.doc in found.description and specification.unit in found.description, found
        assert not found.dynamic_typing
        ranges = [*found.integer_range, *found.floating_point_range]
        limits = [(item.from_value, item.to_value) for item in ranges]
        wanted = [] if specification.minimum is None else [(specification.minimum, specification.maximum)]
        assert limits == wanted, found
        assert all(choice in found.additional_constraints for choice in specification.choices), found
        assert found.read_only == (specification.name == "autostart"), found


def test_bad_values_at_run_time_are_refused_and_nothing_changes(harness, depth_checkpoint):
    node = harness(depth_checkpoint)
    services = Services(node)
    before, stored = values(node.node.config), services.get(*SPECIFICATIONS)
    descriptors = services.describe(*SPECIFICATIONS)
    bad = [(s.name, value) for s in SPECIFICATIONS.values() for value in wrong_types(s) + wrong_values(s)]
    for (name, value), result in zip(bad, services.set(*bad)):
        assert not result.successful, f"{name} took {value!r}"
        assert name in result.reason and "\n" not in result.reason, result.reason
    for name in SPECIFICATIONS:  # "delete this parameter"
        result = services.set_message(name, ParameterValue(type=ParameterType.PARAMETER_NOT_SET))
        assert not result.successful and result.reason, name
    for stranger in (("no_such_parameter", 1), ("use_sim_time", 5)):
        result = services.set(stranger)[0]
        assert not result.successful and result.reason, stranger
    assert values(node.node.config) == before
    assert services.get(*SPECIFICATIONS) == stored
    assert services.describe(*SPECIFICATIONS) == descriptors
    node.send_info()
    node.exchange(SECOND)


def test_a_set_of_parameters_is_atomic(harness, depth_checkpoint):
    node = harness(depth_checkpoint, odometry__source="auto", precision="auto", base_frame="auto")
    services = Services(node)
    for bad in (
        {"depth__max_range": 20.0, "cloud__stride": 0},
        {"cloud__stride": 2, "depth__max_range": "far"},
        {"cloud__stride": 2, "checkpoint": "another"},
        {"cloud__stride": 2, "autostart": False},
        {"cloud__stride": 2, "use_sim_time": 5},
        {"cloud__stride": 2, "no_such_parameter": 5},
        {"depth__min_range": 30.0, "depth__max_range": 20.0, "cloud__stride": 2},
    ):
        result = services.set_all(**bad)
        assert not result.successful and result.reason, bad
        assert values(node.node.config) == values(NodeConfig()) | {"checkpoint": str(depth_checkpoint)}, bad
        found = services.get("cloud.stride", "depth.max_range")
        assert (found[0].integer_value, found[1].double_value) == (1, 100.0), bad
    # Each of these alone would cross the other's old value.
    assert services.set_all(depth__min_range=200.0, depth__max_range=300.0).successful
    assert services.set_all(depth__min_range=1.0, depth__max_range=20.0).successful
    assert (node.node.config.depth.min_range, node.node.config.depth.max_range) == (1.0, 20.0)


def test_whole_numbers_are_accepted_for_doubles_at_run_time(harness, depth_checkpoint):
    services = Services(harness(depth_checkpoint))
    assert services.set_all(depth__max_range=50, tf_timeout=1).successful
    assert services.set(("odometry.max_gap", 2))[0].successful
    found = services.get("depth.max_range", "tf_timeout", "odometry.max_gap")
    assert [value.type for value in found] == [ParameterType.PARAMETER_DOUBLE] * 3
    assert [value.double_value for value in found] == [50.0, 1.0, 2.0]
    assert services.describe("depth.max_range")[0].type == ParameterType.PARAMETER_DOUBLE
    assert services.set(("depth.max_range", 60.5))[0].successful
