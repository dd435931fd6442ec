# SPDX-License-Identifier: Apache-2.0
"""A plain depth node, written as such nodes usually are, for comparison.

It runs PyTorch in eager float32, infers in the subscription's callback, allocates new arrays for every frame and fills
messages from `bytes`. In its favour, it has the same networks and weights, decodes the finest disparity only, keeps the
previous image's tensor (or feature) for the pose network, and makes no output that is not compared. Its subscription
holds one image, because a queue of ten would add the latency of up to ten frames.

The camera must be a pinhole similar to the one that the networks were trained on, like the benchmark's.
"""

import argparse
import contextlib

import cv2
import numpy as np
import rclpy
import torch
from nav_msgs.msg import Odometry
from rclpy.node import Node
from rclpy.qos import HistoryPolicy, QoSProfile, ReliabilityPolicy
from sensor_msgs.msg import CameraInfo, CompressedImage, Image, PointCloud2, PointField

from monodepth_ros.networks.checkpoints.checkpoint import load_checkpoint

SENSOR = QoSProfile(depth=1, history=HistoryPolicy.KEEP_LAST, reliability=ReliabilityPolicy.BEST_EFFORT)
OUTPUTS = ("depth", "cloud", "odometry")


class PlainNode(Node):
    """A node that computes depth/image and depth/camera_info, depth/points and odom from image and camera_info."""

    def __init__(self, checkpoint: str, compressed: bool, outputs: list[str]):
        super().__init__("plain_node")
        loaded = load_checkpoint(checkpoint)
        self.header, self.depth, self.pose = loaded.header, loaded.depth.eval(), loaded.pose
        self.outputs = outputs
        self.info = None
        self.previous = None
        self.T_world_camera = np.eye(4)
        self.depth_publisher = self.create_publisher(Image, "depth/image", 10)
        self.info_publisher = self.create_publisher(CameraInfo, "depth/camera_info", 10)
        self.cloud_publisher = self.create_publisher(PointCloud2, "depth/points", 10)
        self.odometry_publisher = self.create_publisher(Odometry, "odom", 10)
        self.create_subscription(CameraInfo, "camera_info", self.take_info, SENSOR)
        if compressed:
            self.create_subscription(CompressedImage, "image/compressed", self.take_image, SENSOR)
        else:
            self.create_subscription(Image, "image", self.take_image, SENSOR)

    def take_info(self, message: CameraInfo) -> None:
        """Keep the calibration for the following images."""
        self.info = message

    def take_image(self, message: CompressedImage | Image) -> None:
        """Infer an image and publish the outputs."""
        if self.info is None:
            return
        width, height = self.header.width, self.header.height
        if isinstance(message, CompressedImage):
            rgb = cv2.cvtColor(cv2.imdecode(np.frombuffer(message.data, np.uint8), cv2.IMREAD_COLOR), cv2.COLOR_BGR2RGB)
        else:
            rgb = np.frombuffer(message.data, np.uint8).reshape(message.height, message.width, 3)
        resized = cv2.resize(rgb, (width, height), interpolation=cv2.INTER_AREA)
        image = torch.from_numpy(resized.transpose(2, 0, 1).astype(np.float32) / 255.0).unsqueeze(0)
        with torch.no_grad():
            features = self.depth.encode(image)
            disparity = self.depth.decode(features, (0,))[0]
        low, high = 1.0 / self.header.max_depth, 1.0 / self.header.min_depth
        depth = self.header.scale_factor / (low + (high - low) * disparity.squeeze().numpy())
        self.publish_depth(depth, message.header)
        if "cloud" in self.outputs:
            self.publish_cloud(depth, resized, message.header)
        if "odometry" in self.outputs:
            self.publish_odometry(image, features[-1], (self.header.scale_factor / depth).mean(), message.header)

    def publish_depth(self, depth: np.ndarray, header) -> None:
        """Publish depth (H, W) [m] and its camera_info."""
        height, width = depth.shape
        message = Image(header=header, height=height, width=width, encoding="32FC1", step=4 * width)
        message.data = depth.astype(np.float32).tobytes()
        self.depth_publisher.publish(message)
        info = CameraInfo(header=header, height=height, width=width, k=self.info.k, p=self.info.p, r=self.info.r)
        self.info_publisher.publish(info)

    def publish_cloud(self, depth: np.ndarray, rgb: np.ndarray, header) -> None:
        """Publish the coloured points of depth (H, W) [m] and an image (H, W, 3)."""
        height, width = depth.shape
        fx, fy = self.info.k[0] * width / self.info.width, self.info.k[4] * height / self.info.height
        cx, cy = self.info.k[2] * width / self.info.width, self.info.k[5] * height / self.info.height
        u, v = np.meshgrid(np.arange(width), np.arange(height))
        x, y = (u - cx) * depth / fx, (v - cy) * depth / fy
        color = rgb.astype(np.uint32)
        packed = (color[..., 0] << 16) | (color[..., 1] << 8) | color[..., 2]
        points = np.stack([x, y, depth, packed.view(np.float32)], axis=-1).astype(np.float32)
        fields = [
            PointField(name=n, offset=4 * i, datatype=PointField.FLOAT32, count=1)
            for i, n in enumerate(("x", "y", "z", "rgb"))
        ]
        message = PointCloud2(
            header=header, height=height, width=width, fields=fields, point_step=16, row_step=16 * width
        )
        message.data = points.tobytes()
        self.cloud_publisher.publish(message)

    def publish_odometry(self, image: torch.Tensor, feature: torch.Tensor, mean_inverse_depth: float, header) -> None:
        """Publish the pose after adding the pose network's motion from the previous image (1, 3, H, W)."""
        current = feature if self.pose.uses_depth_features else image
        if self.previous is not None:
            with torch.no_grad():
                axis_angle, translation = self.pose(self.previous, current)
            factor = mean_inverse_depth if self.pose.times_mean_inverse_depth else 1.0
            T_current_previous = np.eye(4)
            T_current_previous[:3, :3] = cv2.Rodrigues(axis_angle[0].numpy().astype(np.float64))[0]
            T_current_previous[:3, 3] = self.header.scale_factor * factor * translation[0].numpy()
            self.T_world_camera = self.T_world_camera @ np.linalg.inv(T_current_previous)
        self.previous = current
        message = Odometry(header=header, child_frame_id=header.frame_id)
        position = message.pose.pose.position
        position.x, position.y, position.z = (float(value) for value in self.T_world_camera[:3, 3])
        w = np.sqrt(max(1e-12, 1.0 + np.trace(self.T_world_camera[:3, :3]))) / 2.0
        R, orientation = self.T_world_camera, message.pose.pose.orientation
        orientation.w, orientation.x = float(w), float((R[2, 1] - R[1, 2]) / (4 * w))
        orientation.y, orientation.z = float((R[0, 2] - R[2, 0]) / (4 * w)), float((R[1, 0] - R[0, 1]) / (4 * w))
        self.odometry_publisher.publish(message)


def main() -> None:
    """Spin until interrupted."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--checkpoint", required=True)
    parser.add_argument("--compressed", action="store_true")
    parser.add_argument("--outputs", nargs="+", choices=OUTPUTS, default=["depth"])
    options = parser.parse_args()
    rclpy.init()
    with contextlib.suppress(KeyboardInterrupt, rclpy.executors.ExternalShutdownException):
        rclpy.spin(PlainNode(options.checkpoint, options.compressed, options.outputs))


if __name__ == "__main__":
    main()
