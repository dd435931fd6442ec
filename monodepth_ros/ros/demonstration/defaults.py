"""What the demonstration uses when it is told nothing: the bundled checkpoint and a synthetic drive made once."""

from importlib import resources
from pathlib import Path

from monodepth_ros.cache_folder import cache_folder

BUNDLED_CHECKPOINT = "demonstration.safetensors"
DRIVE_SECONDS = 20.0
DRIVE_SEED = 1007  # not one of those the bundled checkpoint was taught with


def default_checkpoint() -> Path:
    """The checkpoint that comes with the package."""
    return Path(str(resources.files("monodepth_ros.networks.bundled"))) / BUNDLED_CHECKPOINT


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
