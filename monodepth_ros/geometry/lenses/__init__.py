# SPDX-License-Identifier: Apache-2.0
"""Lens distortion: the models by name, and their equations."""
