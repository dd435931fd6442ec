# SPDX-License-Identifier: Apache-2.0
"""The version of this package. package.xml is the one file that states it."""

import re
from importlib.metadata import distributions
from pathlib import Path

NAME = "monodepth_ros"
# What a copy of the folder has that neither pip nor colcon has installed.
UNKNOWN = "0+unknown"


def find_version(package: Path) -> str:
    """Version of the package in the folder `package`, however it got there: checkout, colcon, pip; else UNKNOWN."""
    manifests = [package.parent / "package.xml"]  # a checkout, also one that pip install -e links to
    manifests += [prefix / "share" / NAME / "package.xml" for prefix in package.parents]  # colcon and apt
    for path in manifests:
        if found := _stated_in(path):
            return found
    # Only what lies beside the package: another install of the same name may have another version.
    return next((found.version for found in distributions(name=NAME, path=[str(package.parent)])), UNKNOWN)


def _stated_in(path: Path) -> str:
    """The version in a package.xml of this package; empty if there is none."""
    if not path.is_file():
        return ""
    text = path.read_text(encoding="utf-8")
    name, version = re.search(r"<name>\s*([^<\s]+)", text), re.search(r"<version[^>]*>\s*([^<\s]+)", text)
    return version[1] if name and version and name[1] == NAME else ""


__version__ = find_version(Path(__file__).parent)
