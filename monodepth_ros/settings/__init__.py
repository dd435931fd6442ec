"""Configuration as dataclasses: declaration and checks, files, documentation."""
