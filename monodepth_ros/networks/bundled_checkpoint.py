# SPDX-License-Identifier: Apache-2.0
"""The checkpoint that comes with the package."""

from importlib import resources
from pathlib import Path

NAME = "demonstration.safetensors"


def bundled_checkpoint() -> Path:
    """The demonstration checkpoint: depth and pose in metres, learned from the synthetic world."""
    return Path(str(resources.files("monodepth_ros.networks.bundled"))) / NAME
