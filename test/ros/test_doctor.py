# SPDX-License-Identifier: Apache-2.0
"""The part of `monodepth doctor` that uses a real ROS 2."""

import rclpy

from monodepth_ros.doctor.check import Level
from monodepth_ros.doctor.ros_environment import ros_checks


def test_nodes_of_one_name_are_named_and_large_images_are_counted():
    context = rclpy.Context()
    context.init()
    nodes = [rclpy.create_node("twin", context=context) for _ in range(2)]
    try:
        found = list(ros_checks())
    finally:
        for node in nodes:
            node.destroy_node()
        context.try_shutdown()
    assert not [check for check in found if check.level is Level.ERROR]
    checks = {check.subject: check for check in found}
    assert {"ros", "ros variables", "ros messages", "shared memory", "ros log"} <= set(checks)
    assert " of 30 of 1920x1080 arrived" in checks["large images"].found
    assert checks["ros nodes"].level is Level.WARNING
    assert "several of one name: /twin" in checks["ros nodes"].found
