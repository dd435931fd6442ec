# SPDX-License-Identifier: Apache-2.0
"""Settings read from YAML files, ROS parameter files and command lines."""

import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import yaml

from monodepth_ros.errors import one_line
from monodepth_ros.settings.schema import Config, ConfigError, replace


def read_settings(path: str | Path) -> dict[str, Any]:
    """Settings by dotted name from a YAML file, nested or dotted; ConfigError if it is missing or is no mapping."""
    try:
        document = yaml.safe_load(Path(path).read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigError(f"{path}: {error.strerror or error}") from None
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path} is not YAML: {one_line(error)}") from None
    if document is None:
        return {}
    if not isinstance(document, dict):
        raise ConfigError(f"{path} holds a {type(document).__name__}, expected settings as name: value")
    return {name: _number(value) for name, value in flatten(document).items()}


def changed(config: Config, assignments: Iterable[str]) -> Config:
    """A copy changed by texts such as 'depth.resolution=image'; ConfigError for one that does not fit."""
    return replace(config, read_assignments(assignments))


def read_assignments(assignments: Iterable[str]) -> dict[str, Any]:
    """Settings by dotted name from texts such as 'depth.resolution=image'; ConfigError for what sets nothing."""
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
    """1e-4 as everybody means it: YAML 1.1 takes it for a text, because it has no point."""
    is_meant = isinstance(value, str) and re.fullmatch(r"[+-]?\d+(\.\d*)?[eE][+-]?\d+", value)
    return float(value) if is_meant else value


def nested(settings: Mapping[str, Any]) -> dict[str, Any]:
    """Values by dotted name as nested plain mappings and lists, for a YAML file."""
    found: dict[str, Any] = {}
    for name, value in settings.items():
        group, names = found, name.split(".")
        for part in names[:-1]:
            group = group.setdefault(part, {})
        group[names[-1]] = list(value) if isinstance(value, tuple) else value
    return found


def read_ros_parameters(path: str | Path) -> dict[str, Any]:
    """Settings by dotted name from a ROS parameter file (`/**: ros__parameters: ...`, nested or dotted).

    ConfigError if the file is missing, is not YAML or holds no `ros__parameters`.
    """
    try:
        document = yaml.safe_load(Path(path).read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigError(f"parameter file {path}: {error.strerror or error}") from None
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise ConfigError(f"parameter file {path} is not YAML: {one_line(error)}") from None
    groups = document.values() if isinstance(document, dict) else ()
    parameters: dict[str, Any] = {}
    found = False
    for group in groups:
        if isinstance(group, dict) and isinstance(group.get("ros__parameters"), dict):
            parameters.update(flatten(group["ros__parameters"]))
            found = True
    if not found:
        raise ConfigError(f"parameter file {path} has no 'ros__parameters': begin it with '/**: ros__parameters:'")
    return parameters


def flatten(group: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """Nested mappings as one with dotted names."""
    flat: dict[str, Any] = {}
    for name, value in group.items():
        if isinstance(value, dict):
            flat.update(flatten(value, prefix=f"{prefix}{name}."))
        else:
            flat[f"{prefix}{name}"] = value
    return flat
