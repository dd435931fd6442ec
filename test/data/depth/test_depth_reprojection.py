# SPDX-License-Identifier: Apache-2.0
"""Depth of one camera at the pixels of another one: exact points, holes, and nothing that shows through."""

import numpy as np
import pytest

from monodepth_ros.data.depth.depth_reprojection import DepthReprojection
from monodepth_ros.geometry.camera import CameraModel
from monodepth_ros.geometry.motion import invert, make_transform
from monodepth_ros.synthetic.drive import MOUNT, Drive, mounted


def test_points_behind_a_nearer_surface_do_not_show_through_its_gaps():
    near_and_far = np.full((60, 80), 4.0, np.float32)
    near_and_far[20:40, 30:50] = 1.0
    source = CameraModel.pinhole(80, 60, 60.0, 60.0, 39.5, 29.5)
    target = CameraModel.pinhole(160, 120, 120.0, 120.0, 79.5, 59.5)
    found = DepthReprojection(source, target, make_transform(np.eye(3), (0.2, 0.0, 0.0)))(near_and_far)
    # The near square, moved by 24 pixels of the target, and nothing of the wall within it.
    inside = found[46:74, 90:118]
    assert np.isfinite(inside).mean() > 0.2 and np.nanmax(inside) == pytest.approx(1.0)
    assert np.nanmax(found) == pytest.approx(4.0)


def test_a_depth_camera_beside_the_colour_camera_sees_the_same_street():
    x, y, z = MOUNT
    colour, beside = (
        CameraModel.pinhole(160, 120, 116, 116, 79.5, 59.5),
        CameraModel.pinhole(106, 60, 52, 52, 52.5, 29.5),
    )
    cameras = {"colour": mounted(colour), "depth": mounted(beside, (x, y + 0.06, z))}
    drive = Drive(61, 1.0, cameras=cameras, traffic=False, changing_light=False)
    exact, measured = drive.frame(0, "colour"), drive.frame(0, "depth")
    T_colour_depth = invert(exact.T_world_camera) @ measured.T_world_camera
    found = DepthReprojection(beside, colour, T_colour_depth)(measured.depth)
    known = np.isfinite(found) & np.isfinite(exact.depth)
    error = np.abs(found[known] - exact.depth[known]) / exact.depth[known]
    assert known.mean() > 0.12, known.mean()
    assert np.median(error) < 0.01 and (error > 0.25).mean() < 0.02, (np.median(error), (error > 0.25).mean())
