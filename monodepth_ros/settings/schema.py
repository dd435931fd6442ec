# SPDX-License-Identifier: Apache-2.0
"""Configuration as nested frozen dataclasses whose fields state their unit, range and choices.

    @dataclass(frozen=True)
    class CloudConfig:
        stride: int = setting(1, "Keep every stride-th pixel of every stride-th row.", minimum=1, maximum=64)

    @dataclass(frozen=True)
    class NodeConfig:
        cloud: CloudConfig = section(CloudConfig)

    config = replace(NodeConfig(), {"cloud.stride": 2})

The declaration is the only source of the YAML files, the ROS parameters and the documentation. A setting's name is the
path to it with dots; `specifications()` lists all of them, `values()` reads them, `replace()` changes some of them.
"""

import dataclasses
import difflib
import math
import typing
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from monodepth_ros.errors import MonodepthError
from monodepth_ros.foreign_text import shown

Config = TypeVar("Config")


_LARGEST_INTEGER = 2**63 - 1  # of ROS's parameters


class ConfigError(MonodepthError):
    """A setting with an unknown name, a wrong type or a value out of range."""


def setting(
    default: Any,
    doc: str,
    *,
    unit: str = "",
    minimum: float | None = None,
    maximum: float | None = None,
    choices: tuple[str, ...] = (),
    live: bool = False,
) -> Any:
    """Declare a setting as a field of a config dataclass.

    default: bool, int, float, str or a tuple of strings; its type is the setting's type. doc: one or two sentences for
    the user. unit: SI symbol or words; empty for none. minimum, maximum: inclusive; NaN is allowed where the default is
    NaN ("unset"). choices: the values that a string may take. live: the setting may change while the node runs.
    """
    facts = {"doc": doc, "unit": unit, "minimum": minimum, "maximum": maximum, "choices": choices, "live": live}
    return dataclasses.field(default=default, metadata=facts)


def section(config_type: type) -> Any:
    """Declare a nested group of settings as a field of a config dataclass."""
    return dataclasses.field(default_factory=config_type)


@dataclass(frozen=True)
class Specification:
    """One setting: its dotted name, type and default, and the facts that were given to `setting()`."""

    name: str
    type: type
    default: Any
    doc: str
    unit: str
    minimum: float | None
    maximum: float | None
    choices: tuple[str, ...]
    live: bool

    def check(self, value: Any) -> Any:
        """The value in the setting's type; ConfigError if it does not fit.

        An integer is accepted for a float, a list of strings for a tuple.
        """
        value = self._converted(value)
        if value is None:
            raise ConfigError(f"{self.name} has no value: it must be {_type_name(self.type)}")
        if type(value) is not self.type:
            raise ConfigError(
                f"{self.name} is {_value_text(value)} ({_type_name(type(value))}): it must be {_type_name(self.type)}"
                f"{self._expected_text()}"
            )
        if self.choices and value not in self.choices:
            choices = ", ".join(choice or "''" for choice in self.choices)
            raise ConfigError(f"{self.name} is {_value_text(value)}: it must be one of {choices}{_near(value, self)}")
        if any("\0" in text for text in (value if isinstance(value, tuple) else [value]) if isinstance(text, str)):
            raise ConfigError(f"{self.name} is {_value_text(value)}: it holds the character NUL")
        if isinstance(value, (int, float)):
            self._check_range(value)
        return value

    def _converted(self, value: Any) -> Any:
        if self.type is float and isinstance(value, int) and not isinstance(value, bool):
            if abs(value) > _LARGEST_INTEGER:  # float() would fail for hundreds of digits
                return math.inf if value > 0 else -math.inf
            return float(value)
        if self.type is tuple and isinstance(value, (list, tuple)):
            return _strings(value)
        return value

    def _check_range(self, value: float) -> None:
        if isinstance(value, int) and abs(value) > _LARGEST_INTEGER:
            limits = self._range_text() or " an integer of at most 63 bits"
            raise ConfigError(f"{self.name} is {_value_text(value)}: it must be{limits}")
        if math.isnan(value):
            if not math.isnan(self.default):
                raise ConfigError(f"{self.name} is NaN: it must be a number{self._range_text()}")
            return
        below = self.minimum is not None and value < self.minimum
        above = self.maximum is not None and value > self.maximum
        if below or above or math.isinf(value):
            raise ConfigError(f"{self.name} is {_value_text(value)}: it must be{self._range_text() or ' finite'}")

    def _expected_text(self) -> str:
        choices = ", ".join(choice or "''" for choice in self.choices)
        return f", one of {choices}" if choices else self._range_text()

    def _range_text(self) -> str:
        unit = f" {self.unit}" if self.unit else ""
        if self.minimum is not None and self.maximum is not None:
            return f" between {self.minimum:g} and {self.maximum:g}{unit}"
        if self.minimum is not None:
            return f" at least {self.minimum:g}{unit}"
        if self.maximum is not None:
            return f" at most {self.maximum:g}{unit}"
        return ""


def _value_text(value: Any) -> str:
    """A value as it is written, shortened."""
    if isinstance(value, float):
        return str(value)
    try:
        return shown(repr(value))
    except ValueError:  # Python writes no more than 4300 digits
        return "a number of thousands of digits"


def _near(value: Any, item: "Specification") -> str:
    near = difflib.get_close_matches(str(value)[:100], item.choices, n=1)
    return f"; did you mean {near[0]}?" if near else ""


def _strings(value: list | tuple) -> list | tuple[str, ...]:
    """A list of strings as a tuple; a list with other items as a list, which no setting accepts.

    One empty string stands for an empty list, because a ROS parameter file cannot state the type of an empty list.
    """
    if not all(isinstance(item, str) for item in value):
        return list(value)
    return () if list(value) == [""] else tuple(value)


def _type_name(kind: type) -> str:
    names = {bool: "a boolean", int: "an integer", float: "a number", str: "a string", tuple: "a list of strings"}
    return names.get(kind, kind.__name__)


def specifications(config_type: type, prefix: str = "") -> dict[str, Specification]:
    """All settings of a config dataclass by dotted name, in the order of declaration."""
    found: dict[str, Specification] = {}
    hints = typing.get_type_hints(config_type)
    for field in dataclasses.fields(config_type):
        name = prefix + field.name
        kind = typing.get_origin(hints[field.name]) or hints[field.name]
        if isinstance(kind, type) and dataclasses.is_dataclass(kind):
            found.update(specifications(kind, prefix=name + "."))
        else:
            found[name] = Specification(name=name, type=kind, default=field.default, **field.metadata)
    return found


def values(config: Any, prefix: str = "") -> dict[str, Any]:
    """The values of all settings of a config by dotted name."""
    found: dict[str, Any] = {}
    for field in dataclasses.fields(config):
        value = getattr(config, field.name)
        if dataclasses.is_dataclass(value):
            found.update(values(value, prefix=prefix + field.name + "."))
        else:
            found[prefix + field.name] = value
    return found


def replace(config: Config, changes: Mapping[str, Any]) -> Config:
    """A checked copy of a config with some settings changed, given by dotted name.

    Raises ConfigError for the first change that does not fit; no change is made then.
    """
    known = specifications(type(config))
    checked = {}
    for name, value in changes.items():
        if name not in known:
            inside = [item for item in known if item.startswith(f"{name}.")]
            if inside and value is None:  # a group whose settings are all commented out
                continue
            raise ConfigError(_unknown(name, inside, known))
        checked[name] = known[name].check(value)
    return _rebuild(config, checked)


def _unknown(name: str, inside: list[str], known: Mapping[str, Specification]) -> str:
    """The message for a name that is no setting. inside: the settings of the group of that name."""
    if inside:
        return f"{name} is a group of settings and takes no value itself: set {', '.join(inside)}"
    near = difflib.get_close_matches(name[:100], known, n=3)
    advice = f"did you mean {', '.join(near)}?" if near else f"the settings are {', '.join(known)}"
    return f"unknown setting {shown(name)!r}: {advice}"


def _rebuild(config: Any, changes: Mapping[str, Any], prefix: str = "") -> Any:
    fields = {}
    for field in dataclasses.fields(config):
        name, value = prefix + field.name, getattr(config, field.name)
        if dataclasses.is_dataclass(value):
            fields[field.name] = _rebuild(value, changes, prefix=name + ".")
        else:
            fields[field.name] = changes.get(name, value)
    return type(config)(**fields)
