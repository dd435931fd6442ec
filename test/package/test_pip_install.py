# SPDX-License-Identifier: Apache-2.0
"""`pip install .` and a wheel without any ROS: what needs no ROS works, the `monodepth` command above all."""

import os
import re
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree

import pytest

ROOT = Path(__file__).resolve().parents[2]
VERSION = ElementTree.parse(ROOT / "package.xml").getroot().findtext("version")


@pytest.fixture(scope="module")
def source(tmp_path_factory) -> Path:
    """A copy of the checkout without what an install does not need, because pip leaves a build/ behind."""
    folder = tmp_path_factory.mktemp("source")
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
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_bytes((ROOT / name).read_bytes())
    return folder


@pytest.fixture(scope="module")
def wheel(source) -> Path:
    """The wheel that `python -m build` makes, from the source distribution that it makes first."""
    pytest.importorskip("build", reason="build, which makes wheels, is not installed")
    command = [sys.executable, "-m", "build", "--no-isolation", "--skip-dependency-check", "--outdir", source / "dist"]
    result = subprocess.run([*command, source], capture_output=True, text=True)
    assert result.returncode == 0, result.stdout[-2000:] + result.stderr[-2000:]
    (path,) = (source / "dist").glob("*.whl")
    return path


@pytest.fixture(scope="module", params=["source", "wheel"])
def target(request, tmp_path_factory) -> Path:
    """A folder into which pip has installed the package."""
    folder = tmp_path_factory.mktemp("pip")
    what = request.getfixturevalue(request.param)
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-build-isolation", "--no-input"]
    result = subprocess.run([*command, "--target", folder, what], capture_output=True, text=True)
    assert result.returncode == 0, result.stderr[-2000:]
    return folder


# Run first by the Python that stands for one without ROS: an import of ROS fails, whatever this Python has installed.
BLOCK_ROS = """
import importlib.abc, sys

class NoRos(importlib.abc.MetaPathFinder):
    def find_spec(self, name, path, target=None):
        top = name.split(".")[0]
        if top.startswith(("rclpy", "rosidl", "ament", "tf2_", "launch")) or top.endswith(("_msgs", "_interfaces")):
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)

sys.meta_path.insert(0, NoRos())
"""


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
    code = f"""{BLOCK_ROS}
import importlib, pkgutil, sys
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


def test_the_help_of_every_verb_names_no_file_that_is_not_installed(target):
    code = """
import sys
from monodepth_ros.cli.main import VERBS, main
for verb in ([verb] for verb in VERBS if verb != "evaluate"), (["evaluate", "depth"], ["evaluate", "odometry"]), ([],):
    for words in verb:
        try:
            main([*words, "--help"])
        except SystemExit as end:
            assert end.code == 0, words
"""
    result = without_ros(target, sys.executable, "-c", code)
    assert result.returncode == 0, result.stderr
    assert result.stdout.count("usage: monodepth") == 15, result.stdout
    folders = {path.name for path in ROOT.iterdir() if path.is_dir()} - {"results"}
    named = set(re.findall(rf"\b(?:{'|'.join(map(re.escape, folders))})/[\w./-]+", result.stdout.replace("\n", " ")))
    assert not [name for name in named if not (target / name).exists()], named


def test_every_verb_works_without_ros(wheel, tmp_path):
    """But download, which needs the network, and with one process for all, since torch takes seconds to import."""
    target = tmp_path / "pip"
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-input", "--target", target, wheel]
    assert subprocess.run(command, capture_output=True).returncode == 0
    small = "networks.width=64 networks.height=32 networks.depth=rt_monodepth_s networks.pose=posecnn loop.max_steps=1"
    settings = [word for setting in small.split() for word in ("--set", setting)]
    code = f"""{BLOCK_ROS}
import os, sys
from monodepth_ros.cli.main import VERBS, main
os.chdir(sys.argv[1])
used = set()

def run(*words):
    used.add(words[0])
    print("==", *words, flush=True)
    assert main(list(words)) == 0, words

run("synth", "--out", "drive.mcap", "--seconds", "2", "--width", "96", "--height", "32")
run("inspect", "drive.mcap", *{settings!r})
run("train", "--data", "drive.mcap", "--out", "trained", "--batch-size", "2", *{settings!r})
run("info", "trained/last.safetensors")
run("run", "drive.mcap", "--out", "out.mcap")
run("evaluate", "depth", "drive.mcap", "--checkpoint", "trained/last.safetensors")
run("evaluate", "odometry", "drive.mcap")
run("adapt", "drive.mcap", "--steps", "1")
run("extract", "drive.mcap", "--out", "extracted")
run("export", "trained/last.safetensors", "--to", "torchscript", "--out", "exported")
run("download", "--list")
run("config", "--dump", "node")
run("doctor", "--no-images")
used.add("calibrate")
assert main(["calibrate", "drive.mcap"]) in (1, 2)  # two seconds straight ahead determine no lens
assert used == set(VERBS), used ^ set(VERBS)
assert "rclpy" not in sys.modules
"""
    result = without_ros(target, sys.executable, "-c", code, str(tmp_path))
    assert result.returncode == 0, result.stdout[-2000:] + result.stderr[-2000:]


def test_every_file_of_the_package_is_installed(target):
    source = {p.relative_to(ROOT) for p in (ROOT / "monodepth_ros").rglob("*") if p.is_file() and p.suffix != ".pyc"}
    missing = sorted(str(p) for p in source if not (target / p).is_file())
    assert not missing, f"not installed by pip (setup.cfg, package_data): {missing}"


@pytest.mark.parametrize("name", ["depth.yaml", "train.yaml", "depth.rviz", "fastdds_large_messages.xml"])
def test_parameter_files_and_profiles_are_installed_and_found(target, name):
    result = without_ros(target, str(target / "bin" / "monodepth"), "config", "--path", name)
    assert result.returncode == 0, result.stderr
    path = Path(result.stdout.strip())
    assert path.is_relative_to(target) and path.read_bytes() == (ROOT / "config" / name).read_bytes(), path


def test_only_monodepth_is_on_path(target):
    """Other names (play, demo) are other programs' too, and what they would start needs a ROS build."""
    assert [path.name for path in (target / "bin").iterdir()] == ["monodepth"]


def test_only_this_package_is_installed(target):
    found = {p.name for p in target.iterdir() if not p.name.endswith(".dist-info")}
    assert found == {"monodepth_ros", "bin"}, found
