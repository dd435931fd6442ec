# SPDX-License-Identifier: Apache-2.0
"""Nodes, messages, parameters and TF: the only place that imports rclpy or a message package."""
