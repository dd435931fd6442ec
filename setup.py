# SPDX-License-Identifier: Apache-2.0
"""The rest stands in setup.cfg; package.xml states the version for pip, too."""

from pathlib import Path
from xml.etree import ElementTree

from setuptools import find_packages, setup

manifest = Path(__file__).with_name("package.xml")
setup(
    version=ElementTree.parse(manifest).getroot().findtext("version").strip(),
    packages=[*find_packages(include=["monodepth_ros", "monodepth_ros.*"]), "monodepth_ros.config"],
    # The parameter files and profiles, which ROS installs into share/.
    package_dir={"monodepth_ros.config": "config"},
)
