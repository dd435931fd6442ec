# SPDX-License-Identifier: Apache-2.0
"""The real launch with stubs for the executables, which record their arguments and environment."""

import json
import sys
from pathlib import Path

import pytest

from monodepth_ros.settings.files import read_ros_parameters

ROOT = Path(__file__).resolve().parents[2]
PROFILES = ("FASTRTPS_DEFAULT_PROFILES_FILE", "FASTDDS_DEFAULT_PROFILES_FILE")

# Stands in for the executables, which launch finds by the ament index: notes how it was called and ends. The
# node's first waits until all the others have come; the one named in STAYS runs until it is asked to end.
STUB = f"""#!{sys.executable} -IS
import json, os, signal, sys, time
name = os.path.basename(sys.argv[0])
folder = os.environ["STUB_NOTES"]
note = os.path.join(folder, name)

def complain(*_):
    os.rename(note, note + " was never ended")
    sys.exit(1)

signal.signal(signal.SIGINT, lambda *_: sys.exit(0))
signal.signal(signal.SIGALRM, complain)
signal.alarm(20)
with open(os.path.join(folder, "." + name), "w") as draft:
    json.dump([sys.argv[1:], dict(os.environ)], draft)
os.rename(draft.name, note)
while name == "depth_node" and not set(os.environ["STUBS"].split()) <= set(os.listdir(folder)):
    time.sleep(0.01)
if name == os.environ.get("STAYS"):
    signal.pause()
"""


class Process:
    """Arguments, parameters and environment of a started process."""

    def __init__(self, arguments, environment):
        self.arguments = arguments
        self.environment = environment
        self.parameters = {}
        for path in self.following("--params-file"):
            self.parameters.update(read_ros_parameters(path))

    def following(self, option):
        """All values of an option."""
        return [value for name, value in zip(self.arguments[:-1], self.arguments[1:], strict=True) if name == option]

    @property
    def remappings(self):
        return dict(rule.split(":=") for rule in self.following("-r"))


@pytest.fixture
def run(tmp_path, monkeypatch):
    """A function that runs a launch description with stubs; its exit code, and the started processes by name.

    The others are those that must start besides the node.
    """
    prefix, notes = tmp_path / "prefix", tmp_path / "notes"
    notes.mkdir()
    executables = {"monodepth_ros": ("depth_node", "play", "camera_pose"), "rviz2": ("rviz2",)}
    for package, names in executables.items():
        for folder in ("share/ament_index/resource_index/packages", f"lib/{package}", f"share/{package}"):
            (prefix / folder).mkdir(parents=True, exist_ok=True)
        (prefix / "share/ament_index/resource_index/packages" / package).touch()
        for name in names:
            (prefix / "lib" / package / name).write_text(STUB)
            (prefix / "lib" / package / name).chmod(0o755)
    (prefix / "share/monodepth_ros/config").symlink_to(ROOT / "config")
    monkeypatch.setenv("AMENT_PREFIX_PATH", str(prefix))
    monkeypatch.setenv("STUB_NOTES", str(notes))
    for variable in (*PROFILES, "ROS_DISTRO"):
        monkeypatch.delenv(variable, raising=False)
    logging = pytest.importorskip("launch.logging", reason="no launch here (it is not on PyPI)")
    monkeypatch.setattr(logging.launch_config, "_log_dir", str(tmp_path))
    from launch import LaunchService

    def run(description, *others):
        monkeypatch.setenv("STUBS", " ".join(others))
        service = LaunchService(noninteractive=True)
        service.include_launch_description(description)
        exit_code = service.run()
        found = {path.name: Process(*json.loads(path.read_text())) for path in notes.iterdir()}
        for name in found:
            (notes / name).unlink()
        return exit_code, found

    return run
