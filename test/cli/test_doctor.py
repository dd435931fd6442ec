# SPDX-License-Identifier: Apache-2.0
"""`monodepth doctor`: lines, JSON and exit code."""

import json

import pytest

from monodepth_ros.cli import doctor
from monodepth_ros.cli.main import main


@pytest.fixture(autouse=True)
def without_ros(monkeypatch):
    """ROS 2 is examined in test/ros/test_doctor.py."""
    monkeypatch.setattr(doctor, "ros_checks", lambda images: iter(()))


def test_what_does_not_work_is_a_line_and_the_exit_code(capsys):
    assert main(["doctor", "no_such_file.safetensors"]) == 1
    lines = capsys.readouterr().out.splitlines()
    (error,) = (line for line in lines if line.startswith("error"))
    assert "no_such_file.safetensors" in error
    assert any(line.startswith("ok      torch") for line in lines)
    assert lines[-1].startswith("1 error(s), ")


def test_the_checks_come_as_json(capsys):
    assert main(["doctor", "--json", "no_such_file.safetensors"]) == 1
    checks = json.loads(capsys.readouterr().out)
    assert {"system", "torch", "cache", "checkpoint"} <= {check["subject"] for check in checks}
    assert [check["subject"] for check in checks if check["level"] == "error"] == ["checkpoint"]
