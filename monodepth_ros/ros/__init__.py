"""Nodes, messages, parameters and TF: the only place that imports rclpy or a message package."""
