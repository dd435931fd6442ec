"""What the demonstration uses when it is told nothing: the bundled checkpoint and a synthetic drive made once."""

import os
from importlib import resources
from pathlib import Path

BUNDLED_CHECKPOINT = "demonstration.safetensors"
DRIVE_SECONDS = 20.0
DRIVE_SEED = 7


def default_checkpoint() -> Path:
    """The checkpoint that comes with the package."""
    return Path(str(resources.files("monodepth_ros.checkpoints"))) / BUNDLED_CHECKPOINT


def cache_folder() -> Path:
    """Where things that can be made again are kept."""
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base) / "monodepth_ros"
