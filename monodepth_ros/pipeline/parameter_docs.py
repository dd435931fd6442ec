# SPDX-License-Identifier: Apache-2.0
"""The node's parameters as a parameter file and as a page, written from the dataclass that declares them."""

from monodepth_ros.pipeline.node_config import CameraConfig, NodeConfig
from monodepth_ros.settings.documentation import commented_yaml, limits, yaml_value
from monodepth_ros.settings.schema import Specification, specifications

_TYPES = {bool: "bool", int: "int", float: "double", str: "string", tuple: "string[]"}

_TABLE_HEAD = [
    "| parameter | type | default | unit | values | live | meaning |",
    "| --- | --- | --- | --- | --- | --- | --- |",
]


def parameter_file() -> str:
    """config/depth.yaml: every parameter at its default, with unit, range and meaning."""
    lines = [
        "# depth_node: every parameter at its default (monodepth config --dump node). Keep what you change.",
        "/**:",
        "  ros__parameters:",
    ]
    return "\n".join(lines + commented_yaml(specifications(NodeConfig).values(), "    ")) + "\n"


def parameter_page() -> str:
    """docs/parameters.md: the same as a table."""
    lines = [
        "# Parameters of depth_node",
        "",
        "Written by `scripts/docs` from `monodepth_ros/pipeline/node_config.py` and `monodepth_ros/pipeline/config.py`.",
        "*Live* parameters may change while the node runs; the others while it is unconfigured.",
        "`config/depth.yaml` holds them all at their defaults.",
        "",
        *_TABLE_HEAD,
    ]
    lines += [_row(item) for item in _sorted()]
    lines += [
        "",
        "## Of each camera",
        "",
        "Each camera named in `cameras` may have these of its own, as `front.image_transport` and so on:",
        "",
        *_TABLE_HEAD,
    ]
    lines += [_row(item, prefix="<camera>.") for item in specifications(CameraConfig).values()]
    return "\n".join(lines) + "\n"


def _row(item: Specification, prefix: str = "") -> str:
    values = limits(item).replace("|", "\\|")
    default = f"`{yaml_value(item.default)}`"
    doc = item.doc.replace("|", "\\|")
    live = "yes" if item.live else ""
    return f"| `{prefix}{item.name}` | {_TYPES[item.type]} | {default} | {item.unit} | {values} | {live} | {doc} |"


def _sorted() -> list[Specification]:
    """Parameters without a section first, so that the YAML's nesting is simple."""
    return sorted(specifications(NodeConfig).values(), key=lambda item: "." in item.name)
