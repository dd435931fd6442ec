# SPDX-License-Identifier: Apache-2.0
"""Configuration as dataclasses: declaration and checks, files, documentation."""
