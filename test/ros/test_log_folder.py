# SPDX-License-Identifier: Apache-2.0
"""ROS's log files where its own folder cannot be written."""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from monodepth_ros.ros.log_folder import NO_FILES, ros_log_folder, with_usable_log


@pytest.fixture(autouse=True)
def environment(monkeypatch, tmp_path):
    for name in ("ROS_LOG_DIR", "ROS_HOME"):
        monkeypatch.setenv(name, "")
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    (tmp_path / "file").write_text("")


def test_a_folder_that_can_be_written_stays(tmp_path, capsys):
    assert with_usable_log(["node"]) == ["node"] and not os.environ["ROS_LOG_DIR"]
    assert ros_log_folder() == tmp_path / "home/.ros/log" and list(ros_log_folder().iterdir()) == []
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize("variable", ["HOME", "ROS_HOME", "ROS_LOG_DIR"])
@pytest.mark.parametrize(
    "place", ["{file}/x", "/dev/null", "/proc/none", "{file}" + "x" * 300, "{file}\udce9/\n/" + "a/" * 3000]
)
def test_log_files_go_to_a_temporary_folder_otherwise(monkeypatch, tmp_path, capsys, variable, place):
    monkeypatch.setenv(variable, place.format(file=tmp_path / "file"))
    assert with_usable_log(["node"]) == ["node"]
    folder = tmp_path / f"ros-log-{os.getuid()}"
    assert os.environ["ROS_LOG_DIR"] == str(folder) and folder.is_dir()
    line = capsys.readouterr().err
    assert line.count("\n") == 1 and line.startswith("log files cannot be written to") and str(folder) in line


def test_the_temporary_folder_is_never_that_of_another_user(monkeypatch, tmp_path):
    monkeypatch.setenv("ROS_LOG_DIR", "/dev/null")
    (tmp_path / "mine").mkdir()
    (tmp_path / f"ros-log-{os.getuid()}").symlink_to(tmp_path / "mine")
    with_usable_log([])
    assert Path(os.environ["ROS_LOG_DIR"]).resolve() != tmp_path / "mine"


def test_without_any_folder_the_log_goes_to_the_terminal_alone(monkeypatch, tmp_path, capsys):
    monkeypatch.setenv("HOME", "/dev/null")
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "file"))
    assert with_usable_log(["node"]) == ["node", *NO_FILES]
    assert "the log goes to the terminal and to /rosout alone" in capsys.readouterr().err


@pytest.mark.parametrize("home", [None, "", "/dev/null"])
def test_rclpy_starts_without_a_home(home):
    environment = {name: value for name, value in os.environ.items() if name not in ("HOME", "ROS_LOG_DIR", "ROS_HOME")}
    environment |= {"HOME": home} if home is not None else {}
    code = (
        "import rclpy, sys; from monodepth_ros.ros.log_folder import with_usable_log;"
        "rclpy.init(args=with_usable_log(sys.argv)); rclpy.create_node('a').get_logger().info('it logs')"
    )
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0 and "it logs" in done.stderr, done.stderr
    assert ("log files cannot be written" in done.stderr) == (home == "/dev/null"), done.stderr
