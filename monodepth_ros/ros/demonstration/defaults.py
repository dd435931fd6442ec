# SPDX-License-Identifier: Apache-2.0
"""What the demonstration uses when it is told nothing: the bundled checkpoint and a synthetic drive made once."""

from pathlib import Path

from monodepth_ros.cache_folder import cache_folder

DRIVE_SECONDS = 20.0
DRIVE_SEED = 1007  # not one of those the bundled checkpoint was taught with


def default_bag() -> Path:
    """The synthetic drive, made at the first call and kept."""
    from monodepth_ros.cli.main import main as monodepth

    path = cache_folder() / f"drive-{DRIVE_SEED}-{DRIVE_SECONDS:.0f}s.mcap"
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        print(f"making the synthetic drive {path}, once", flush=True)
        arguments = ["synth", "--out", str(path), "--seconds", str(DRIVE_SECONDS), "--seed", str(DRIVE_SEED)]
        if monodepth(arguments) != 0:
            raise SystemExit(1)
    return path
