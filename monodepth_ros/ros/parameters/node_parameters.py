"""ROS parameters declared from the configuration dataclass, with its descriptors, ranges and reasons for refusal."""

from collections.abc import Callable

from rcl_interfaces.msg import FloatingPointRange, IntegerRange, ParameterDescriptor, ParameterType, SetParametersResult
from rclpy.node import Node
from rclpy.parameter import Parameter

from monodepth_ros.errors import MonodepthError
from monodepth_ros.pipeline.settings import ConfigError, Specification, replace, specifications
from monodepth_ros.ros.parameters.node_config import NodeConfig

# Read once, before anybody could change it.
READ_AT_START = ("autostart",)

_TYPES = {
    bool: ParameterType.PARAMETER_BOOL,
    int: ParameterType.PARAMETER_INTEGER,
    float: ParameterType.PARAMETER_DOUBLE,
    str: ParameterType.PARAMETER_STRING,
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
        result.additional_constraints = f"One of: {', '.join(specification.choices)}."
    if specification.minimum is not None and specification.maximum is not None:
        if specification.type is int:
            result.integer_range = [IntegerRange(from_value=specification.minimum, to_value=specification.maximum)]
        else:
            result.floating_point_range = [
                FloatingPointRange(from_value=float(specification.minimum), to_value=float(specification.maximum))
            ]
    return result


class NodeParameters:
    """Keeps a NodeConfig in step with a node's parameters.

    can_restructure: whether settings that are not live may change now (the node is not configured).
    check: called with a configuration before it is taken; a MonodepthError from it refuses the change with its message.
    apply: called with the configuration taken.
    """

    def __init__(
        self,
        node: Node,
        can_restructure: Callable[[], bool],
        check: Callable[[NodeConfig], None],
        apply: Callable[[NodeConfig], None],
    ):
        self._specifications = specifications(NodeConfig)
        self._can_restructure = can_restructure
        self._check = check
        self._apply = apply
        self.config = replace(NodeConfig(), self._declare(node))
        node.add_on_set_parameters_callback(self._on_set)

    def _declare(self, node: Node) -> dict:
        """Declare every parameter; its value at start. ConfigError if one was given that does not fit."""
        found = {}
        for name, specification in self._specifications.items():
            given = node._parameter_overrides.get(name)  # rclpy has no public way to ask
            value = specification.default if given is None else specification.check(given.value)
            node.declare_parameter(name, value, descriptor(specification), ignore_override=True)
            found[name] = value
        return found

    def fitted(self, parameters: list[Parameter]) -> list[Parameter]:
        """Parameters with whole numbers made doubles where a double is asked for; ConfigError for one that does not fit.

        rclpy would take `max_gap: 1` for an integer, and say less about what is wrong.
        """
        return [
            Parameter(p.name, value=self._specifications[p.name].check(p.value)) if p.name in self._specifications else p
            for p in parameters
        ]

    def _on_set(self, parameters: list[Parameter]) -> SetParametersResult:
        """All changes of a set are taken, or none."""
        changes = {p.name: p.value for p in parameters if p.name in self._specifications}
        if not changes:
            return SetParametersResult(successful=True)
        try:
            config = replace(self.config, changes)
            for name in changes:
                if not self._specifications[name].live and not self._can_restructure():
                    raise ConfigError(f"{name} cannot change while the node is configured: deactivate and clean up first")
            self._check(config)
        except MonodepthError as error:
            return SetParametersResult(successful=False, reason=str(error))
        self.config = config
        self._apply(config)
        return SetParametersResult(successful=True)
