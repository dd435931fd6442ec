# SPDX-License-Identifier: Apache-2.0
"""package.xml states the version; everything else reads it there, whatever has installed the package."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from monodepth_ros.version import UNKNOWN, __version__, find_version

ROOT = Path(__file__).resolve().parents[2]
# What a release touches or reads.
RELEASED = (
    "package.xml",
    "CHANGELOG.rst",
    "setup.py",
    "setup.cfg",
    "pyproject.toml",
    "README.md",
    "LICENSE",
    "monodepth_ros/__init__.py",
    "monodepth_ros/version.py",
)


def stated_version(root: Path = ROOT) -> str:
    return re.search(r"<version>(.*)</version>", (root / "package.xml").read_text())[1]


def version_of_setup(root: Path) -> str:
    """What pip reads."""
    result = subprocess.run([sys.executable, "setup.py", "--version"], cwd=root, capture_output=True, text=True)
    assert result.returncode == 0, result.stderr
    return result.stdout.strip()


def newest_changes(root: Path) -> str:
    """Title of the changelog's first section."""
    return re.search(r"^(.+)\n-+$", (root / "CHANGELOG.rst").read_text(), re.MULTILINE)[1]


@pytest.fixture
def copy(tmp_path) -> Path:
    """A git repository with the files that a release touches or reads."""
    for name in RELEASED:
        (tmp_path / name).parent.mkdir(exist_ok=True)
        shutil.copy(ROOT / name, tmp_path / name)
    identity = ["-c", "user.name=releaser", "-c", "user.email=releaser@localhost"]
    for command in (["init", "-q"], ["add", "."], [*identity, "commit", "-q", "-m", "All of it"]):
        result = subprocess.run(["git", *command], cwd=tmp_path, capture_output=True, text=True)
        if result.returncode:
            pytest.skip(f"git {command[0]} does not work here: {result.stderr}")
    return tmp_path


def test_the_version_is_that_of_package_xml():
    assert __version__ == stated_version()


def test_pip_gets_the_version_of_package_xml():
    assert version_of_setup(ROOT) == stated_version()


@pytest.mark.parametrize(
    "name", ["setup.cfg", "setup.py", "pyproject.toml", "CMakeLists.txt", "monodepth_ros/version.py"]
)
def test_no_other_file_states_the_version(name):
    assert stated_version() not in re.sub(r"[<>=]=?\d[\d.]*", "", (ROOT / name).read_text())


def test_the_changelog_begins_with_this_version_or_with_what_comes_next():
    assert re.fullmatch(rf"Forthcoming|{re.escape(stated_version())} \(\d{{4}}-\d\d-\d\d\)", newest_changes(ROOT))


def test_catkin_prepare_release_bumps_everything(copy):
    pytest.importorskip("catkin_pkg", reason="catkin_pkg, which makes releases, is not installed")
    command = [sys.executable, "-m", "catkin_pkg.cli.prepare_release", "--version", "7.8.9", "-y", "--no-push"]
    identity = {f"GIT_{who}_{what}": "releaser" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}
    result = subprocess.run(command, cwd=copy, capture_output=True, text=True, env={**os.environ, **identity})
    assert result.returncode == 0, result.stdout + result.stderr
    assert stated_version(copy) == "7.8.9"
    assert re.fullmatch(r"7\.8\.9 \(\d{4}-\d\d-\d\d\)", newest_changes(copy))
    assert version_of_setup(copy) == "7.8.9"
    assert find_version(copy / "monodepth_ros") == "7.8.9"
    tags = subprocess.run(["git", "tag"], cwd=copy, capture_output=True, text=True)
    assert tags.stdout == "7.8.9\n"


def manifest(version: str, name: str = "monodepth_ros") -> str:
    return f'<package format="3">\n  <name>{name}</name>\n  <version>{version}</version>\n</package>\n'


@pytest.mark.parametrize(
    ("package", "share"),
    [
        ("lib/python3.12/site-packages/monodepth_ros", "share/monodepth_ros"),
        ("local/lib/python3.10/dist-packages/monodepth_ros", "share/monodepth_ros"),  # ROS 2 Humble
    ],
)
def test_an_install_by_colcon_has_the_version_of_its_share_folder(tmp_path, package, share):
    (tmp_path / package).mkdir(parents=True)
    (tmp_path / share).mkdir(parents=True)
    (tmp_path / share / "package.xml").write_text(manifest("1.2.3"))
    assert find_version(tmp_path / package) == "1.2.3"


def test_an_install_by_pip_has_the_version_of_the_metadata_beside_it(tmp_path):
    (tmp_path / "monodepth_ros").mkdir()
    (tmp_path / "monodepth_ros-4.5.6.dist-info").mkdir()
    (tmp_path / "monodepth_ros-4.5.6.dist-info" / "METADATA").write_text("Name: monodepth_ros\nVersion: 4.5.6\n")
    assert find_version(tmp_path / "monodepth_ros") == "4.5.6"


def test_the_manifest_of_another_package_around_a_copy_is_not_read(tmp_path):
    (tmp_path / "monodepth_ros").mkdir()
    (tmp_path / "package.xml").write_text(manifest("9.9.9", name="robot"))
    assert find_version(tmp_path / "monodepth_ros") == UNKNOWN
