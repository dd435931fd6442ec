"""Settings as text: YAML files, assignments on a command line, and documentation."""

import math
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import yaml

from monodepth_ros.pipeline.settings import Config, ConfigError, Specification, flatten, replace


def read_settings(path: str | Path) -> dict[str, Any]:
    """Settings by dotted name from a YAML file, nested or dotted; ConfigError if it is missing or is no mapping."""
    try:
        document = yaml.safe_load(Path(path).read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigError(f"{path}: {error.strerror or error}") from None
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path} is not YAML: {' '.join(str(error).split())}") from None
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


def commented_yaml(specifications: Iterable[Specification], indent: str = "") -> list[str]:
    """Lines of a YAML file with every setting at its default, its meaning, unit and limits above it.

    Settings of one section must follow each other; those without a section come first.
    """
    lines, section = [], ""
    for specification in sorted(specifications, key=lambda item: "." in item.name):
        head, _, name = specification.name.rpartition(".")
        if head != section:
            lines.append(f"{indent}{head}:")
            section = head
        inner = indent + ("  " if head else "")
        facts = ", ".join(part for part in (specification.unit, limits(specification)) if part)
        lines.append(f"{inner}# {specification.doc}{f' [{facts}]' if facts else ''}")
        lines.append(f"{inner}{name}: {yaml_value(specification.default)}")
    return lines


def limits(item: Specification) -> str:
    """The values that a setting may have, in words."""
    if item.choices:
        return " | ".join(choice or '""' for choice in item.choices)
    if item.minimum is not None and item.maximum is not None:
        return f"{item.minimum:g} to {item.maximum:g}"
    return ""


def yaml_value(value: Any) -> str:
    """A default as YAML."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str):
        return f'"{value}"'
    if isinstance(value, tuple):  # ROS cannot read an empty list
        return f"[{', '.join(map(yaml_value, value)) or yaml_value('')}]"
    if isinstance(value, float) and math.isnan(value):
        return ".nan"
    return repr(value)
