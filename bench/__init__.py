"""Benchmarks, run through scripts/bench: not installed, no part of the package."""
