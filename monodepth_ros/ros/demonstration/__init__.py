# SPDX-License-Identifier: Apache-2.0
"""What scripts/demo shows: its defaults, the client that listens, the report."""
