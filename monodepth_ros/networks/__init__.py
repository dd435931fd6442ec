"""Depth and pose networks, and the reading and writing of their checkpoints."""
