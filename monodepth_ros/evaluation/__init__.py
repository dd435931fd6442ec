"""Depth and trajectory metrics, and reports."""
