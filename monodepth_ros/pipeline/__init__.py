# SPDX-License-Identifier: Apache-2.0
"""The processing of one frame, live or offline, and its configuration."""
