"""What happens to one frame, live or offline, and its configuration."""
