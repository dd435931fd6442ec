# SPDX-License-Identifier: Apache-2.0
"""Settings from YAML files, ROS parameter files and command lines."""

import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import yaml

from monodepth_ros.errors import one_line
from monodepth_ros.settings.schema import Config, ConfigError, replace


def read_settings(path: str | Path) -> dict[str, Any]:
    """Settings by dotted name from a YAML file, nested or dotted.

    Raises ConfigError if the file cannot be read, is not YAML or holds anything but a mapping.
    """
    document = _read_yaml(path, str(path))
    if document is None:
        return {}
    if not isinstance(document, dict):
        raise ConfigError(f"{path} holds a {type(document).__name__}, expected settings as name: value")
    return {name: _number(value) for name, value in flatten(document).items()}


def read_ros_parameters(path: str | Path) -> dict[str, Any]:
    """Settings by dotted name from a ROS parameter file (`/**: ros__parameters: ...`, nested or dotted).

    Raises ConfigError if the file cannot be read, is not YAML or holds no `ros__parameters`.
    """
    document = _read_yaml(path, f"parameter file {path}")
    nodes = document.values() if isinstance(document, dict) else ()
    groups = [node["ros__parameters"] for node in nodes if isinstance(node, dict) and "ros__parameters" in node]
    mappings = [group for group in groups if isinstance(group, dict)]
    if not mappings:
        raise ConfigError(f"parameter file {path} has no 'ros__parameters': begin it with '/**: ros__parameters:'")
    return {name: value for group in mappings for name, value in flatten(group).items()}


def _read_yaml(path: str | Path, title: str) -> Any:
    """The content of a YAML file; ConfigError that begins with `title` if it cannot be read."""
    try:
        return yaml.safe_load(Path(path).read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigError(f"{title}: {error.strerror or error}") from None
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise ConfigError(f"{title} is not YAML: {one_line(error)}") from None


def changed(config: Config, assignments: Iterable[str]) -> Config:
    """`replace` with the changes as texts such as 'depth.resolution=image'; ConfigError for one that does not fit."""
    return replace(config, read_assignments(assignments))


def read_assignments(assignments: Iterable[str]) -> dict[str, Any]:
    """Settings by dotted name from texts such as 'depth.resolution=image'; ConfigError for a text without a name."""
    changes = {}
    for text in assignments:
        name, separator, value = text.partition("=")
        if not separator or not name.strip():
            raise ConfigError(f"{text!r} sets nothing: expected name=value, such as depth.resolution=image")
        try:
            changes[name.strip()] = _number(yaml.safe_load(value)) if value.strip() else ""
        except yaml.YAMLError:
            raise ConfigError(f"{text!r}: the value is not YAML") from None
    return changes


def _number(value: Any) -> Any:
    """Numbers such as 1e-4 as floats: YAML 1.1 reads them as text, because they have no decimal point."""
    is_number = isinstance(value, str) and re.fullmatch(r"[+-]?\d+(\.\d*)?[eE][+-]?\d+", value)
    return float(value) if is_number else value


def nested(settings: Mapping[str, Any]) -> dict[str, Any]:
    """Values by dotted name as nested mappings and lists, ready for a YAML file."""
    found: dict[str, Any] = {}
    for name, value in settings.items():
        group, names = found, name.split(".")
        for part in names[:-1]:
            group = group.setdefault(part, {})
        group[names[-1]] = list(value) if isinstance(value, tuple) else value
    return found


def flatten(group: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """Values by dotted name from nested mappings; the inverse of `nested`."""
    flat: dict[str, Any] = {}
    for name, value in group.items():
        if isinstance(value, dict):
            flat.update(flatten(value, prefix=f"{prefix}{name}."))
        else:
            flat[f"{prefix}{name}"] = value
    return flat
