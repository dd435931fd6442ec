# SPDX-License-Identifier: Apache-2.0
"""What colcon installs: run by scripts/test, against the copy it has just built."""

import os
import subprocess
from pathlib import Path
from xml.etree import ElementTree

import pytest

ROOT = Path(__file__).resolve().parents[2]
VERSION = ElementTree.parse(ROOT / "package.xml").getroot().findtext("version")
EXECUTABLES = [
    ("depth_node", "lib/monodepth_ros"),
    ("play", "lib/monodepth_ros"),
    ("demo", "lib/monodepth_ros"),
    ("camera_pose", "lib/monodepth_ros"),
    ("security_policy", "lib/monodepth_ros"),
    ("monodepth", "bin"),
]


@pytest.fixture
def install() -> Path:
    """The installed package: <install>/monodepth_ros."""
    folder = os.environ.get("MONODEPTH_TEST_INSTALL")
    if not folder:
        pytest.skip("not run by scripts/test, which builds the install that is tested here")
    return Path(folder) / "monodepth_ros"


def test_the_tests_import_the_installed_copy(install):
    import monodepth_ros.errors
    import monodepth_ros.geometry.camera

    for module in (monodepth_ros, monodepth_ros.errors, monodepth_ros.geometry.camera):
        path = Path(module.__file__)
        assert path.is_relative_to(install), f"{module.__name__} was imported from {path}, not from {install}"
        assert path.resolve() == path, f"{path} is a link to {path.resolve()}, so the checkout would be tested"
    strangers = [p for p in monodepth_ros.__path__ if not Path(p).is_relative_to(install)]
    assert not strangers, f"modules are also found in {strangers}"


def test_every_source_file_is_installed_and_nothing_else_is(install):
    (installed,) = install.glob("**/*-packages/monodepth_ros")

    def files(folder: Path) -> set[str]:
        found = {p.relative_to(folder) for p in folder.rglob("*") if p.is_file() and "__pycache__" not in p.parts}
        generated = ("msg", "_monodepth_ros_s.", "monodepth_ros_s__rosidl_")
        return {str(p) for p in found if not str(p).startswith(generated)}

    source, there = files(ROOT / "monodepth_ros"), files(installed)
    assert there == source, f"not installed: {source - there}; installed but not in the source: {there - source}"


@pytest.mark.parametrize(("name", "folder"), EXECUTABLES)
def test_executable_is_where_ros2_run_or_the_path_finds_it(install, name, folder):
    path = install / folder / name
    assert path.is_file() and os.access(path, os.X_OK), f"{path} is missing or not executable"
    assert path.read_text().startswith("#!/usr/bin/env python3\n"), path.read_text()


def test_monodepth_command_on_path_is_the_installed_one(install):
    command = ["bash", "-c", "command -v monodepth && monodepth --version"]
    result = subprocess.run(command, capture_output=True, text=True)
    assert result.returncode == 0, result.stderr
    where, version = result.stdout.splitlines()
    assert where == str(install / "bin" / "monodepth")
    assert version == f"monodepth_ros {VERSION}"


def test_share_holds_launch_files_and_configuration(install):
    share = install / "share" / "monodepth_ros"
    files = [*(ROOT / "launch").rglob("*"), *(ROOT / "config").rglob("*")]
    wanted = {p.relative_to(ROOT) for p in files if p.is_file() and p.suffix != ".pyc"}
    missing = sorted(str(p) for p in wanted if not (share / p).is_file())
    assert wanted and not missing, f"not in {share}: {missing}"


def test_fallback_interfaces_are_hidden_from_colcon_in_a_workspace():
    assert (ROOT / "fallback_interfaces" / "COLCON_IGNORE").is_file()
