# SPDX-License-Identifier: Apache-2.0
"""What the integration pages tell people to paste exists: arguments, parameters, topics, executables."""

import configparser
import json
import re
import shlex
from pathlib import Path

import pytest
import yaml

from monodepth_ros.settings.schema import replace, specifications

pytest.importorskip("rclpy", reason="no rclpy: the node's parameters cannot be read")

from monodepth_ros.pipeline.node_config import NodeConfig

ROOT = Path(__file__).resolve().parents[2]
PAGES = sorted((ROOT / "docs" / "integration").glob("*.md"))
ALL_PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
OWN_SERVICES = {"reset_odometry", "enable"}


def blocks(text, language):
    return re.findall(rf"^```{language}\n(.*?)^```", text, re.M | re.S)


def commands(text):
    """Command lines of bash blocks as words; lines that end in a backslash go on, and so do open quotes."""
    for block in blocks(text, "bash"):
        for line in block.replace("\\\n", " ").splitlines():
            words = shlex.split(line, comments=True)
            if words:
                yield words


def documented_topics():
    """First columns of the tables of docs/topics.md, without the leading slash."""
    text = (ROOT / "docs" / "topics.md").read_text()
    cells = [line.split("|")[1] for line in text.splitlines() if line.startswith("| `")]
    return {name.strip("/") for cell in cells for name in re.findall(r"`([^`]+)`", cell)}


def executables():
    config = configparser.ConfigParser(delimiters=("=",))
    config.read(ROOT / "setup.cfg")
    return set(config["ros_executables"])


def leaves(group, prefix=""):
    for name, value in group.items():
        yield from leaves(value, f"{prefix}{name}.") if isinstance(value, dict) else [(prefix + name, value)]


@pytest.mark.parametrize("page", ALL_PAGES, ids=lambda page: page.name)
def test_launch_lines_name_launch_files_and_arguments_that_exist(page, launch_arguments):
    for words in commands(page.read_text()):
        if words[:3] != ["ros2", "launch", "monodepth_ros"]:
            continue
        launch_file = ROOT / "launch" / words[3]
        assert launch_file.is_file(), f"{page.name}: no launch/{words[3]}"
        known = set(launch_arguments(launch_file))
        given = {word.split(":=")[0] for word in words[4:] if ":=" in word}
        assert known and given <= known, f"{page.name}: {words[3]} does not declare {sorted(given - known)}"


@pytest.mark.parametrize("page", ALL_PAGES, ids=lambda page: page.name)
def test_executables_of_this_package_exist(page):
    for words in commands(page.read_text()):
        if words[:3] == ["ros2", "run", "monodepth_ros"]:
            assert words[3] in executables(), f"{page.name}: no executable {words[3]}"
            given = [w.split(":=")[0] for flag, w in zip(words, words[1:]) if flag == "-p"]
            unknown = set(given) - specifications(NodeConfig).keys()
            assert not unknown, f"{page.name}: no parameter {sorted(unknown)}"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_parameter_files_are_accepted_by_the_node(page):
    for block in blocks(page.read_text(), "yaml"):
        document = yaml.safe_load(block)
        parameters = dict(leaves(document.get("depth_node", {}).get("ros__parameters", {})))
        config = replace(NodeConfig(), parameters)
        assert config == NodeConfig() or parameters, page.name


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_parameters_named_in_the_text_exist_with_the_values_given(page):
    known = specifications(NodeConfig)
    groups = {name.split(".")[0] for name in known if "." in name}
    for name, value in re.findall(r"`([a-z_]+(?:\.[a-z_]+)?)(?:: ([^`]+))?`", page.read_text()):
        if name.split(".")[0] in groups and "." in name:
            assert name in known, f"{page.name}: no parameter {name}"
        if value and name in known:
            known[name].check(yaml.safe_load(value))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_topics_of_this_node_are_documented(page):
    topics = documented_topics()
    named = re.findall(r"(?<![\w./])/?((?:depth|rgb)/[a-zA-Z_/]+)", page.read_text())
    unknown = {name.rstrip("/") for name in named} - topics
    # What a republisher makes of a topic is beside it.
    unknown = {name for name in unknown if name.removesuffix("/compressed") not in topics}
    assert not unknown, f"{page.name}: not in docs/topics.md: {sorted(unknown)}"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_services_of_this_node_exist(page):
    for words in commands(page.read_text()):
        if words[:3] == ["ros2", "service", "call"]:
            assert words[3].removeprefix("/depth_node/") in OWN_SERVICES, f"{page.name}: {words[3]}"


def test_the_foxglove_layout_shows_topics_and_fields_that_exist():
    layout = json.loads((ROOT / "docs/integration/foxglove_layout.json").read_text())
    topics, panels = documented_topics(), layout["configById"]
    status = (ROOT / "msg" / "DepthStatus.msg").read_text()
    named = list(panels["3D!cloud"]["topics"])
    for panel in panels.values():
        named += [panel[key] for key in ("topicToRender",) if key in panel]
        named += panel.get("imageMode", {}).values()
        for path in panel.get("paths", []):
            topic, _, field = path["value"].partition(".")
            named.append(topic)
            if topic == "/depth/status":
                assert re.search(rf"\b{field}\b", status), f"DepthStatus has no {field}"
    assert len(named) > 10 and {name.strip("/") for name in named} <= topics, set(named)

    def shown(node):
        return [node] if isinstance(node, str) else shown(node["first"]) + shown(node["second"])

    assert sorted(shown(layout["layout"])) == sorted(panels), "every panel has its place"


def test_the_docker_file_uses_what_the_checkout_has():
    text = (ROOT / "docker" / "Dockerfile").read_text()
    for name in ("scripts/setup", "scripts/env", "package.xml"):
        assert name in text and (ROOT / name).exists(), name
    page = (ROOT / "docs/integration/docker.md").read_text()
    (argument,) = re.findall(r"^ARG (\w+)=", text, re.M)
    assert f"--build-arg {argument}=" in page and "has not been built" in page
    assert "MONODEPTH_ROS_DISTRO" in (ROOT / "scripts/setup").read_text()
