# SPDX-License-Identifier: Apache-2.0
"""The files of the project's folder config/, wherever this copy of the package has them."""

from pathlib import Path

from monodepth_ros.errors import MonodepthError

NAMES = ("depth.yaml", "train.yaml", "depth.rviz", "fastdds_large_messages.xml")


def config_file(name: str) -> Path:
    """Path of one of NAMES: in the package where pip installed it, in the checkout, or in ROS's share folder.

    MonodepthError if the file is nowhere.
    """
    package = Path(__file__).parent
    prefixes = [above / "share" / "monodepth_ros" for above in package.parents]
    for folder in (package, Path(__file__).resolve().parents[1], *prefixes):
        path = folder / "config" / name
        if path.is_file():
            return path
    raise MonodepthError(f"{name} is not installed with {package}: install the package again")
