# SPDX-License-Identifier: Apache-2.0
"""Reprojection errors of a segment's points, and their derivatives by poses, points and lens."""

from dataclasses import dataclass

import numpy as np

from monodepth_ros.calibration.lens import Lens, project
from monodepth_ros.calibration.reconstruction import Structure
from monodepth_ros.calibration.tracks import Segment

MIN_Z = 1e-3  # smallest depth in units of the distance to the anchor
BEHIND = 1e3  # error of a point behind the camera [pixels]


@dataclass(frozen=True)
class Linearized:
    """residual (2, K) [pixels], and derivatives by_pose (6, 2, K), by_point (3, 2, K), by_lens (8, 2, K).

    by_pose: by a small motion of the camera in its own axes, T <- T exp(xi). Derivatives of points behind the camera
    are zero. error: (K,) [pixels].
    """

    residual: np.ndarray
    by_pose: np.ndarray
    by_point: np.ndarray
    by_lens: np.ndarray
    error: np.ndarray


def errors(segment: Segment, structure: Structure, lens: Lens) -> np.ndarray:
    """Distances (K,) [pixels] from the points' pixels to where `lens` shows them; BEHIND for points behind it."""
    _, _, place = _places(segment, structure)
    in_front = place[2] > MIN_Z
    x, y = place[:2] / np.where(in_front, place[2], 1.0)
    pixels, _, _ = project(lens, x, y)
    return np.where(in_front, np.minimum(np.hypot(*(pixels - segment.pixel.T)), BEHIND), BEHIND)


def sizes(segment: Segment, structure: Structure) -> np.ndarray:
    """Inverse depth (K,) of each sighting's point in the frame that sees it, up to a factor for each point."""
    return 1.0 / np.maximum(_places(segment, structure)[2][2], MIN_Z)


def linearize(segment: Segment, structure: Structure, lens: Lens) -> Linearized:
    """Errors and derivatives of all sightings."""
    R_frame_anchor, to_anchor, place = _places(segment, structure)
    in_front = place[2] > MIN_Z
    z = np.where(in_front, place[2], 1.0)
    x, y = place[:2] / z
    pixels, by_ray, by_lens = project(lens, x, y)
    by_place = np.stack([by_ray[0] / z, by_ray[1] / z, -(by_ray[0] * x + by_ray[1] * y) / z])
    by_place *= in_front
    rho = structure.coordinates[segment.point, 2]
    by_pose = np.empty((6, 2, len(rho)))
    by_pose[:3] = -rho * by_place
    # A rotation w of the camera moves the place by place x w.
    a, b, c = place
    by_pose[3] = c * by_place[1] - b * by_place[2]
    by_pose[4] = a * by_place[2] - c * by_place[0]
    by_pose[5] = b * by_place[0] - a * by_place[1]
    ways = (R_frame_anchor[:, 0], R_frame_anchor[:, 1], to_anchor)
    by_point = np.stack([by_place[0] * way[0] + by_place[1] * way[1] + by_place[2] * way[2] for way in ways])
    residual = np.where(in_front, pixels - segment.pixel.T, 0.0)
    error = np.where(in_front, np.hypot(*residual), BEHIND)
    return Linearized(residual, by_pose, by_point, by_lens * in_front, error)


def _places(segment: Segment, structure: Structure) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """R_frame_anchor (3, 3, K), the way to the anchor (3, K), and each point's place (3, K) times its inverse depth."""
    # For every pair of a frame and an anchor, and then for each sighting.
    R, t = structure.poses[:, :3, :3], structure.poses[:, :3, 3]
    anchors = structure.anchors
    pair = segment.frame * len(anchors) + structure.host[segment.point]
    R_frame_anchor = np.einsum("fji,hjk->ikfh", R, anchors[:, :3, :3]).reshape(3, 3, -1)[:, :, pair]
    to_anchor = np.einsum("fji,fhj->ifh", R, anchors[:, :3, 3] - t[:, None]).reshape(3, -1)[:, pair]
    right, down, rho = structure.coordinates.T[:, segment.point]
    place = R_frame_anchor[:, 0] * right + R_frame_anchor[:, 1] * down + R_frame_anchor[:, 2] + rho * to_anchor
    return R_frame_anchor, to_anchor, place
