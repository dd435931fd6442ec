"""ROS parameters from the configuration dataclass: declaration, checks, documentation."""
