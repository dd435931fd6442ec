# SPDX-License-Identifier: Apache-2.0
"""The Fast DDS profile for large messages, read by Fast DDS itself, and the advice to use it."""

import subprocess
import sys
from pathlib import Path

import pytest
import rclpy

from monodepth_ros.ros import middleware_profile
from monodepth_ros.ros.middleware_profile import VARIABLES, large_message_remedy, profile_variable

PROFILE = Path(__file__).resolve().parents[2] / "config" / "fastdds_large_messages.xml"
PROCESS = "import rclpy; rclpy.init(); rclpy.create_node('profiled')"


def output_with(profile, environment):
    """Output of a ROS process with a profile."""
    own = environment | dict.fromkeys(VARIABLES, str(profile))
    result = subprocess.run([sys.executable, "-c", PROCESS], env=own, capture_output=True, text=True, timeout=60)
    assert result.returncode == 0, result.stderr
    return result.stdout + result.stderr


@pytest.mark.skipif("fastrtps" not in rclpy.get_rmw_implementation_identifier(), reason="not Fast DDS here")
def test_fast_dds_takes_the_profile(environment, tmp_path):
    errors = output_with(PROFILE, environment)
    assert "XMLPARSER" not in errors, errors
    (tmp_path / "bad.xml").write_text(PROFILE.read_text().replace("receiveBufferSize", "receiveBuffer"))
    assert "XMLPARSER" in output_with(tmp_path / "bad.xml", environment), "a wrong profile would not have been noticed"


@pytest.mark.parametrize(
    "distribution, variable",
    [("humble", VARIABLES[0]), ("jazzy", VARIABLES[0]), ("kilted", VARIABLES[1]), ("rolling", VARIABLES[1])],
)
def test_the_remedy_names_the_variable_of_the_distribution_and_the_installed_file(monkeypatch, distribution, variable):
    monkeypatch.setenv("ROS_DISTRO", distribution)
    text = large_message_remedy()
    assert f"{variable}=" in text and Path(text.rpartition("=")[2]).is_file(), text


@pytest.mark.parametrize("folder, variable", [("fastrtps", VARIABLES[0]), ("fastdds", VARIABLES[1])])
def test_without_a_named_distribution_the_installed_files_decide(monkeypatch, tmp_path, folder, variable):
    monkeypatch.delenv("ROS_DISTRO", raising=False)
    (tmp_path / "share" / folder).mkdir(parents=True)
    monkeypatch.setattr(middleware_profile, "get_package_prefix", lambda package: str(tmp_path))
    assert profile_variable() == variable
