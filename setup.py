# SPDX-License-Identifier: Apache-2.0
"""Everything but the version stands in setup.cfg; package.xml states the version for pip, too."""

from pathlib import Path
from xml.etree import ElementTree

from setuptools import setup

manifest = Path(__file__).with_name("package.xml")
setup(version=ElementTree.parse(manifest).getroot().findtext("version").strip())
