# SPDX-License-Identifier: Apache-2.0
"""Launch and configuration files: their agreement with each other and with the code."""

import ast
import configparser
import filecmp
import re
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree

import pytest
import yaml

from monodepth_ros.pipeline.node_config import NodeConfig
from monodepth_ros.ros.launch_arguments import SHARED_ARGUMENTS
from monodepth_ros.settings.files import read_ros_parameters
from monodepth_ros.settings.schema import replace, specifications

ROOT = Path(__file__).resolve().parents[2]
LAUNCH_FILES = [ROOT / "launch" / "depth.launch.py", ROOT / "launch" / "multi_camera.launch.py"]
SHARED_CODE = ROOT / "monodepth_ros" / "ros" / "launching.py"
NAMING_FILES = [SHARED_CODE.with_name(name) for name in ("launch_arguments.py", "middleware_profile.py")]
PARAMETER_FILE = ROOT / "config" / "depth.yaml"
COMMON_ARGUMENTS = {
    "namespace",
    "params_file",
    "checkpoint",
    "device",
    "engine",
    "calibration_file",
    "rectified",
    "camera_pose",
    "base_frame",
    "odom_frame",
    "publish_tf",
    "scale_source",
    "camera_height",
    "scale_odometry",
    "bag",
    "rviz",
    "use_sim_time",
    "autostart",
    "log_level",
}
PROMISED_ARGUMENTS = {
    "depth.launch.py": COMMON_ARGUMENTS | {"image", "camera_info"},
    "multi_camera.launch.py": COMMON_ARGUMENTS | {"cameras", "image_topic", "info_topic"},
}


def calls(name, *paths):
    """Keyword arguments, and the first positional one under "", of every call of a name in these files."""
    trees = [ast.parse(path.read_text()) for path in paths]
    found = [
        n for tree in trees for n in ast.walk(tree) if isinstance(n, ast.Call) and getattr(n.func, "id", "") == name
    ]
    assert found, f"no {name}(...) in {[path.name for path in paths]}"
    return [
        {"": ast.unparse(c.args[0]) if c.args else None} | {k.arg: ast.unparse(k.value) for k in c.keywords}
        for c in found
    ]


@pytest.mark.parametrize("launch_file", LAUNCH_FILES, ids=lambda path: path.name)
def test_the_launch_file_declares_every_promised_argument_with_default_and_description(launch_file, launch_arguments):
    declared = launch_arguments(launch_file)
    assert set(declared) >= PROMISED_ARGUMENTS[launch_file.name]
    for name, (description, default) in declared.items():
        assert isinstance(default, str)
        assert len(description) >= 20 and description.endswith("."), f"{name} is not explained: {description!r}"


def test_the_arguments_explain_the_values_that_the_settings_accept():
    choices = specifications(NodeConfig)
    for argument, setting in (("engine", "engine"), ("scale_source", "scale.source"), ("image_transport",) * 2):
        text = SHARED_ARGUMENTS[argument].description
        assert all(re.search(rf"\b{choice}\b", text) for choice in choices[setting].choices), (argument, text)


def test_the_launch_files_start_executables_that_exist():
    config = configparser.ConfigParser(delimiters=("=",))
    config.read(ROOT / "setup.cfg")
    scripts = set(config["ros_executables"])
    nodes = calls("Node", *LAUNCH_FILES, SHARED_CODE)
    wanted = [ast.literal_eval(c["executable"]) for c in nodes if c["package"] == "'monodepth_ros'"]
    assert set(wanted) == {"depth_node", "play", "camera_pose"} and scripts >= set(wanted), f"{wanted} of {scripts}"


def test_every_file_that_the_launch_files_name_exists():
    trees = [ast.parse(path.read_text()) for path in (*LAUNCH_FILES, SHARED_CODE, *NAMING_FILES)]
    strings = [n.value for tree in trees for n in ast.walk(tree) if isinstance(n, ast.Constant)]
    named = {s for s in strings if isinstance(s, str) and s.endswith((".yaml", ".rviz", ".xml")) and " " not in s}
    missing = {name for name in named if not (ROOT / "config" / name).is_file()}
    assert len(named) == 3 and not missing, f"missing in config: {missing}"


def test_the_generated_files_are_up_to_date(tmp_path):
    """scripts/docs, run in a copy of the project, must write the committed files."""
    for folder in ROOT.iterdir():
        if folder.is_dir() and not folder.name.startswith(".") and folder.name not in ("build", "install", "log"):
            (tmp_path / folder.name).symlink_to(folder)
    for name in ("scripts", "config", "docs"):
        (tmp_path / name).unlink()
        (tmp_path / name).mkdir()
    (tmp_path / "scripts" / "docs").write_text((ROOT / "scripts" / "docs").read_text())
    result = subprocess.run([sys.executable, tmp_path / "scripts" / "docs"], capture_output=True, text=True, timeout=60)
    assert result.returncode == 0, result.stderr
    written = [*(tmp_path / "config").iterdir(), *(tmp_path / "docs").iterdir()]
    assert {path.name for path in written} >= {"depth.yaml", "parameters.md"}
    outdated = [
        path.name for path in written if not filecmp.cmp(path, ROOT / path.relative_to(tmp_path), shallow=False)
    ]
    assert not outdated, f"run scripts/docs: {outdated} are not what it writes"


def test_the_parameter_file_holds_every_parameter_at_its_default_with_a_comment():
    given = read_ros_parameters(PARAMETER_FILE)
    assert set(given) == set(specifications(NodeConfig))
    assert replace(NodeConfig(), given) == NodeConfig()
    lines = PARAMETER_FILE.read_text().splitlines()
    bare = [
        line
        for above, line in zip(lines[:-1], lines[1:], strict=True)
        if not line.lstrip().startswith("#") and not line.endswith(":") and not above.lstrip().startswith("# ")
    ]
    assert not bare, f"not explained: {bare}"


def test_ros_reads_the_parameter_file_with_the_right_types():
    rclpy = pytest.importorskip("rclpy", reason="no ROS 2 in this environment")
    context = rclpy.Context()
    rclpy.init(context=context, args=["--ros-args", "--params-file", str(PARAMETER_FILE)])
    node = rclpy.create_node(
        "reader",
        context=context,
        automatically_declare_parameters_from_overrides=True,
        start_parameter_services=False,
    )
    try:
        wrong = {}
        for name, specification in specifications(NodeConfig).items():
            value = node.get_parameter(name).value
            default = specification.default
            default = list(default) or [""] if isinstance(default, tuple) else default
            if type(value) is not type(default) or value != default:
                wrong[name] = value
        assert not wrong, f"not the defaults: {wrong}"
    finally:
        node.destroy_node()
        rclpy.shutdown(context=context)


def rviz_displays():
    layout = yaml.safe_load((ROOT / "config" / "depth.rviz").read_text())
    return layout["Visualization Manager"]["Displays"]


def test_rviz_shows_image_depth_cloud_odometry_path_and_frames():
    shown = {(d["Class"].split("/")[1], d.get("Topic", {}).get("Value", "")) for d in rviz_displays() if d["Enabled"]}
    assert shown >= {
        ("Image", "rgb/image_rect"),
        ("Image", "depth/color"),
        ("PointCloud2", "depth/points"),
        ("Odometry", "odom"),
        ("Path", "path"),
        ("TF", ""),
    }


def test_rviz_listens_to_topics_of_the_node_by_type_namespace_and_quality_of_service():
    for module in ("monodepth_ros.msg", "tf2_msgs"):
        pytest.importorskip(module, reason=f"{module} is not built here: run scripts/test")
    from monodepth_ros.ros.demonstration.output_listener import OUTPUTS

    for display in (d for d in rviz_displays() if "Topic" in d):
        topic = display["Topic"]
        name = topic["Value"]
        assert name in OUTPUTS, f"{display['Name']}: the node does not publish {name}"
        assert not name.startswith("/"), f"{name} is the same in every namespace"
        assert display["Class"] == f"rviz_default_plugins/{OUTPUTS[name].__name__}", display["Name"]
        # The node publishes reliable and volatile: latched outputs would ask too much of it.
        assert topic["Reliability Policy"] in ("Best Effort", "Reliable"), name
        assert topic["Durability Policy"] == "Volatile", name


def test_the_middleware_profile_has_room_for_large_messages_and_restricts_no_interface():
    tree = ElementTree.parse(ROOT / "config" / "fastdds_large_messages.xml").getroot()
    for element in tree.iter():
        element.tag = element.tag.split("}")[-1]  # the namespace
    transports = {t.findtext("type"): t for t in tree.iter("transport_descriptor")}
    assert set(transports) == {"SHM", "UDPv4"}
    assert int(transports["SHM"].findtext("segment_size")) == 64 * 2**20
    buffers = [int(transports["UDPv4"].findtext(f"{side}BufferSize")) for side in ("send", "receive")]
    assert buffers == [4 * 2**20] * 2, "another Fast DDS generation is reached over UDP alone"
    participant = tree.find(".//participant")
    used = {element.text for element in participant.iter("transport_id")}
    assert used == {t.findtext("transport_id") for t in transports.values()}
    assert participant.get("is_default_profile") == "true"
    assert participant.findtext("rtps/useBuiltinTransports") == "false"
    limits = {"interfaceWhiteList", "interfaces", "netmask_filter", "blocklist", "allowlist"}
    assert not limits & {element.tag for element in tree.iter()}


def test_the_installed_files_are_those_of_the_checkout():
    packages = pytest.importorskip("ament_index_python.packages", reason="no ROS 2 in this environment")
    try:
        share = Path(packages.get_package_share_directory("monodepth_ros"))
    except (packages.PackageNotFoundError, OSError):  # OSError: no environment at all
        pytest.skip("monodepth_ros is not installed here: run scripts/test")
    for folder in ("launch", "config"):
        wanted = {path.name for path in (ROOT / folder).iterdir() if path.is_file()}
        installed = {path.name for path in (share / folder).iterdir() if path.is_file()}
        assert installed == wanted, f"{share / folder} is not up to date: build again"
        _, different, errors = filecmp.cmpfiles(share / folder, ROOT / folder, wanted, shallow=False)
        assert not different and not errors, f"{share / folder} is not up to date: {different + errors}"
