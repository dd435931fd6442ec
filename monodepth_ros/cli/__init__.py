# SPDX-License-Identifier: Apache-2.0
"""The `monodepth` command and its verbs."""
