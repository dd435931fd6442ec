# SPDX-License-Identifier: Apache-2.0
"""Stages of a frame for `scripts/bench stages`: from the JPEG to the messages of depth and cloud."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
from sensor_msgs.msg import CompressedImage
from std_msgs.msg import Header

from bench.arguments import KITTI_CAMERA
from monodepth_ros.data.images.image_codec import ImageDecoder, to_rgb
from monodepth_ros.geometry.camera import CameraModel
from monodepth_ros.networks.disparity import scale_disparity
from monodepth_ros.odometry.scale.source import ScaleEstimate, ScaleKind
from monodepth_ros.pictures.color_picture import color_picture
from monodepth_ros.pipeline.config import CloudConfig, DepthConfig
from monodepth_ros.pipeline.depth_image import depth_from_disparity, depth_statistics
from monodepth_ros.pipeline.frame import FrameResult
from monodepth_ros.pipeline.network_view import view_through
from monodepth_ros.pipeline.point_cloud import colored_points
from monodepth_ros.ros.live.outputs import DepthOutputs

CLOUD = ("cloud, points", "cloud, message and publish")
LENS = (-0.2, 0.05, 0.0, 0.0, 0.0)  # plumb_bob


def frame_stages(
    outputs: DepthOutputs, message: CompressedImage, camera: CameraModel, size: tuple[int, int]
) -> dict[str, Callable[[], object]]:
    """The stages by name.

    message: image of `camera`. size: of the network's input. Disparity is a gradient of that size.
    """
    width, height = size
    decoder = ImageDecoder()
    pixels = decoder.decode(message)
    view = view_through(camera, KITTI_CAMERA, width, height, "area")
    distorted = view_through(replace(camera, D=np.array(LENS)), KITTI_CAMERA, width, height, "area")
    ranges, cloud_ranges = DepthConfig(), CloudConfig()
    disparity = np.linspace(0.01, 0.5, width * height, dtype=np.float32).reshape(height, width)
    rgb = to_rgb(view.resampler(pixels.array), pixels.layout)
    header = Header(frame_id="camera_optical")

    def make_depth():
        return depth_from_disparity(scale_disparity(disparity, 0.1, 100.0), 5.4, ranges.min_range, ranges.max_range)

    depth = make_depth()

    def make_points():
        return colored_points(depth, rgb, view.camera, 1, cloud_ranges.min_range, cloud_ranges.max_range)

    points, is_dense = make_points()
    result = FrameResult(1, view.camera, view, False, ScaleEstimate(5.4, ScaleKind.CHECKPOINT, "stated"))
    with_depth = replace(result, depth=depth)
    with_cloud = replace(result, cloud=points, cloud_is_dense=is_dense)
    points_stage, message_stage = CLOUD
    return {
        "JPEG": lambda: decoder.decode(message),
        "crop, resize": lambda: to_rgb(view.resampler(pixels.array), pixels.layout),
        "rectify, crop, resize": lambda: to_rgb(distorted.resampler(pixels.array), pixels.layout),
        "depth image": make_depth,
        "depth image, message and publish": lambda: outputs.publish(with_depth, header, ranges),
        "statistics": lambda: depth_statistics(depth),
        "colour picture": lambda: color_picture(depth),
        points_stage: make_points,
        message_stage: lambda: outputs.publish(with_cloud, header, ranges),
        "depth/points, no subscriber": lambda: outputs.demand(False),
    }
