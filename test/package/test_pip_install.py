# SPDX-License-Identifier: Apache-2.0
"""`pip install .` without any ROS: everything that needs no ROS works, the `monodepth` command above all."""

import os
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree

import pytest

ROOT = Path(__file__).resolve().parents[2]
VERSION = ElementTree.parse(ROOT / "package.xml").getroot().findtext("version")


@pytest.fixture(scope="module")
def target(tmp_path_factory) -> Path:
    """A folder into which pip has installed the package; from a copy, because pip leaves a build/ behind."""
    source, target = tmp_path_factory.mktemp("source"), tmp_path_factory.mktemp("pip")
    files = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    if files.returncode:
        pytest.skip("not a git checkout")
    for name in filter(None, files.stdout.split("\0")):
        if (ROOT / name).is_file() and name.split("/")[0] not in ("test", "docs", "requirements"):
            (source / name).parent.mkdir(parents=True, exist_ok=True)
            (source / name).write_bytes((ROOT / name).read_bytes())
    command = [
        sys.executable,
        "-m",
        "pip",
        "install",
        "--quiet",
        "--no-deps",
        "--no-build-isolation",
        "--no-input",
    ]
    result = subprocess.run([*command, "--target", target, source], capture_output=True, text=True)
    assert result.returncode == 0, result.stderr[-2000:]
    return target


def without_ros(target: Path, *command: str) -> subprocess.CompletedProcess:
    """Runs a command in which only `target` brings monodepth_ros, and no ROS environment is set."""
    hidden = ("AMENT_PREFIX_PATH", "CMAKE_PREFIX_PATH", "COLCON_PREFIX_PATH", "LD_LIBRARY_PATH", "ROS_DISTRO")
    environment = {k: v for k, v in os.environ.items() if k not in hidden}
    environment["PYTHONPATH"] = str(target)
    environment["PATH"] = f"{Path(sys.executable).parent}:/usr/bin:/bin"
    return subprocess.run(command, env=environment, cwd=target, capture_output=True, text=True)


def test_monodepth_command_states_its_version(target):
    result = without_ros(target, str(target / "bin" / "monodepth"), "--version")
    assert (result.returncode, result.stdout) == (0, f"monodepth_ros {VERSION}\n"), result.stderr


def test_monodepth_info_explains_itself(target):
    result = without_ros(target, str(target / "bin" / "monodepth"), "info", "--help")
    assert result.returncode == 0, result.stderr
    assert "checkpoint" in result.stdout, result.stdout


def test_everything_outside_ros_is_importable_without_ros(target):
    code = """
import importlib, pkgutil, sys
sys.modules["rclpy"] = None  # an import of it now fails, whatever this Python has installed
import monodepth_ros
assert monodepth_ros.__file__.startswith(sys.argv[1]), monodepth_ros.__file__
names = [m.name for m in pkgutil.walk_packages(monodepth_ros.__path__, "monodepth_ros.")]
names = [n for n in names if not n.startswith("monodepth_ros.ros.")]
for name in names:
    importlib.import_module(name)
print(len(names))
"""
    result = without_ros(target, sys.executable, "-c", code, str(target))
    assert result.returncode == 0, result.stderr
    assert int(result.stdout) > 20, f"only {result.stdout} modules were found"


def test_every_file_of_the_package_is_installed(target):
    source = {p.relative_to(ROOT) for p in (ROOT / "monodepth_ros").rglob("*") if p.is_file() and p.suffix != ".pyc"}
    missing = sorted(str(p) for p in source if not (target / p).is_file())
    assert not missing, f"not installed by pip (setup.cfg, package_data): {missing}"


def test_only_this_package_is_installed(target):
    found = {p.name for p in target.iterdir() if not p.name.endswith(".dist-info")}
    assert found == {"monodepth_ros", "bin"}, found
