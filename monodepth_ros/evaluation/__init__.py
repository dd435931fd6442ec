"""Depth and trajectory metrics."""
