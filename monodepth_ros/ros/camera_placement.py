# SPDX-License-Identifier: Apache-2.0
"""Static transforms from the robot's base to cameras, for stated poses."""

import time

import rclpy
from geometry_msgs.msg import TransformStamped
from rclpy.executors import SingleThreadedExecutor
from rclpy.node import Node
from rclpy.qos import qos_profile_sensor_data
from rclpy.signals import SignalHandlerOptions
from sensor_msgs.msg import CameraInfo
from tf2_msgs.msg import TFMessage

from monodepth_ros.errors import MonodepthError, one_line
from monodepth_ros.foreign_text import name_fault
from monodepth_ros.geometry.motion import rotation_to_quaternion
from monodepth_ros.pipeline.robot_inputs.camera_pose import PlacedFrame, StatedPose, placed_frame
from monodepth_ros.ros.end_request import EndRequest
from monodepth_ros.ros.frame_tree import TF_STATIC_QOS, FrameTree
from monodepth_ros.ros.log_folder import with_usable_log
from monodepth_ros.ros.node_log import node_log

# Time between the first image and the transform, in which the tree of the camera's driver may come [s].
TREE_TIMEOUT = 2.0
PERIOD = 0.1  # of looking [s]


def place_cameras(base: str, poses: list[StatedPose], arguments: list[str], end: EndRequest) -> None:
    """Publish the poses until `end` is set. arguments: may hold ROS arguments; MonodepthError for invalid ones."""
    try:
        rclpy.init(args=with_usable_log(arguments), signal_handler_options=SignalHandlerOptions.NO)
        node = CameraPlacement(base, poses)
    except Exception as error:  # rclpy's are about names and arguments
        rclpy.try_shutdown()
        raise MonodepthError(one_line(error)) from None
    executor = SingleThreadedExecutor()
    executor.add_node(node)
    while not end.is_set():
        executor.spin_once(timeout_sec=PERIOD)
        node.place()
    executor.shutdown(timeout_sec=1.0)
    node.destroy_node()
    rclpy.try_shutdown()


class CameraPlacement(Node):
    """Waits for the frame of each camera's images, and publishes the transform that puts it at its pose.

    Call `place` now and then. tree: the static frames heard of. transforms: those published so far.
    """

    def __init__(self, base: str, poses: list[StatedPose], **arguments):
        super().__init__("camera_pose", **arguments)
        self._base = base
        self._waiting = {pose.camera: pose for pose in poses}
        self._first_image: dict[str, tuple[str, float]] = {}
        self.tree = FrameTree(node_log(self).warnings("transform message"))
        self.transforms: list[TransformStamped] = []
        self._publisher = self.create_publisher(TFMessage, "/tf_static", TF_STATIC_QOS)
        self.create_subscription(
            TFMessage, "/tf_static", lambda message: self.tree.add(message, is_static=True), TF_STATIC_QOS
        )
        self._infos = {camera: self._listen(camera) for camera in self._waiting}

    def _listen(self, camera: str):
        # The node's own output has the frame of the images, whatever the camera's topics and transport are.
        topic = f"{camera}/depth/camera_info" if camera else "depth/camera_info"

        def receive(message: CameraInfo) -> None:
            frame = message.header.frame_id
            if frame and not name_fault(frame) and camera not in self._first_image:
                self._first_image[camera] = frame, time.monotonic()

        return self.create_subscription(CameraInfo, topic, receive, qos_profile_sensor_data)

    def place(self) -> None:
        """Publish the transforms of the cameras whose frame and tree are known by now."""
        now = time.monotonic()
        for camera, (frame, since) in list(self._first_image.items()):
            if camera in self._waiting and now - since >= TREE_TIMEOUT:
                self.destroy_subscription(self._infos.pop(camera))
                self._place(self._waiting.pop(camera), frame)

    def _place(self, pose: StatedPose, camera_frame: str) -> None:
        placed = placed_frame(pose.T_base_body, self._base, camera_frame, self.tree.parent_of)
        if placed is None:
            node_log(self).warning(f"camera_pose is not used: TF connects {camera_frame!r} with {self._base!r} already")
            return
        self.transforms.append(self._transform(placed))
        self._publisher.publish(TFMessage(transforms=self.transforms))
        node_log(self).info(f"{self._base} -> {placed.frame}: placed for images of {camera_frame}")

    def _transform(self, placed: PlacedFrame) -> TransformStamped:
        result = TransformStamped(child_frame_id=placed.frame)
        result.header.frame_id, result.header.stamp = self._base, self.get_clock().now().to_msg()
        t, r = result.transform.translation, result.transform.rotation
        t.x, t.y, t.z = (float(value) for value in placed.T_base_frame[:3, 3])
        r.x, r.y, r.z, r.w = (float(value) for value in rotation_to_quaternion(placed.T_base_frame[:3, :3]))
        return result
