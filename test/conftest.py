# SPDX-License-Identifier: Apache-2.0
"""Fixtures that every test may use."""

import ast
import os
from pathlib import Path

import pytest
import torch

from monodepth_ros.ros.launch_arguments import SHARED_ARGUMENTS, Argument

LONGEST_ID = 60  # characters

# Set before anything imports rclpy: no test may speak to other machines.
os.environ["ROS_AUTOMATIC_DISCOVERY_RANGE"] = "LOCALHOST"
# Nor may tests that run at the same time hear each other: each worker of pytest-xdist has a domain of its own.
if worker := os.environ.get("PYTEST_XDIST_WORKER", "").removeprefix("gw"):
    first = int(os.environ.get("ROS_DOMAIN_ID", "1"))
    os.environ["ROS_DOMAIN_ID"] = str(1 + (first - 1 + 37 * int(worker)) % 100)
# A mistake of the command shows its traceback.
os.environ["MONODEPTH_DEBUG"] = "1"


def pytest_make_parametrize_id(config, val, argname):
    """Long texts and bytes name their case by their length alone: some hold the time at which they were made, and every
    worker must give a case the same name."""
    if isinstance(val, (str, bytes)) and (len(val) > LONGEST_ID or isinstance(val, bytes)):
        return f"{argname}_{len(val)}"
    return None


def pytest_runtest_setup(item):
    if item.get_closest_marker("cuda") and not torch.cuda.is_available():
        pytest.skip("no CUDA device")


@pytest.fixture(scope="session", autouse=True)
def cache_of_its_own(tmp_path_factory):
    """Neither does a test find what an earlier session left in the cache, nor does it leave anything there."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.mktemp("cache")))
        yield


@pytest.fixture(scope="session")
def monodepth_data() -> Path:
    """The folder of real recordings and weights; they are not part of the project (their licences forbid it)."""
    default = Path(__file__).resolve().parents[1].parent / "shared" / "data"
    folder = Path(os.environ.get("MONODEPTH_DATA") or default)
    if not folder.is_dir():
        pytest.skip(f"no real data: set MONODEPTH_DATA (looked in {folder})")
    return folder


@pytest.fixture
def linked(tmp_path):
    """A folder like another one, of links: what is kept beside a recording then does not get into the real data."""

    def link(folder: Path) -> Path:
        made = tmp_path / "linked" / folder.name
        made.mkdir(parents=True)
        for entry in folder.iterdir():
            (made / entry.name).symlink_to(entry)
        return made

    return link


@pytest.fixture(scope="session")
def launch_arguments():
    """A function that gives the arguments of a launch file by name, also where launch is not installed."""

    def read(launch_file: Path) -> dict[str, Argument]:
        calls = [node for node in ast.walk(ast.parse(launch_file.read_text())) if isinstance(node, ast.Call)]
        (declared,) = [call.args[0] for call in calls if getattr(call.func, "id", "") == "declare"]
        code = compile(ast.Expression(declared), str(launch_file), "eval")
        return eval(code, {"Argument": Argument, "SHARED_ARGUMENTS": SHARED_ARGUMENTS})

    return read
