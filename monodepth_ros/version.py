# SPDX-License-Identifier: Apache-2.0
"""The one place in Python that states the package's version (a test holds package.xml and setup.cfg to it)."""

__version__ = "0.1.0"
