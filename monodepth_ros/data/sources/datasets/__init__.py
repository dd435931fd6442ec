# SPDX-License-Identifier: Apache-2.0
"""Folders laid out like well-known data sets, one reader per file; recognise.py finds which one a folder is."""
