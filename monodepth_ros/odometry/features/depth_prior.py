# SPDX-License-Identifier: Apache-2.0
"""The network's inverse depth at single points, with its uncertainty and slope."""

from dataclasses import dataclass

import cv2
import numpy as np

from monodepth_ros.odometry.features.tracking_camera import TrackingCamera

# Relative standard deviation of the network's inverse depth. The ground's is by far the smallest: the camera's height
# above it hardly changes, so its depth follows from the row. The depth of objects varies by a tenth and more between
# scenes.
GROUND_SIGMA = 0.05
OTHER_SIGMA = 0.5
# Added for objects, as a share of the median inverse depth: the network cannot separate large distances.
FAR_SIGMA = 0.3
# A surface is ground if the cosine of the angle between its normal and the camera's down axis is larger.
GROUND_COSINE = 0.95
SLOPE_REACH = 4.0  # distance to each side of a point over which the slope of its surface is measured [pixels]
MAX_SLOPE = 0.1  # relative change per pixel; a steeper one is an edge, not a surface


@dataclass(frozen=True)
class DepthPrior:
    """Prior of N points, NaN if unknown: inverse depth (N,), its sigma (N,), its relative change per pixel (N, 2)."""

    inverse_depth: np.ndarray
    sigma: np.ndarray
    slope: np.ndarray

    @property
    def is_usable(self) -> np.ndarray:
        """Which points have a complete prior: (N,) bool."""
        return np.isfinite(self.sigma) & np.isfinite(self.slope).all(axis=1) & (self.sigma > 0)

    def chosen(self, is_chosen: np.ndarray) -> "DepthPrior":
        """Prior of some of the points, given by (N,) bool."""
        return DepthPrior(self.inverse_depth[is_chosen], self.sigma[is_chosen], self.slope[is_chosen])


def depth_prior(inverse_depth: np.ndarray, pixels: np.ndarray, camera: TrackingCamera) -> DepthPrior:
    """Prior of the points at pixels (N, 2) of the tracked image.

    inverse_depth: the network's, float32 (h, w) of any size. On a plane, inverse depth is linear in the pixel:
    rho(u, v) = n . ray(u, v) / h, so its slope gives the normal.
    """
    if not len(pixels):
        return DepthPrior(np.zeros(0), np.zeros(0), np.zeros((0, 2)))
    reach = np.array([(0, 0), (SLOPE_REACH, 0), (-SLOPE_REACH, 0), (0, SLOPE_REACH), (0, -SLOPE_REACH)])
    size = np.array(inverse_depth.shape[::-1]) / (camera.width, camera.height)
    places = ((reach[:, None, :] + pixels + 0.5) * size - 0.5).astype(np.float32)
    maps = np.ascontiguousarray(places[..., 0]), np.ascontiguousarray(places[..., 1])
    here, right, left, below, above = cv2.remap(
        inverse_depth, *maps, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
    ).astype(np.float64)
    slope = np.stack([right - left, below - above], axis=-1) / (2.0 * SLOPE_REACH * here[:, None])
    slope = np.clip(slope, -MAX_SLOPE, MAX_SLOPE)
    centred = pixels - (camera.cx, camera.cy)
    normal = np.column_stack(
        [camera.fx * slope[:, 0], camera.fy * slope[:, 1], 1.0 - np.einsum("nk,nk->n", slope, centred)]
    )
    is_ground = normal[:, 1] > GROUND_COSINE * np.linalg.norm(normal, axis=1)
    typical = np.nanmedian(here) if np.isfinite(here).any() else 0.0
    sigma = np.where(is_ground, GROUND_SIGMA * here, OTHER_SIGMA * here + FAR_SIGMA * typical)
    return DepthPrior(here, sigma, slope)
