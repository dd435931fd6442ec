# SPDX-License-Identifier: Apache-2.0
"""ROS parameters declared from the configuration dataclass: descriptors, ranges, and reasons for a refusal."""

import dataclasses
from collections.abc import Callable, Mapping
from typing import Any

from rcl_interfaces.msg import (
    FloatingPointRange,
    IntegerRange,
    ParameterDescriptor,
    ParameterType,
    SetParametersResult,
)
from rclpy.node import Node
from rclpy.parameter import Parameter

from monodepth_ros.errors import MonodepthError
from monodepth_ros.foreign_text import shown
from monodepth_ros.pipeline.node_config import CameraConfig, NodeConfig, config_of
from monodepth_ros.ros.node_log import node_log
from monodepth_ros.ros.parameters.unknown_names import notes_on_unknown
from monodepth_ros.settings.schema import ConfigError, Specification, replace, specifications, values

# Read once, at start.
READ_AT_START = ("autostart",)
QOS_OVERRIDES = "qos_overrides."  # declared with the topics
OTHERS = ("use_sim_time",)  # parameters of every node

_TYPES = {
    bool: ParameterType.PARAMETER_BOOL,
    int: ParameterType.PARAMETER_INTEGER,
    float: ParameterType.PARAMETER_DOUBLE,
    str: ParameterType.PARAMETER_STRING,
    tuple: ParameterType.PARAMETER_STRING_ARRAY,
}


def descriptor(specification: Specification) -> ParameterDescriptor:
    """The descriptor of a setting: type, description with unit and choices, range, read_only."""
    text = specification.doc
    if specification.unit:
        text += f" [{specification.unit}]"
    result = ParameterDescriptor(
        name=specification.name,
        type=_TYPES[specification.type],
        description=text,
        read_only=specification.name in READ_AT_START,
    )
    if specification.choices:
        choices = ", ".join(choice or "''" for choice in specification.choices)
        result.additional_constraints = f"One of: {choices}."
    if specification.minimum is not None and specification.maximum is not None:
        if specification.type is int:
            result.integer_range = [IntegerRange(from_value=specification.minimum, to_value=specification.maximum)]
        else:
            result.floating_point_range = [
                FloatingPointRange(from_value=float(specification.minimum), to_value=float(specification.maximum))
            ]
    return result


class NodeParameters:
    """A NodeConfig, and a CameraConfig for each camera, kept equal to a node's parameters.

    The parameters of a camera, `<camera>.<name>`, are declared after `cameras`, and declared or undeclared when its
    names change. can_restructure: whether settings that are not live may change now (the node is not configured).
    check: called with a new configuration; a MonodepthError from it refuses the change with its message. apply: called
    after a configuration was accepted. notes: lines about values given at start that are of no effect.
    """

    def __init__(
        self,
        node: Node,
        can_restructure: Callable[[], bool],
        check: Callable[[NodeConfig], None],
        apply: Callable[[], None],
    ):
        self._node = node
        self._can_restructure = can_restructure
        self._check = check
        self._apply = apply
        self._specifications: dict[str, Specification] = {}
        self._own: dict[str, CameraConfig] = {}
        given = self._given(specifications(NodeConfig))
        self.config = replace(NodeConfig(), given)
        self._own = self._own_configs(self.config, {})
        self._declare(specifications(NodeConfig), values(self.config))
        self.follow_cameras()
        self.notes = self._notes_on_unknown()
        node.add_on_set_parameters_callback(self._on_set)

    def by_camera(self) -> dict[str, NodeConfig]:
        """The settings in force for each camera, by its name; for "" if `cameras` is empty."""
        if not self.config.cameras:
            return {"": self.config}
        return {name: config_of(name, self.config, own) for name, own in self._own.items()}

    def follow_cameras(self) -> None:
        """Declare the parameters of new cameras and undeclare those of removed cameras."""
        wanted = {name: item for camera in self._own for name, item in _specifications_of(camera).items()}
        for name in self._specifications.keys() - wanted.keys() - specifications(NodeConfig).keys():
            self._node.undeclare_parameter(name)
            del self._specifications[name]
        for camera, own in self._own.items():
            new = {name: item for name, item in _specifications_of(camera).items() if name not in self._specifications}
            self._declare(new, values(own, prefix=f"{camera}."))

    def _declare(self, wanted: Mapping[str, Specification], current: Mapping[str, Any]) -> None:
        for name, specification in wanted.items():
            value = _ros_value(current[name])
            self._node.declare_parameter(name, value, descriptor(specification), ignore_override=True)
        self._specifications.update(wanted)

    def _given(self, wanted: Mapping[str, Specification]) -> dict[str, Any]:
        """The values given at start for these settings; ConfigError for an invalid one."""
        overrides = self._node._parameter_overrides  # rclpy offers no public access
        found = {name: (item, overrides[name].value) for name, item in wanted.items() if name in overrides}
        # An empty list has no type in ROS, and so no value.
        return {n: item.check(() if item.type is tuple and v is None else v) for n, (item, v) in found.items()}

    def _own_configs(self, config: NodeConfig, changes: Mapping[str, Any]) -> dict[str, CameraConfig]:
        """Each camera's own settings, with changes by parameter name."""
        found = {}
        for camera in config.cameras:
            prefix = f"{camera}."
            own = self._own.get(camera)
            if own is None:
                own = replace(CameraConfig(), _without(prefix, self._given(_specifications_of(camera))))
            found[camera] = replace(own, _without(prefix, changes))
        return found

    def _notes_on_unknown(self) -> list[str]:
        """Lines about values given at start for parameters that do not exist: their names are probably misspelt."""
        notes, unknown = [], []
        for name in self._node._parameter_overrides.keys() - self._specifications.keys():
            camera, _, setting = name.partition(".")
            if setting in specifications(CameraConfig):
                known = ", ".join(self.config.cameras) or "empty"
                notes.append(f"{shown(name)} is ignored: there is no {shown(camera)!r} in cameras ({known})")
            elif not self._node.has_parameter(name) and not name.startswith(QOS_OVERRIDES):
                unknown.append(name)
        misspelt, others = notes_on_unknown(unknown, [*self._specifications, *OTHERS])
        if others:  # such as those of other nodes in a section for all
            node_log(self._node).warning(others)
        return notes + misspelt

    @property
    def qos_overrides(self) -> list[str]:
        """The names of the QoS overrides given at start."""
        return [name for name in self._node._parameter_overrides if name.startswith(QOS_OVERRIDES)]

    @property
    def names(self) -> list[str]:
        """The names of the parameters."""
        return [*self._specifications]

    def fitted(self, parameters: list[Parameter]) -> list[Parameter]:
        """The parameters with whole numbers converted to doubles where needed; ConfigError for an invalid value.

        rclpy would take `max_gap: 1` for an integer and an empty list for a list of bytes, and its messages are less
        specific.
        """
        known = self._specifications
        return [
            Parameter(p.name, value=_ros_value(known[p.name].check(p.value))) if p.name in known else p
            for p in parameters
        ]

    def _on_set(self, parameters: list[Parameter]) -> SetParametersResult:
        """Accept all changes of a set, or none."""
        changes = {p.name: p.value for p in parameters if p.name in self._specifications}
        if not changes:
            return SetParametersResult(successful=True)
        try:
            for name in changes:
                if not self._specifications[name].live and not self._can_restructure():
                    raise ConfigError(
                        f"{name} cannot change while the node is configured: deactivate and clean up first"
                    )
            of_node = specifications(NodeConfig)
            config = replace(self.config, {name: value for name, value in changes.items() if name in of_node})
            own = self._own_configs(config, {name: value for name, value in changes.items() if name not in of_node})
            self._check(config)
        except MonodepthError as error:
            return SetParametersResult(successful=False, reason=str(error))
        self.config, self._own = config, own
        self._apply()
        return SetParametersResult(successful=True)


def _specifications_of(camera: str) -> dict[str, Specification]:
    """The settings of a camera, by parameter name."""
    found = (dataclasses.replace(item, name=f"{camera}.{item.name}") for item in specifications(CameraConfig).values())
    return {item.name: item for item in found}


def _without(prefix: str, settings: Mapping[str, Any]) -> dict[str, Any]:
    """The settings that begin with a prefix, with the prefix removed."""
    return {name.removeprefix(prefix): value for name, value in settings.items() if name.startswith(prefix)}


def _ros_value(value: Any) -> Any:
    """The value for rclpy, which would take an empty list for a list of bytes."""
    return (list(value) or [""]) if isinstance(value, tuple) else value
