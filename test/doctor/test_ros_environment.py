# SPDX-License-Identifier: Apache-2.0
"""What the doctor says of the settings for ROS 2."""

import pytest

from monodepth_ros.doctor import ros_environment
from monodepth_ros.doctor.check import Level
from monodepth_ros.doctor.ros_environment import environment_checks, ros_checks

NAMES = (*ros_environment.VARIABLES, *ros_environment.PROFILES, "ROS_DISTRO")


def checks_with(monkeypatch, **variables):
    for name in NAMES:
        monkeypatch.delenv(name, raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(name, str(value))
    return {check.subject: check for check in environment_checks()}


def test_the_variables_that_decide_whom_a_node_meets_are_listed(monkeypatch):
    checks = checks_with(monkeypatch, ROS_DOMAIN_ID=7, RMW_IMPLEMENTATION="rmw_fastrtps_cpp")
    assert checks["ros variables"].found == "ROS_DOMAIN_ID=7, RMW_IMPLEMENTATION=rmw_fastrtps_cpp"
    assert "ROS_DOMAIN_ID" not in checks
    assert checks_with(monkeypatch)["ros variables"].found.startswith("none set")


@pytest.mark.parametrize("domain", ["233", "-1", "seven", "\x1b[31m"])
def test_a_domain_that_is_none_is_an_error(monkeypatch, domain):
    check = checks_with(monkeypatch, ROS_DOMAIN_ID=domain)["ROS_DOMAIN_ID"]
    assert check.level is Level.ERROR
    assert "\x1b" not in check.line


def test_a_node_that_other_machines_cannot_see_is_noted(monkeypatch):
    assert "this machine" in checks_with(monkeypatch, ROS_AUTOMATIC_DISCOVERY_RANGE="localhost")["discovery"].found
    assert "nobody" in checks_with(monkeypatch, ROS_AUTOMATIC_DISCOVERY_RANGE="OFF")["discovery"].found
    assert "discovery" not in checks_with(monkeypatch, ROS_AUTOMATIC_DISCOVERY_RANGE="SUBNET")


@pytest.mark.parametrize(
    ("text", "level"),
    [
        (None, Level.ERROR),
        ("<profiles", Level.ERROR),
        ("<other/>", Level.WARNING),
        ('<profiles xmlns="http://www.eprosima.com"/>', Level.OK),
        ('<dds xmlns="http://www.eprosima.com"/>', Level.OK),
    ],
)
def test_a_dds_profile_that_the_middleware_would_ignore_is_named(monkeypatch, tmp_path, text, level):
    path = tmp_path / "profile.xml"
    if text is not None:
        path.write_text(text)
    check = checks_with(monkeypatch, FASTRTPS_DEFAULT_PROFILES_FILE=path)["dds profile"]
    assert check.level is level
    assert str(path) in check.found


def test_without_a_profile_its_use_is_explained(monkeypatch):
    check = checks_with(monkeypatch)["dds profile"]
    assert check.level is Level.NOTE
    assert "image_transport.md" in check.remedy


def test_a_machine_without_ros_is_told_what_needs_it(monkeypatch):
    monkeypatch.setattr(ros_environment, "find_spec", lambda name: None)
    (check,) = ros_checks()
    assert check.level is Level.NOTE
    assert "setup.bash" in check.remedy


def test_a_probe_that_dies_is_a_line_with_its_last_words(monkeypatch):
    monkeypatch.setattr(ros_environment, "PROBE", "no_such_module_of_this_package")
    last = list(ros_checks(images=False))[-1]
    assert last.level is Level.ERROR
    assert "No module named no_such_module_of_this_package" in last.found
