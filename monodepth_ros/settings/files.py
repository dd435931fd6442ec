# SPDX-License-Identifier: Apache-2.0
"""Settings from YAML files, ROS parameter files and command lines."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from monodepth_ros.errors import MonodepthError
from monodepth_ros.foreign_text import shown
from monodepth_ros.input_file import read_text
from monodepth_ros.limits import LARGEST_SETTINGS_FILE
from monodepth_ros.settings.schema import Config, ConfigError, replace
from monodepth_ros.structured_text import StructuredTextError, parse_yaml


def read_settings(path: str | Path) -> dict[str, Any]:
    """Settings by dotted name from a YAML file, nested or dotted. The file may be the pipe of a shell's <(...).

    Raises ConfigError if the file cannot be read, is not YAML, holds anything but a mapping or a setting twice.
    """
    document = _read_yaml(path, str(path))
    if document is None:
        return {}
    if not isinstance(document, dict):
        raise ConfigError(f"{path} holds a {type(document).__name__}, expected settings as name: value")
    if "ros__parameters" in document or any("ros__parameters" in group for group in _mappings(document)):
        raise ConfigError(f"{path} is a parameter file of a ROS node: expected settings as name: value")
    return _flat(document, str(path))


def read_ros_parameters(path: str | Path) -> dict[str, Any]:
    """Settings by dotted name from a ROS parameter file (`/**: ros__parameters: ...`, nested or dotted).

    Raises ConfigError if the file cannot be read, is not YAML, holds no `ros__parameters` or a setting twice.
    """
    title = f"parameter file {path}"
    document = _read_yaml(path, title)
    nodes = _mappings(document) if isinstance(document, dict) else []
    groups = [node["ros__parameters"] for node in nodes if "ros__parameters" in node]
    mappings = [group or {} for group in groups if group is None or isinstance(group, dict)]
    if not mappings:
        raise ConfigError(f"{title} has no 'ros__parameters': begin it with '/**: ros__parameters:'")
    return {name: value for group in mappings for name, value in _flat(group, title).items()}


def _mappings(document: dict) -> list[dict]:
    return [value for value in document.values() if isinstance(value, dict)]


def _read_yaml(path: str | Path, title: str) -> Any:
    """The content of a YAML file; ConfigError that begins with `title` if it cannot be read."""
    try:
        return parse_yaml(read_text(path, LARGEST_SETTINGS_FILE, exact=True), title)
    except StructuredTextError as error:
        raise ConfigError(str(error)) from None
    except MonodepthError as error:
        raise ConfigError(str(error) if title == str(path) else f"parameter file {error}") from None


def _flat(document: Mapping[str, Any], title: str) -> dict[str, Any]:
    """As `flatten`; ConfigError for a setting that stands twice, nested and dotted."""
    pairs = _pairs(document, "")
    flat = dict(pairs)
    if len(flat) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise ConfigError(f"{title}: {shown(twice)} stands twice: keep one of them")
    return flat


def changed(config: Config, assignments: Iterable[str]) -> Config:
    """`replace` with the changes as texts such as 'depth.resolution=image'; ConfigError for one that does not fit."""
    return replace(config, read_assignments(assignments))


def read_assignments(assignments: Iterable[str]) -> dict[str, Any]:
    """Settings by dotted name from texts such as 'depth.resolution=image'; ConfigError for a text without a name."""
    changes = {}
    for text in assignments:
        name, separator, value = text.partition("=")
        if not separator or not name.strip():
            raise ConfigError(f"{shown(text)!r} sets nothing: expected name=value, such as depth.resolution=image")
        try:
            changes[name.strip()] = parse_yaml(value, shown(name.strip())) if value.strip() else ""
        except StructuredTextError as error:
            raise ConfigError(f"{shown(text)!r}: the value is not YAML; quote a text: {error}") from None
    return changes


def nested(settings: Mapping[str, Any]) -> dict[str, Any]:
    """Values by dotted name as nested mappings and lists, ready for a YAML file."""
    found: dict[str, Any] = {}
    for name, value in settings.items():
        group, names = found, name.split(".")
        for part in names[:-1]:
            group = group.setdefault(part, {})
        group[names[-1]] = list(value) if isinstance(value, tuple) else value
    return found


def flatten(group: Mapping[str, Any]) -> dict[str, Any]:
    """Values by dotted name from nested mappings; the inverse of `nested`. An empty mapping becomes None."""
    return dict(_pairs(group, ""))


def _pairs(group: Mapping[str, Any], prefix: str) -> list[tuple[str, Any]]:
    found: list[tuple[str, Any]] = []
    for name, value in group.items():
        if isinstance(value, dict) and value:
            found += _pairs(value, f"{prefix}{name}.")
        else:
            found.append((f"{prefix}{name}", None if value == {} else value))
    return found
