"""What scripts/demo shows: its defaults, the client that listens, the report."""
