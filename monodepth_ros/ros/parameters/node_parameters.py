# SPDX-License-Identifier: Apache-2.0
"""ROS parameters declared from the configuration dataclass: descriptors, ranges, reasons for reason."""

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
from monodepth_ros.pipeline.node_config import CameraConfig, NodeConfig, config_of
from monodepth_ros.settings.schema import ConfigError, Specification, replace, specifications, values

# Read once, before anybody could change it.
READ_AT_START = ("autostart",)

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
    """Keeps a NodeConfig, and a CameraConfig for each of its cameras, in step with a node's parameters.

    The cameras' own parameters, `<camera>.<name>`, are declared after `cameras` and come and go with the
    names in it. can_restructure: whether settings that are not live may change now (the node is not
    configured). check: called with a configuration before it is taken; a MonodepthError from it refuses the
    change with its message. apply: called when a configuration has been taken.
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
        self._warn_of_strangers()
        node.add_on_set_parameters_callback(self._on_set)

    def by_camera(self) -> dict[str, NodeConfig]:
        """The settings as they are for each camera; for one without a name where `cameras` names none."""
        if not self.config.cameras:
            return {"": self.config}
        return {name: config_of(name, self.config, own) for name, own in self._own.items()}

    def follow_cameras(self) -> None:
        """Declare the parameters of cameras that are new, undeclare those of cameras that are gone."""
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
        """The values of these settings that were given at start; ConfigError for one that does not fit."""
        overrides = self._node._parameter_overrides  # rclpy has no public way to ask
        found = {name: (item, overrides[name].value) for name, item in wanted.items() if name in overrides}
        # ROS gives an empty list no type, and so no value.
        return {n: item.check(() if item.type is tuple and v is None else v) for n, (item, v) in found.items()}

    def _own_configs(self, config: NodeConfig, changes: Mapping[str, Any]) -> dict[str, CameraConfig]:
        """What each camera of a configuration has of its own, with changes by parameter name."""
        found = {}
        for camera in config.cameras:
            prefix = f"{camera}."
            own = self._own.get(camera)
            if own is None:
                own = replace(CameraConfig(), _without(prefix, self._given(_specifications_of(camera))))
            found[camera] = replace(own, _without(prefix, changes))
        return found

    def _warn_of_strangers(self) -> None:
        """A setting of a camera that is not there is a misspelt name more often than not."""
        for name in self._node._parameter_overrides.keys() - self._specifications.keys():
            camera, _, setting = name.partition(".")
            if setting in specifications(CameraConfig):
                known = ", ".join(self.config.cameras) or "empty"
                self._node.get_logger().warning(f"{name} is ignored: there is no {camera!r} in cameras ({known})")

    def fitted(self, parameters: list[Parameter]) -> list[Parameter]:
        """Parameters with whole numbers made doubles where one is asked for; ConfigError where one does not fit.

        rclpy would take `max_gap: 1` for an integer and an empty list for one of bytes, and say less about
        what is wrong.
        """
        known = self._specifications
        return [
            Parameter(p.name, value=_ros_value(known[p.name].check(p.value))) if p.name in known else p
            for p in parameters
        ]

    def _on_set(self, parameters: list[Parameter]) -> SetParametersResult:
        """All changes of a set are taken, or none."""
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
    """The settings of a camera by parameter name."""
    found = (dataclasses.replace(item, name=f"{camera}.{item.name}") for item in specifications(CameraConfig).values())
    return {item.name: item for item in found}


def _without(prefix: str, settings: Mapping[str, Any]) -> dict[str, Any]:
    """Those settings that begin with a prefix, without it."""
    return {name.removeprefix(prefix): value for name, value in settings.items() if name.startswith(prefix)}


def _ros_value(value: Any) -> Any:
    """A setting's value for rclpy, to which an empty list is one of bytes."""
    return (list(value) or [""]) if isinstance(value, tuple) else value
