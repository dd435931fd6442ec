"""Relative motions into a trajectory: scale sources, gating, integration, covariance."""
