# SPDX-License-Identifier: Apache-2.0
"""The default recording of the demonstration: a synthetic drive that is made once."""

from pathlib import Path

from monodepth_ros.cache_folder import cache_folder
from monodepth_ros.cli.main import main as monodepth
from monodepth_ros.ros.demonstration.errors import DemoError

DRIVE_SECONDS = 20.0
DRIVE_SEED = 1007  # not one of the seeds that the bundled checkpoint was trained with


def default_bag() -> Path:
    """The synthetic drive, made at the first call and kept in the cache folder."""
    path = cache_folder() / f"drive-{DRIVE_SEED}-{DRIVE_SECONDS:.0f}s.mcap"
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        print(f"making the synthetic drive {path}, once", flush=True)
        arguments = ["synth", "--out", str(path), "--seconds", str(DRIVE_SECONDS), "--seed", str(DRIVE_SEED)]
        if monodepth(arguments) != 0:
            raise DemoError("the synthetic drive could not be made; the reason is in the message above")
    return path
