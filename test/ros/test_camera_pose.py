# SPDX-License-Identifier: Apache-2.0
"""The executable `camera_pose` beside a real node: a robot without URDF gets the odometry of its base."""

import numpy as np
import pytest
import rclpy
from geometry_msgs.msg import TransformStamped
from rclpy.executors import SingleThreadedExecutor
from tf2_msgs.msg import TFMessage

from monodepth_ros.geometry.motion import exp_se3, invert
from monodepth_ros.pipeline.robot_inputs.camera_pose import parse_pose
from monodepth_ros.ros import camera_placement
from monodepth_ros.ros.camera_placement import CameraPlacement
from monodepth_ros.ros.camera_pose import main
from monodepth_ros.ros.frame_tree import TF_STATIC_QOS

SECOND = 1_000_000_000
TENTH = SECOND // 10
STEP = exp_se3(np.array([0.0, 0.0, 0.5, 0.0, 0.0, 0.0]))  # half a metre ahead


@pytest.fixture
def place():
    """A function that makes the node of `camera_pose`, and one that lets it work."""
    context = rclpy.Context()
    rclpy.init(context=context)
    executor = SingleThreadedExecutor(context=context)
    nodes = []

    def make(*poses):
        placement = CameraPlacement("base_link", [parse_pose(pose) for pose in poses], context=context)
        nodes.append(placement)
        executor.add_node(placement)

        def work():
            executor.spin_once(timeout_sec=0.01)
            placement.place()

        return placement, work

    yield make
    executor.shutdown()
    for node in nodes:
        node.destroy_node()
    context.try_shutdown()


@pytest.mark.parametrize("tree", ["", "camera_link"])
def test_the_base_of_a_robot_without_urdf_moves(harness, pose_checkpoint, place, tree, monkeypatch):
    monkeypatch.setattr(camera_placement, "TREE_TIMEOUT", 0.3)
    node = harness(
        pose_checkpoint, base_frame="auto", scale__source="fixed", scale__factor=1.0, listen=("odom", "depth/image")
    )
    node.engine.motion = lambda earlier, later: invert(STEP)
    node.send_info()
    if tree:  # as a driver publishes it; the camera is in the body's axes here
        item = TransformStamped(child_frame_id="camera_optical")
        item.header.frame_id, item.transform.rotation.w = tree, 1.0
        driver = node.client.create_publisher(TFMessage, "/tf_static", TF_STATIC_QOS)
        driver.publish(TFMessage(transforms=[item]))
    # Turned left by 90 degrees: the camera's way ahead (or up, in the body's axes) is the robot's left (or up).
    placement, work = place("0.2,0,0.9,0,0,1.5707963267948966")
    stamps = iter(range(SECOND, 1000 * SECOND, TENTH))

    def moves_base():
        work()
        if not tree or placement.tree.parent_of("camera_optical"):
            node.send(next(stamps))
        return placement.transforms and node.received["odom"][-1].child_frame_id == "base_link"

    node.wait(moves_base, message="no base_link")
    position = node.received["odom"][-1].pose.pose.position
    ahead = position.z if tree else position.y
    assert ahead > 0.4 and abs(position.x) < 1e-6, position
    frame = tree or "camera_optical"
    parent = node.stream.odometry_output.transforms.tree.parent_of(frame)
    assert parent == ("base_link", True)


def test_a_pose_that_cannot_be_read_is_one_line_and_exit_code_2(capfd):
    assert main(["1,2,3"]) == 2
    assert capfd.readouterr().err == (
        "camera_pose: camera pose '1,2,3': expected x,y,z,roll,pitch,yaw [m, rad], such as 0.2,0,0.9,0,0.1,0\n"
    )
