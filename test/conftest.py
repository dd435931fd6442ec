"""Fixtures that every test may use."""

import os
from pathlib import Path

import pytest

# Set before anything imports rclpy: no test may speak to other machines.
os.environ["ROS_AUTOMATIC_DISCOVERY_RANGE"] = "LOCALHOST"


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
