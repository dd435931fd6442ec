# SPDX-License-Identifier: Apache-2.0
"""The layers of the package: imports only point downwards, and only ros/ knows ROS."""

import ast
from pathlib import Path

import pytest

PACKAGE = "monodepth_ros"
SOURCE = Path(__file__).resolve().parents[2] / PACKAGE

# From the roof down: a layer may import those below it, and nothing of its own tier beside it.
TIERS = (
    ("ros",),
    ("cli",),
    ("doctor",),
    ("training",),
    ("offline",),
    ("pipeline",),
    ("evaluation",),
    ("pictures",),
    ("calibration",),
    ("odometry",),
    ("inference",),
    ("synthetic",),
    ("data",),
    ("losses", "networks"),
    ("geometry", "downloads"),
    ("settings",),
    (
        "config_files",
        "results_folder",
        "atomic_file",
        "output_file",
        "own_outputs",
        "input_file",
        "cache_folder",
        "errors",
        "foreign_text",
        "limits",
        "structured_text",
        "odd_samples",
        "stamp_checks",
        "stamps",
        "version",
    ),
)
# Below in the table, and yet of no use to each other.
STRANGERS = {
    "synthetic": {"losses", "networks"},
    "data": {"losses", "networks"},
    "losses": {"downloads", "settings"},
    "networks": {"geometry"},
    "geometry": {"settings"},
    "downloads": {"settings"},
}
GROUND = TIERS[-1]
ALLOWED = {
    layer: {below for lower in TIERS[i + 1 :] for below in lower} - STRANGERS.get(layer, set())
    for i, tier in enumerate(TIERS)
    for layer in tier
} | {"__init__": {"geometry", "pipeline"}}  # the Python API, imported when it is used
ANYWHERE = set(GROUND)

ROS_MODULES = {
    "ament_index_python",
    "cv_bridge",
    "launch",
    "launch_ros",
    "message_filters",
    "rosbag2_py",
    "rosidl_runtime_py",
    "std_srvs",
    "tf_transformations",
}
ROS_ENDINGS = ("_msgs", "_msgs_py", "_interfaces")
ROS_BEGINNINGS = ("rclpy", "rpyutils", "tf2_")
GENERATED = {"msg", "srv", "action"}  # what rosidl puts beside the layers


def is_ros_module(name: str) -> bool:
    return name in ROS_MODULES or name.endswith(ROS_ENDINGS) or name.startswith(ROS_BEGINNINGS)


def imported_modules(source: str, module: str) -> list[tuple[int, str]]:
    """(line, absolute dotted name) of every import in `source`: at any depth, relative, or by import_module.

    `module` is the dotted name of the file that `source` stands in. `from a import b` counts as a.b, because
    b may be a module; of import_module(f"a.b.{x}") the constant beginning counts.
    """
    found = []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            found += [(node.lineno, alias.name) for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                parent = module.split(".")[: -node.level]
                base = ".".join([*parent, base]) if base else ".".join(parent)
            found += [(node.lineno, f"{base}.{alias.name}") for alias in node.names]
        elif isinstance(node, ast.Call) and node.args:
            called = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
            if called in ("import_module", "__import__"):
                name = node.args[0]
                if isinstance(name, ast.JoinedStr) and name.values:
                    name = name.values[0]
                if isinstance(name, ast.Constant) and isinstance(name.value, str):
                    found.append((node.lineno, name.value))
    return found


def violations(source: str, module: str) -> list[str]:
    """What `source`, standing in the file of dotted name `module`, imports against the layer table."""
    layer = module.split(".")[1] if "." in module else "__init__"
    if layer not in ALLOWED:
        return [f"{module}: '{layer}' is not in the layer table"]
    found = []
    for line, name in imported_modules(source, module):
        top, _, rest = name.partition(".")
        if top != PACKAGE:
            if is_ros_module(top) and layer != "ros":
                found.append(f"{module}:{line} imports {name}; only {PACKAGE}/ros/ may import ROS")
            continue
        target = rest.split(".")[0]
        if target in GENERATED:
            if layer != "ros":
                found.append(f"{module}:{line} imports {name}; only {PACKAGE}/ros/ may import messages")
        elif target and target != layer and target not in ANYWHERE | ALLOWED[layer]:
            allowed = ", ".join(sorted(ALLOWED[layer])) or "no layer"
            found.append(f"{module}:{line} imports {name}; {layer}/ may import {allowed}")
    return found


def modules() -> list[tuple[str, Path]]:
    found = []
    for path in sorted(SOURCE.rglob("*.py")):
        parts = [PACKAGE, *path.relative_to(SOURCE).with_suffix("").parts]
        found.append((".".join(parts), path))
    return found


def test_imports_only_point_downwards():
    found = [line for module, path in modules() for line in violations(path.read_text(), module)]
    assert not found, "\n".join(found)


def test_every_folder_of_the_package_is_a_layer():
    folders = {path.parent.relative_to(SOURCE).parts[0] for _, path in modules() if path.parent != SOURCE}
    assert folders <= set(ALLOWED), f"not in the layer table: {sorted(folders - set(ALLOWED))}"


@pytest.mark.parametrize(
    ("module", "source"),
    [
        ("monodepth_ros.geometry.camera", "import monodepth_ros.networks.resnet"),
        ("monodepth_ros.geometry.camera", "from monodepth_ros import networks"),
        ("monodepth_ros.geometry.camera", "from ..networks import resnet"),
        ("monodepth_ros.geometry.camera", "from .. import networks"),
        ("monodepth_ros.networks.resnet", "from monodepth_ros.geometry.camera import CameraModel"),
        ("monodepth_ros.data.bags.recording", "def f():\n    from monodepth_ros.losses.ssim import ssim"),
        ("monodepth_ros.data.bags.recording", "if TYPE_CHECKING:\n    from monodepth_ros.networks import resnet"),
        ("monodepth_ros.cli.run", "from monodepth_ros.ros.depth_node import main"),
        ("monodepth_ros.cli.run", "import importlib\nimportlib.import_module(f'monodepth_ros.ros.{name}')"),
        ("monodepth_ros.cli.run", "__import__('rclpy')"),
        ("monodepth_ros.pipeline.frame", "def f():\n    import rclpy.node"),
        ("monodepth_ros.pipeline.frame", "from sensor_msgs.msg import Image"),
        ("monodepth_ros.pipeline.frame", "from monodepth_ros.msg import DepthStatus"),
        ("monodepth_ros.pipeline.frame", "try:\n    import cv_bridge\nexcept ImportError:\n    pass"),
        ("monodepth_ros.errors", "from monodepth_ros.geometry import camera"),
        ("monodepth_ros.gadgets.thing", "import math"),
    ],
)
def test_a_violation_is_caught(module, source):
    assert len(violations(source, module)) == 1, violations(source, module)


@pytest.mark.parametrize(
    ("module", "source"),
    [
        ("monodepth_ros.ros.depth_node", "import rclpy\nfrom monodepth_ros.msg import DepthStatus"),
        ("monodepth_ros.ros.depth_node", "from monodepth_ros.cli.main import main"),
        (
            "monodepth_ros.geometry.camera",
            "import numpy\nfrom .distortion import distort\nfrom ..errors import MonodepthError",
        ),
        (
            "monodepth_ros.data.bags.recording",
            "from monodepth_ros.geometry.camera import CameraModel\nimport rosbags.highlevel",
        ),
        (
            "monodepth_ros.cli.main",
            "from importlib import import_module\nimport_module(f'monodepth_ros.cli.{name}')",
        ),
    ],
)
def test_what_is_allowed_is_not_reported(module, source):
    assert violations(source, module) == []
