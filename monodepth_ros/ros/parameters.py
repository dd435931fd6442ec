"""ROS parameters declared from the configuration dataclass, with its descriptors, ranges and reasons for refusal."""

from collections.abc import Callable

from rcl_interfaces.msg import FloatingPointRange, IntegerRange, ParameterDescriptor, ParameterType, SetParametersResult
from rclpy.exceptions import InvalidParameterTypeException, InvalidParameterValueException, ParameterException
from rclpy.node import Node
from rclpy.parameter import Parameter

from monodepth_ros.errors import MonodepthError
from monodepth_ros.pipeline.settings import ConfigError, Specification, replace, specifications
from monodepth_ros.ros.node_config import NodeConfig

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
    # A whole number may be given for a double (`max_gap:=1`), which only a dynamic type lets through.
    result.dynamic_typing = specification.type is float
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
            try:
                found[name] = node.declare_parameter(name, specification.default, descriptor(specification)).value
            except (InvalidParameterTypeException, InvalidParameterValueException, ParameterException) as error:
                given = _given(node, name)
                specification.check(given)  # says it better, if it can
                raise ConfigError(f"{name} is {given!r}: {error}") from None
        return found

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


def _given(node: Node, name: str):
    """The value that a parameter was given on the command line or in a file."""
    override = node._parameter_overrides.get(name)  # rclpy has no public way to ask
    return override.value if override is not None else None
