"""Pictures for people: sheets, charts, clouds, trajectories."""
