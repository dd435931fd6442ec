# SPDX-License-Identifier: Apache-2.0
"""Stages of odometry and of the search for the ground for `scripts/bench stages`, on a sequence of images."""

import argparse
import itertools
from collections.abc import Callable

import numpy as np

from bench.arguments import KITTI_CAMERA
from monodepth_ros.data.images.image_codec import Pixels, to_rgb
from monodepth_ros.geometry.camera import CameraModel
from monodepth_ros.inference.config import EngineConfig
from monodepth_ros.inference.create_engine import create_engine
from monodepth_ros.networks.checkpoints.bundled_checkpoint import bundled_checkpoint
from monodepth_ros.networks.disparity import scale_disparity
from monodepth_ros.odometry.checks import image_check
from monodepth_ros.odometry.config import OdometryConfig
from monodepth_ros.odometry.features.feature_odometry import FeatureOdometry
from monodepth_ros.odometry.scale.ground_plane import find_ground
from monodepth_ros.pipeline.network_view import NetworkView, view_through
from monodepth_ros.pipeline.tracking_view import TrackingView


def motion_stages(
    sequence: list[Pixels], camera: CameraModel, options: argparse.Namespace
) -> dict[str, Callable[[], object]]:
    """The stages by name; each call takes the next image of the sequence, forwards and backwards in turns.

    camera: of the images. options: size of the network's input, and the checkpoint whose depth is used.
    """
    engine = create_engine(options.checkpoint or bundled_checkpoint(), EngineConfig(device="cpu"))
    header = engine.header
    view = view_through(camera, KITTI_CAMERA, *options.size, "area")
    own_view = view_through(camera, header.training_camera, header.width, header.height, header.filter)

    def rgb_of(pixels: Pixels, view: NetworkView) -> np.ndarray:
        return to_rgb(view.resampler(pixels.array), pixels.layout)

    def inverse_depth(pixels: Pixels) -> np.ndarray:
        disparity = engine.disparity(engine.load_image(rgb_of(pixels, own_view)))
        return scale_disparity(disparity, header.min_depth, header.max_depth)

    frames = [(pixels, rgb_of(pixels, view), inverse_depth(pixels)) for pixels in sequence]
    engine.release()
    frames += frames[-2:0:-1]
    of_check, of_features, of_ground = (itertools.cycle(frames) for _ in range(3))
    small, large = TrackingView(view, header.filter, image_check.WIDTH), TrackingView(view, header.filter)
    check = image_check.ImageCheck()
    features = FeatureOdometry(large.camera, OdometryConfig().max_points)

    def check_image():
        pixels, rgb, _ = next(of_check)
        check.update(small.render(pixels, rgb))

    def track_features():
        pixels, rgb, depth = next(of_features)
        features.update(large.render(pixels, rgb), depth)

    def search_ground():
        _, _, depth = next(of_ground)
        find_ground(depth, own_view.camera)

    return {
        "odometry, image check": check_image,
        "odometry, features": track_features,
        "scale, ground search": search_ground,
    }
