# SPDX-License-Identifier: Apache-2.0
"""The node's parameter file and its documentation page, generated from the dataclass that declares the parameters."""

from monodepth_ros.pipeline.node_config import CameraConfig, NodeConfig
from monodepth_ros.settings.documentation import commented_yaml, limits, yaml_value
from monodepth_ros.settings.schema import Specification, specifications

_TYPES = {bool: "bool", int: "int", float: "double", str: "string", tuple: "string[]"}

_TABLE_HEAD = ["| parameter | type | default | values | live | meaning |", "| --- | --- | --- | --- | --- | --- |"]

_INTRODUCTION = """\
# Parameters of depth_node

You need not configure anything to see depth: the defaults run the bundled checkpoint on the topic `image`. Most
robots set four things:

- `checkpoint`, to a network for their kind of scene;
- the camera's place on the robot, by a URDF or the launch argument `camera_pose`: odometry is then that of the robot;
- one of `scale.odometry_topic`, `scale.stereo_camera` and `scale.camera_height`, to get metres;
- `image_transport: compressed`, if images come over a network.

*Live* parameters may change while the node runs, the others while it is unconfigured. `config/depth.yaml` contains
all of them at their defaults; `monodepth config --dump node` prints that file. `monodepth run` takes the same file.

This page is written by `scripts/docs`. The texts stand beside the code that each parameter configures.
"""

# What each section is about, and when to look into it.
_SECTIONS = {
    "": (
        "The node",
        "Checkpoint, engine, frames and cameras: choose them once for a robot.",
    ),
    "image": ("The image", "Change these if the driver publishes rectified images, or if large images get lost."),
    "depth": (
        "The depth image",
        "Change these to suit the software that takes the depth: its encoding, size and range.",
    ),
    "cloud": (
        "The point cloud",
        "Change these to make the cloud smaller, or to cut off points too far away to be useful.",
    ),
    "scale": (
        "Metres",
        "Change these if depth has the wrong scale, or if the checkpoint has none: see [scale](scale.md).",
    ),
    "odometry": (
        "Odometry",
        "The defaults suit cars, ground robots and slow drones. Change the limits for faster ones, and add an IMU for "
        "fast turns: see [odometry](odometry.md).",
    ),
}


def parameter_file() -> str:
    """config/depth.yaml: every parameter at its default, with unit, range and meaning."""
    lines = [
        "# depth_node: every parameter at its default (monodepth config --dump node). Keep what you change.",
        "/**:",
        "  ros__parameters:",
    ]
    return "\n".join(lines + commented_yaml(specifications(NodeConfig).values(), "    ")) + "\n"


def parameter_page() -> str:
    """Text of docs/parameters.md: a table for each section, with the reasons to change its parameters."""
    sections: dict[str, list[Specification]] = {name: [] for name in _SECTIONS}
    for item in specifications(NodeConfig).values():
        sections[item.name.rpartition(".")[0]].append(item)
    lines = [_INTRODUCTION]
    for name, items in sections.items():
        title, when = _SECTIONS[name]
        lines += [f"## {title}", "", when, "", *_TABLE_HEAD, *map(_row, items), ""]
    lines += [
        "## Parameters of each camera",
        "",
        "Each camera named in `cameras` may override these, as `front.image_transport` and so on:",
        "",
        *_TABLE_HEAD,
    ]
    lines += [_row(item, prefix="<camera>.") for item in specifications(CameraConfig).values()]
    return "\n".join(lines) + "\n"


def _row(item: Specification, prefix: str = "") -> str:
    values = " ".join(part for part in (limits(item), item.unit) if part).replace("|", "\\|")
    default = f"`{yaml_value(item.default)}`"
    doc = item.doc.replace("|", "\\|")
    live = "yes" if item.live else ""
    return f"| `{prefix}{item.name}` | {_TYPES[item.type]} | {default} | {values} | {live} | {doc} |"
