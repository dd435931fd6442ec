# SPDX-License-Identifier: Apache-2.0
"""The checkpoint that is installed with the package, and its name."""

from importlib import resources
from pathlib import Path

BUNDLED_NAME = "demonstration"
"""Name of the bundled checkpoint; accepted by `load_checkpoint`, and so wherever a checkpoint's path is."""

BUNDLED_TITLE = f"{BUNDLED_NAME} (bundled, learned from synthetic streets)"
"""The bundled checkpoint and what it is, for logs, diagnostics and reports."""

NO_CHECKPOINT = f"no checkpoint given: running the bundled {BUNDLED_NAME!r}, learned from synthetic streets"
"""Warning for a node or command that was given no checkpoint."""


def bundled_checkpoint() -> Path:
    """Path of the bundled checkpoint: depth and pose in metres, trained on the synthetic world."""
    return Path(str(resources.files("monodepth_ros.networks.checkpoints.bundled"))) / f"{BUNDLED_NAME}.safetensors"
