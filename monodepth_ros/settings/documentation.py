# SPDX-License-Identifier: Apache-2.0
"""Parts of the files that document settings: commented YAML, limits in words."""

import math
from collections.abc import Iterable
from typing import Any

from monodepth_ros.settings.schema import Specification


def commented_yaml(specifications: Iterable[Specification], indent: str = "") -> list[str]:
    """Lines of a YAML file with every setting at its default; a comment above each states meaning, unit and limits.

    Settings without a section come first. The settings of one section must follow each other.
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
    """The choices or the range of a setting, such as "raw | compressed" or "0 to 100"; empty if it has neither."""
    if item.choices:
        return " | ".join(choice or '""' for choice in item.choices)
    if item.minimum is not None and item.maximum is not None:
        return f"{item.minimum:g} to {item.maximum:g}"
    if item.minimum is not None:
        return f"at least {item.minimum:g}"
    return "" if item.maximum is None else f"at most {item.maximum:g}"


def yaml_value(value: Any) -> str:
    """A setting's value as YAML."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str):
        return f'"{value}"'
    if isinstance(value, tuple):  # ROS cannot read an empty list
        return f"[{', '.join(map(yaml_value, value)) or yaml_value('')}]"
    if isinstance(value, float) and math.isnan(value):
        return ".nan"
    return repr(value)
