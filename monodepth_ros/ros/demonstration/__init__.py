# SPDX-License-Identifier: Apache-2.0
"""The demonstration, scripts/demo: recording and checkpoint, processes, client, comparison and report."""
