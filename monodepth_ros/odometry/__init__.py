# SPDX-License-Identifier: Apache-2.0
"""Relative motions into a trajectory: scale sources, gating, integration, covariance."""
