# SPDX-License-Identifier: Apache-2.0
"""Depth images of messages and files in metres, and depth of a camera's pixels from other sensors."""
