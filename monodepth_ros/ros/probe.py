# SPDX-License-Identifier: Apache-2.0
"""What ROS 2 says of itself here, for `monodepth doctor`: one JSON list a line [subject, level, found, remedy].

python3 -m monodepth_ros.ros.probe [--images]
"""

import json
import os
import sys
import time
from importlib import import_module
from pathlib import Path

from monodepth_ros.doctor.check import Check, Level
from monodepth_ros.errors import MonodepthError, typed_line
from monodepth_ros.foreign_text import shown

REQUIRED = (
    *("rclpy", "std_msgs", "sensor_msgs", "geometry_msgs", "nav_msgs", "diagnostic_msgs", "lifecycle_msgs"),
    *("std_srvs", "tf2_msgs", "rosgraph_msgs", "ament_index_python"),
)
OPTIONAL = {
    "cv_bridge": "",
    "sensor_msgs_py": "",
    "tf_transformations": "",
    "tf2_ros": "",
    "launch_ros": "ros2 launch",
    "ffmpeg_image_transport_msgs": "video topics",
    "foxglove_msgs": "Foxglove's video topics",
}
# Until a node is found [s]: Fast DDS announces itself every 3 s, should the first time get lost.
LONGEST_DISCOVERY = 6.0
DISCOVERY_OF_OTHERS = 1.0  # after the first one [s]
WIDTH, HEIGHT, COUNT, RATE = 1920, 1080, 30, 15.0
MOST_NAMES = 8


def main() -> int:
    """Print the checks, each as soon as it is known: the next one may end the process."""
    missing = [name for name in REQUIRED if (refusal := _refusal(name)) is not None and _say_missing(name, refusal)]
    if missing:
        return 0
    _say(_middleware())
    absent = [f"{name} ({use})" if use else name for name, use in OPTIONAL.items() if _refusal(name) is not None]
    if absent:
        _say(Check("ros packages", Level.NOTE, f"not found: {', '.join(absent)}", "the node does without"))
    _say(_own_messages())
    for check in _graph():
        _say(check)
    if "--images" in sys.argv[1:]:
        _say(_images())
    return 0


def _say(check: Check) -> None:
    print(json.dumps([check.subject, check.level.value, check.found, check.remedy]), flush=True)


def _refusal(module: str) -> str | None:
    """Why a module does not import; None if it does."""
    try:
        import_module(f"{module}.actions" if module == "launch_ros" else module)
    except Exception as error:  # a package that is built for another Python raises anything
        return typed_line(error)
    return None


def _say_missing(name: str, refusal: str) -> bool:
    remedy = f"install ros-<distribution>-{name.replace('_', '-')}, and source its setup.bash"
    _say(Check("ros packages", Level.ERROR, f"{name} does not import: {refusal}", remedy))
    return True


def _middleware() -> Check:
    import rclpy  # noqa: PLC0415  may be missing

    distribution = os.environ.get("ROS_DISTRO") or "distribution not named (ROS_DISTRO)"
    folder = Path(rclpy.__file__).parent
    found = f"{shown(distribution)}, {rclpy.get_rmw_implementation_identifier()}, rclpy in {folder}"
    return Check("ros", Level.OK, found)


def _own_messages() -> Check:
    refusal = _refusal("monodepth_ros.msg")
    if refusal is None:
        return Check("ros messages", Level.OK, "monodepth_ros/DepthStatus is built")
    remedy = "the node needs it: colcon build, then source install/setup.bash (scripts/setup does both)"
    return Check("ros messages", Level.WARNING, f"DepthStatus is not built: {refusal}", remedy)


def _graph() -> list[Check]:
    """Checks of the nodes and cameras that can be seen from here."""
    import rclpy  # noqa: PLC0415  may be missing

    rclpy.init()
    node = rclpy.create_node(f"monodepth_doctor_{os.getpid()}")
    deadline = time.monotonic() + LONGEST_DISCOVERY
    while not _other_nodes(node) and time.monotonic() < deadline:
        time.sleep(0.1)
    time.sleep(DISCOVERY_OF_OTHERS if _other_nodes(node) else 0.0)
    others = _other_nodes(node)
    cameras = sorted(
        topic
        for topic, types in node.get_topic_names_and_types()
        if {"sensor_msgs/msg/Image", "sensor_msgs/msg/CompressedImage"} & set(types)
    )
    node.destroy_node()
    rclpy.try_shutdown()
    checks = [Check("ros nodes", Level.OK, _listed(others) or "no other node is seen")]
    checks += [Check("ros images", Level.OK, _listed(cameras))] if cameras else []
    twice = sorted({name for name in others if others.count(name) > 1})
    if twice:
        remedy = "rename one with -r __node:=other: their parameters and services get mixed up"
        checks.append(Check("ros nodes", Level.WARNING, f"several of one name: {_listed(twice)}", remedy))
    return checks


def _other_nodes(node) -> list[str]:
    names = (f"{space.rstrip('/')}/{name}" for name, space in node.get_node_names_and_namespaces())
    return sorted(name for name in names if name != node.get_fully_qualified_name() and "_ros2cli" not in name)


def _listed(names: list[str]) -> str:
    more = f" and {len(names) - MOST_NAMES} more" if len(names) > MOST_NAMES else ""
    return ", ".join(map(shown, names[:MOST_NAMES])) + more


def _images() -> Check:
    """How many large images come from another process with this shell's settings. They stay on this machine."""
    from monodepth_ros.ros.image_arrivals import ImageStream, arrivals  # noqa: PLC0415  needs rclpy
    from monodepth_ros.ros.middleware_profile import large_message_remedy  # noqa: PLC0415

    os.environ["ROS_AUTOMATIC_DISCOVERY_RANGE"] = "LOCALHOST"
    try:
        arrived, _ = arrivals(ImageStream(WIDTH, HEIGHT, COUNT, RATE), reliable=False)
    except MonodepthError as error:
        return Check("large images", Level.ERROR, str(error), "check the DDS profile")
    found = f"{arrived} of {COUNT} of {WIDTH}x{HEIGHT} arrived from another process"
    if arrived == COUNT:
        return Check("large images", Level.OK, found)
    return Check("large images", Level.WARNING, found, large_message_remedy())


if __name__ == "__main__":
    sys.exit(main())
