# SPDX-License-Identifier: Apache-2.0
"""Checkpoint files: header, reading, writing, formats of others, the bundled checkpoint."""
