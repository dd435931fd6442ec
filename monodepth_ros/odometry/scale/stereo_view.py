# SPDX-License-Identifier: Apache-2.0
"""Depth in metres of a camera's view, from the image of a second camera that is mounted beside it."""

import math
from typing import NamedTuple

import cv2
import numpy as np

from monodepth_ros.data.images.image_codec import Pixels, to_gray
from monodepth_ros.errors import MonodepthError
from monodepth_ros.geometry.camera import CameraModel
from monodepth_ros.geometry.motion import make_transform
from monodepth_ros.geometry.resample import Resampler

# Width of the images that are compared [pixels]; finer ones cost more and did not improve the scale.
WIDTH = 640
# The largest disparity that is searched for, as a share of the width.
NEAREST = 1 / 4
# Smaller disparities [pixels] say little about the distance.
MIN_DISPARITY = 3.0
# Disparity is measured where the image changes along the baseline [grey levels per pixel]; elsewhere it is a guess.
MIN_GRADIENT = 4.0
# Rays of the view this far off the pair's common axis cannot be compared (cosine).
MIN_COSINE = 0.3
MIN_BASELINE = 0.005  # metres
SGBM_BLOCK = 5


class StereoError(MonodepthError):
    """Two cameras that are no stereo pair."""


class StereoDepth(NamedTuple):
    """Depth along the view's axis [m] at rows and columns of the view, with the disparity there [pixels]; each (N,)."""

    rows: np.ndarray
    columns: np.ndarray
    depth: np.ndarray
    disparity: np.ndarray


def rectified_baseline(own: CameraModel, partner: CameraModel) -> np.ndarray | None:
    """T_own_partner (4, 4) in rectified axes from the two projections of a calibrated pair; None if they state none."""
    own_place, partner_place = (-np.linalg.solve(camera.P[:, :3], camera.P[:, 3]) for camera in (own, partner))
    baseline = partner_place - own_place
    return make_transform(np.eye(3), baseline) if np.linalg.norm(baseline) >= MIN_BASELINE else None


def in_rectified_axes(T_own_partner: np.ndarray, own: CameraModel, partner: CameraModel) -> np.ndarray:
    """A transform between the frames of two cameras (4, 4), as one between their rectified axes."""
    rotation = own.R @ T_own_partner[:3, :3] @ partner.R.T
    return make_transform(rotation, own.R @ T_own_partner[:3, 3])


class StereoView:
    """Measures the depth of `view`, a pinhole in the rectified axes of the camera `own`, with the camera `partner`.

    T_own_partner (4, 4): the partner's place, in the rectified axes of both. The images of both are rendered as two
    cameras side by side would see them, whatever the direction of the baseline. Raises StereoError if the cameras are
    too close together, or do not look in about the same direction across the baseline.
    """

    def __init__(self, view: CameraModel, own: CameraModel, partner: CameraModel, T_own_partner: np.ndarray):
        self._baseline = float(np.linalg.norm(T_own_partner[:3, 3]))
        if self._baseline < MIN_BASELINE:
            raise StereoError(f"the two cameras are {1e3 * self._baseline:.0f} mm apart: that is no stereo pair")
        R_own_pair = _pair_axes(T_own_partner)
        edges = np.array([(u, v) for u in (-0.5, view.width - 0.5) for v in (-0.5, view.height - 0.5)])
        rays = view.backproject(edges, np.ones(4)) @ R_own_pair
        if (rays[:, 2] < MIN_COSINE * np.linalg.norm(rays, axis=1)).any():
            raise StereoError("the baseline points into the view of a camera, or the cameras look in other directions")
        bounds = rays[:, :2] / rays[:, 2:]
        low, size = bounds.min(axis=0), np.ptp(bounds, axis=0)
        self._focal = min(float(own.P[0, 0]), WIDTH / float(size[0]))
        width, height = (max(16, round(self._focal * float(side))) for side in size)
        centre = -self._focal * low - 0.5
        K = np.array([[self._focal, 0, centre[0]], [0, self._focal, centre[1]], [0, 0, 1]])
        self._own = Resampler(own, CameraModel(width, height, K=K, R=R_own_pair))
        self._partner = Resampler(partner, CameraModel(width, height, K=K, R=T_own_partner[:3, :3].T @ R_own_pair))
        if min(self._own.coverage, self._partner.coverage) < 0.05:
            raise StereoError("the views of the two cameras do not overlap")
        self._place_in(view, R_own_pair)
        count = 16 * math.ceil(NEAREST * width / 16)
        self._matcher = cv2.StereoSGBM.create(
            minDisparity=0,
            numDisparities=count,
            blockSize=SGBM_BLOCK,
            P1=8 * SGBM_BLOCK**2,
            P2=32 * SGBM_BLOCK**2,
            disp12MaxDiff=1,
            uniquenessRatio=10,
            speckleWindowSize=50,
            speckleRange=2,
            mode=cv2.STEREO_SGBM_MODE_SGBM_3WAY,
        )

    def _place_in(self, view: CameraModel, R_own_pair: np.ndarray) -> None:
        """The pixel of the view on each ray, which no depth moves as both have one centre, and the ray's z there."""
        target = self._own.target
        u, v = np.meshgrid(np.arange(target.width), np.arange(target.height))
        ones = np.ones(u.shape)
        rays = np.stack([(u - target.cx) / target.fx, (v - target.cy) / target.fy, ones], axis=-1) @ R_own_pair.T
        places = view.project(rays)
        self._rows, self._columns = np.rint(np.nan_to_num(places[..., ::-1], nan=-1.0)).astype(int).transpose(2, 0, 1)
        self._ray_z = rays[..., 2]
        inside = (self._columns >= 0) & (self._columns < view.width) & (self._rows >= 0) & (self._rows < view.height)
        self._is_comparable = inside if self._own.valid is None else inside & self._own.valid

    def measure(self, own: Pixels, partner: Pixels) -> StereoDepth:
        """The depth from two images of the same moment."""
        left, right = (
            resampler(to_gray(pixels.array, pixels.layout))
            for resampler, pixels in ((self._own, own), (self._partner, partner))
        )
        disparity = self._matcher.compute(left, right).astype(np.float32) / 16
        gradient = np.abs(cv2.Sobel(left, cv2.CV_32F, 1, 0, ksize=3, scale=1 / 8))
        found = self._is_comparable & (disparity >= MIN_DISPARITY) & (gradient >= MIN_GRADIENT)
        rows, columns = np.nonzero(found)
        if self._partner.valid is not None:
            there = np.rint(columns - disparity[rows, columns]).astype(int)
            seen = (there >= 0) & self._partner.valid[rows, there.clip(0)]
            rows, columns = rows[seen], columns[seen]
        there = disparity[rows, columns]
        depth = self._focal * self._baseline / there * self._ray_z[rows, columns]
        return StereoDepth(self._rows[rows, columns], self._columns[rows, columns], depth, there)


def _pair_axes(T_own_partner: np.ndarray) -> np.ndarray:
    """R_own_pair (3, 3): x from the camera to its partner, z as far as possible along the axes of both."""
    x = T_own_partner[:3, 3] / np.linalg.norm(T_own_partner[:3, 3])
    forward = np.array([0.0, 0.0, 1.0]) + T_own_partner[:3, 2]
    z = forward - (forward @ x) * x
    length = np.linalg.norm(z)
    if length < MIN_COSINE:
        raise StereoError("the baseline points into the view of a camera, or the cameras look in other directions")
    z = z / length
    return np.column_stack([x, np.cross(z, x), z])
