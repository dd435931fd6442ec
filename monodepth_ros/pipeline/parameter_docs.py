# SPDX-License-Identifier: Apache-2.0
"""The node's parameter file and its documentation page, generated from the dataclass that declares the parameters."""

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
        "You need to set `checkpoint` only; every other default suits most cameras. *Live* parameters may change "
        "while the",
        "node runs, the others while it is unconfigured. `config/depth.yaml` contains all of them at their defaults.",
        "This page is written by `scripts/docs`; the texts are in `monodepth_ros/pipeline/node_config.py` and the",
        "configurations that it includes.",
        "",
        *_TABLE_HEAD,
    ]
    lines += [_row(item) for item in _sorted()]
    lines += [
        "",
        "## Parameters of each camera",
        "",
        "Each camera named in `cameras` may override these, as `front.image_transport` and so on:",
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
    """All parameters, those without a section first, which keeps the nesting of the YAML simple."""
    return sorted(specifications(NodeConfig).values(), key=lambda item: "." in item.name)
