# SPDX-License-Identifier: Apache-2.0
"""Tracks of points in space through a known lens."""

import numpy as np

from monodepth_ros.calibration.lens import Lens
from monodepth_ros.calibration.tracks import Segment
from monodepth_ros.geometry.motion import exp_se3, invert

LENS = Lens(640, 480, focal=500.0, cx=325.0, cy=236.0, k1=-0.24, k2=0.07, p1=5e-4, p2=-4e-4, k3=-0.01)
PINHOLE = Lens(640, 480, focal=500.0, cx=325.0, cy=236.0)
STRAIGHT = (0.0, 0.0, 0.3, 0.0, 0.0, 0.0)
TURN = (0.0, 0.0, 0.3, 0.004, 0.03, 0.006)


def poses_of(twist, frames):
    """T_world_camera (F, 4, 4) of a camera that moves by this twist from frame to frame."""
    return np.stack([exp_se3(frame * np.array(twist)) for frame in range(frames)])


def tracks(lens, twist, *, frames=14, points=250, noise=0.0, seed=0):
    """The points' pixels in all frames that see them, with normal noise [pixels]; and the poses."""
    rng = np.random.default_rng(seed)
    poses = poses_of(twist, frames)
    hosts = rng.integers(0, frames, points)
    rays = Lens.rays(lens, rng.uniform((5, 5), (lens.width - 5, lens.height - 5), (points, 2)))
    local = np.column_stack([rays, np.ones(points)]) * rng.uniform(4.0, 30.0, points)[:, None]
    world = np.einsum("pij,pj->pi", poses[hosts, :3, :3], local) + poses[hosts, :3, 3]
    rows = []
    for frame, pose in enumerate(poses):
        T_camera_world = invert(pose)
        pixels = lens.camera().project(world @ T_camera_world[:3, :3].T + T_camera_world[:3, 3])
        inside = ((pixels > 0) & (pixels < (lens.width - 1, lens.height - 1))).all(axis=1)
        rows += [(point, frame, *pixels[point]) for point in np.flatnonzero(inside)]
    table = np.array(sorted(rows))
    point, frame = table[:, 0].astype(int), table[:, 1].astype(int)
    pixel = table[:, 2:] + noise * rng.normal(size=(len(table), 2))
    return Segment(point, frame, pixel, points, frames).select(np.ones(len(table), bool))[0], poses
