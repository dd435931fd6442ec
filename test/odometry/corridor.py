# SPDX-License-Identifier: Apache-2.0
"""A corridor of textured planes: rendered images and exact depth."""

import cv2
import numpy as np

from monodepth_ros.geometry.motion import exp_se3
from monodepth_ros.odometry.features.tracking_camera import TrackingCamera

CAMERA = TrackingCamera(480, 160, 280.0, 280.0, 239.5, 79.5)
GROUND, WALL, SIDE = 1.5, 30.0, 6.0  # camera's height, distance of the end wall and of the side walls [m]


def texture(seed, size=2048, finest=2):
    """Blobs of all sizes, for corners at any distance."""
    rng = np.random.default_rng(seed)
    image = np.zeros((size, size), np.float32)
    for level in range(finest, 9):
        noise = rng.normal(size=(size >> level, size >> level)).astype(np.float32)
        image += cv2.resize(noise, (size, size), interpolation=cv2.INTER_CUBIC)
    return cv2.normalize(image, None, 20, 235, cv2.NORM_MINMAX)


TEXTURES = [texture(seed) for seed in range(4)]
PIXELS_PER_METRE = 40.0


def render(T_world_camera, noise=1.0, seed=0):
    """Image (H, W) uint8 and exact inverse depth (H, W) of ground, end wall and two side walls."""
    v, u = np.mgrid[0 : CAMERA.height, 0 : CAMERA.width].astype(np.float64)
    rays = np.stack([(u - CAMERA.cx) / CAMERA.fx, (v - CAMERA.cy) / CAMERA.fy, np.ones_like(u)], axis=-1)
    rays = rays @ T_world_camera[:3, :3].T
    origin = T_world_camera[:3, 3]
    depths, samples = [], []
    for index, (axis, place) in enumerate([(1, GROUND), (2, WALL), (0, -SIDE), (0, SIDE)]):
        with np.errstate(divide="ignore"):
            depth = (place - origin[axis]) / rays[..., axis]
        depth = np.where(depth > 0.05, depth, np.inf)
        hit = origin + rays * np.where(np.isfinite(depth), depth, 0.0)[..., None]
        across, along = [hit[..., other] for other in range(3) if other != axis]
        places = [np.float32((x * PIXELS_PER_METRE) % 2040) for x in (across, along)]
        depths.append(depth)
        samples.append(cv2.remap(TEXTURES[index], *places, cv2.INTER_LINEAR))
    nearest = np.argmin(depths, axis=0)
    image = np.take_along_axis(np.array(samples), nearest[None], axis=0)[0]
    depth = np.take_along_axis(np.array(depths), nearest[None], axis=0)[0]
    image = image + np.random.default_rng(seed).normal(size=image.shape) * noise
    return np.clip(np.rint(image), 0, 255).astype(np.uint8), (1.0 / depth).astype(np.float32)


def steps_to_poses(*twists):
    """T_world_camera of a camera that starts at the origin and makes these motions."""
    poses = [np.eye(4)]
    for twist in twists:
        poses.append(poses[-1] @ exp_se3(np.array(twist)))
    return poses


CURVE = [(0.0, 0.0, 0.5, 0.0, 0.01 * np.sin(i / 4), 0.0) for i in range(24)]
