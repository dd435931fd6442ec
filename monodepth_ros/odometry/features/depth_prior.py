# SPDX-License-Identifier: Apache-2.0
"""What the network's depth says of single points, and how far it is to be trusted."""

from dataclasses import dataclass

import cv2
import numpy as np

# Relative standard deviation of the network's inverse depth. The ground's is best by far: the camera's height above it
# hardly changes, so its depth follows from the row; that of what stands on it wanders by a tenth and more, by scene.
GROUND_SIGMA = 0.05
OTHER_SIGMA = 0.5
# Added for what is not ground, as a share of the median inverse depth: far away the network cannot tell distances.
FAR_SIGMA = 0.3
# Cosine of the angle between a surface's normal and the camera's down axis, above which it is ground.
GROUND_COSINE = 0.95
SLOPE_REACH = 4.0  # pixels to each side of a point, over which the slope of its surface is measured
MAX_SLOPE = 0.1  # per pixel: steeper is an edge, not a surface


@dataclass(frozen=True)
class TrackingCamera:
    """The image in which points are followed: an undistorted camera's size and intrinsics in pixels."""

    width: int
    height: int
    fx: float
    fy: float
    cx: float
    cy: float

    @property
    def focal(self) -> float:
        """Mean of both focal lengths."""
        return 0.5 * (self.fx + self.fy)

    def rays(self, pixels: np.ndarray) -> np.ndarray:
        """(N, 2) x / z and y / z of pixels (N, 2)."""
        return (pixels - (self.cx, self.cy)) / (self.fx, self.fy)

    def pixels(self, points: np.ndarray) -> np.ndarray:
        """(N, 2) of points (N, 3) in the camera's axes; what is not in front of it lands anywhere."""
        depth = np.where(points[:, 2] > 1e-3, points[:, 2], 1e-3)
        return points[:, :2] / depth[:, None] * (self.fx, self.fy) + (self.cx, self.cy)


@dataclass(frozen=True)
class DepthPrior:
    """Of N points: inverse depth (N,), its sigma (N,), its relative change per pixel (N, 2); NaN where not known."""

    inverse_depth: np.ndarray
    sigma: np.ndarray
    slope: np.ndarray


def depth_prior(inverse_depth: np.ndarray, pixels: np.ndarray, camera: TrackingCamera) -> DepthPrior:
    """Look up points at pixels (N, 2) of the tracked image in the network's inverse depth, float32 (h, w) of any size.

    Inverse depth is linear in the pixel on a plane: rho(u, v) = n . ray(u, v) / h, so its slope gives the normal.
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
