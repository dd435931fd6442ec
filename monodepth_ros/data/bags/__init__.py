# SPDX-License-Identifier: Apache-2.0
"""Recordings in bags: files, topics, message types, reading and writing."""
