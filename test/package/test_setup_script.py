# SPDX-License-Identifier: Apache-2.0
"""scripts/setup, scripts/env and scripts/test."""

import os
import shutil
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree

import pytest

ROOT = Path(__file__).resolve().parents[2]
VERSION = ElementTree.parse(ROOT / "package.xml").getroot().findtext("version")
SHELLS = ["bash", "zsh"]


@pytest.fixture
def set_up():
    """Skips where scripts/setup has not completed, as in a checkout that is tested with another Python."""
    if not (ROOT / "install" / ".setup_complete").is_file():
        pytest.skip("scripts/setup has not run in this checkout")


def run(*command: str, **options) -> subprocess.CompletedProcess:
    return subprocess.run(command, capture_output=True, text=True, stdin=subprocess.DEVNULL, **options)


def clean_environment() -> dict[str, str]:
    """That of a new login shell: neither ROS nor this project are in it."""
    return {"HOME": os.environ.get("HOME", "/"), "PATH": "/usr/local/bin:/usr/bin:/bin"}


@pytest.mark.parametrize("script", ["scripts/setup", "scripts/env", "scripts/test", "scripts/lint", ".ci/run"])
def test_script_is_valid_bash(script):
    result = run("bash", "-n", str(ROOT / script))
    assert result.returncode == 0, result.stderr


@pytest.mark.parametrize("script", ["scripts/setup", "scripts/test", "scripts/lint", ".ci/run"])
def test_script_is_executable(script):
    assert os.access(ROOT / script, os.X_OK)


def test_setup_refuses_an_unknown_argument():
    result = run(str(ROOT / "scripts" / "setup"), "--fast")
    assert result.returncode == 2
    assert result.stderr == "setup: unknown argument --fast; see scripts/setup --help\n"


def test_setup_help_is_printed_from_the_head_of_the_script():
    result = run(str(ROOT / "scripts" / "setup"), "--help")
    assert result.returncode == 0
    assert result.stdout.startswith("Makes this checkout ready"), result.stdout
    assert "MONODEPTH_ROS_DISTRO" in result.stdout and "set -e" not in result.stdout, result.stdout


@pytest.fixture
def checkouts(tmp_path):
    """Two copies of this checkout that seem to be set up, the second with the wheels of ROS."""
    own, other = tmp_path / "own", tmp_path / "other"
    for checkout in (own, other):
        shutil.copytree(ROOT / "scripts", checkout / "scripts")
        shutil.copytree(ROOT / "requirements", checkout / "requirements")
        (checkout / ".venv" / "bin").mkdir(parents=True)
        (checkout / ".venv" / ".ros_distro").write_text("jazzy\n")
        (checkout / ".venv" / ".setup_complete").write_text("before these requirements\n")
    return own, other


def environment_of(checkout: Path) -> dict[str, str]:
    """What `. scripts/env` of a checkout leaves in a shell, and a ROS_DISTRO."""
    clean = clean_environment()
    prefix = f"{checkout}/install/monodepth_ros:{checkout}/.venv"
    return clean | {
        "AMENT_PREFIX_PATH": prefix, "ROS_DISTRO": "jazzy", "PATH": f"{checkout}/.venv/bin:{clean['PATH']}"
    }  # fmt: skip


def test_the_environment_of_another_checkout_is_no_ros_of_the_machine(checkouts):
    own, other = checkouts
    given = environment_of(other) | {"MONODEPTH_PYTHON": "/nowhere/python3"}
    result = run(str(own / "scripts" / "setup"), env=given)
    assert result.returncode == 1 and "PyPI's ROS 2 needs Python" in result.stderr, result.stderr
    assert (own / ".venv" / ".setup_complete").is_file(), "a set-up that could not begin has removed .venv"


def test_a_set_up_that_fails_leaves_the_venv_as_it_was(checkouts, tmp_path):
    own, _ = checkouts
    python = tmp_path / "python3"  # cannot make environments, as where the disk is full
    python.write_text(
        f"""#!/bin/sh
case "$*" in
  *sys.executable*) echo "$0" ;;
  "-m venv "*) exit 1 ;;
  *) exec {sys.executable} "$@" ;;
esac
"""
    )
    python.chmod(0o755)
    given = clean_environment() | {"MONODEPTH_PYTHON": str(python), "MONODEPTH_ROS_DISTRO": "jazzy"}
    result = run(str(own / "scripts" / "setup"), env=given)
    assert result.returncode == 1 and "failed: making .venv" in result.stderr, result.stderr
    assert (own / ".venv" / ".setup_complete").read_text() == "before these requirements\n"
    assert not (own / ".venv.previous").exists()


def test_second_run_of_setup_changes_nothing_and_is_silent(set_up):
    def state() -> dict[Path, int]:
        folders = [ROOT / "install", ROOT / ".venv" / "bin", ROOT / "build" / "monodepth_ros"]
        return {p: p.lstat().st_mtime_ns for folder in folders for p in folder.rglob("*")}

    before = state()
    result = run(str(ROOT / "scripts" / "setup"), "--quiet", cwd="/")
    assert (result.returncode, result.stdout, result.stderr) == (0, "", "")
    after = state()
    changed = [str(p) for p in before.keys() | after.keys() if before.get(p) != after.get(p)]
    assert not changed, changed[:10]


@pytest.mark.parametrize("shell", SHELLS)
def test_env_works_from_any_folder_under_strict_options(set_up, shell, tmp_path):
    if not shutil.which(shell):
        pytest.skip(f"no {shell} here")
    script = f"""
set -eu
. "{ROOT}/scripts/env"
. "{ROOT}/scripts/env"
monodepth --version
python3 -c 'import rclpy, monodepth_ros.msg, tf2_msgs.msg, torch; print("imported")'
case $- in *u*) echo "nounset kept" ;; esac
case $- in *e*) echo "errexit kept" ;; esac
echo "range ${{ROS_AUTOMATIC_DISCOVERY_RANGE:-not set}}"
echo "$AMENT_PREFIX_PATH" | tr : '\\n' | sort | uniq -d
set | grep -i '^_monodepth' || :
"""
    result = run(shell, "-c", script, cwd=tmp_path, env=clean_environment())
    assert result.returncode == 0, result.stderr
    assert result.stdout.splitlines() == [
        f"monodepth_ros {VERSION}",
        "imported",
        "nounset kept",
        "errexit kept",
        "range not set",
    ]


@pytest.mark.parametrize("shell", SHELLS)
def test_env_says_what_to_do_where_nothing_is_built(shell, tmp_path):
    if not shutil.which(shell):
        pytest.skip(f"no {shell} here")
    (tmp_path / "scripts").mkdir()
    shutil.copy(ROOT / "scripts" / "env", tmp_path / "scripts" / "env")
    script = f'. "{tmp_path}/scripts/env" || echo "failed with $?"'
    result = run(shell, "-uc", script, cwd="/", env=clean_environment())
    assert result.stdout == "failed with 1\n"
    assert result.stderr == f"scripts/env: nothing is built here yet; first run {tmp_path}/scripts/setup\n"
