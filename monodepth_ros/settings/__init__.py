# SPDX-License-Identifier: Apache-2.0
"""Configuration as dataclasses: how settings are declared, checked, read from files and documented."""
