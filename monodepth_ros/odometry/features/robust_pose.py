# SPDX-License-Identifier: Apache-2.0
"""The camera's pose from points in space and the rays along which they are seen."""

import cv2
import numpy as np

from monodepth_ros.geometry.motion import exp_se3, invert, make_transform, orthonormalize
from monodepth_ros.odometry.gyro.rotation_prior import RotationPrior

MIN_DEPTH = 0.05  # smallest depth of a point in front of the camera [network units]
# Thresholds and noise are in pixels of the tracked image.
RANSAC_THRESHOLD = 2.0
RANSAC_TRIALS = 200
ROBUST_WIDTH = 2.0  # width of the Cauchy loss [pixels]; five times wider in the first iterations
ITERATIONS = 7
FLOW_NOISE = 0.5  # standard deviation of a point's place [pixels]; weighs the points against a prior
MIN_POINTS = 8  # of an essential matrix
# Smallest angle between two rays that determine a depth [rad].
MIN_PARALLAX = np.radians(0.5)


def camera_jacobian(points: np.ndarray, focal: float) -> tuple[np.ndarray, np.ndarray]:
    """Pixels (2, N) of points (3, N) relative to the principal point, and their derivatives (6, 2, N) by a motion xi.

    xi moves the camera, T <- T exp(xi). The three derivatives by the translation are multiplied by the depth. The
    points are the last dimension: every operation on all of them runs over contiguous memory.
    """
    x, y = points[:2] / points[2]
    u, v = pixels = focal * np.stack([x, y])
    jacobian = np.zeros((6, 2, points.shape[1]))
    jacobian[0, 0] = jacobian[1, 1] = -focal
    jacobian[2] = pixels
    jacobian[3, 0], jacobian[4, 0], jacobian[5, 0] = u * y, -focal - u * x, v
    jacobian[3, 1], jacobian[4, 1], jacobian[5, 1] = focal + v * y, -v * x, -u
    return pixels, jacobian


def before_the_camera(places: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Which places (3, N) are in front of the camera (N,), and the places with the others replaced."""
    in_front = places[2] > MIN_DEPTH
    if in_front.all():
        return in_front, places
    return in_front, np.where(in_front, places, np.array([[0.0], [0.0], [1.0]]))


def refine_pose(
    T_world_camera: np.ndarray,
    points: np.ndarray,
    rays: np.ndarray,
    focal: float,
    prior: RotationPrior | None = None,
) -> tuple[np.ndarray, np.ndarray]:
    """T_world_camera that brings points (N, 3) of the world onto rays (N, 2), and the remaining errors (N,) [pixels].

    Gauss-Newton with a Cauchy loss: up to half of the points may be wrong. prior: expected rotation, if there is one.
    """
    pose = T_world_camera
    points, wanted = np.ascontiguousarray(points.T), focal * rays.T
    for iteration in range(ITERATIONS):
        in_front, seen = before_the_camera(pose[:3, :3].T @ (points - pose[:3, 3:]))
        pixels, jacobian = camera_jacobian(seen, focal)
        jacobian[:3] /= seen[2]
        residual = pixels - wanted
        error = np.where(in_front, np.hypot(*residual), np.inf)
        width = ROBUST_WIDTH * (5.0 if iteration < 3 else 1.0)
        weight = 1.0 / (1.0 + (error / width) ** 2)
        rows = (jacobian * weight).reshape(6, -1)
        normal = rows @ jacobian.reshape(6, -1).T + 1e-9 * np.eye(6)
        gradient = rows @ residual.reshape(-1)
        if prior is not None:
            information, slope = prior.equations(pose[:3, :3])
            normal[3:, 3:] += FLOW_NOISE**2 * information
            gradient[3:] += FLOW_NOISE**2 * slope
        step = -np.linalg.solve(normal, gradient)
        pose = pose @ exp_se3(step)
        if np.abs(step).max() < 1e-6:
            break
    pose[:3, :3] = orthonormalize(pose[:3, :3])
    return pose, error


def pose_by_ransac(points: np.ndarray, rays: np.ndarray, focal: float) -> np.ndarray | None:
    """T_world_camera (4, 4) from points (N, 3) and rays (N, 2), most of which may be wrong; None without a solution."""
    if len(points) < 6:
        return None
    found, turn, shift, _ = cv2.solvePnPRansac(
        points,
        rays,
        np.eye(3),
        None,
        iterationsCount=RANSAC_TRIALS,
        reprojectionError=RANSAC_THRESHOLD / focal,
        flags=cv2.SOLVEPNP_AP3P,
    )
    if not found or not np.isfinite(turn).all() or not np.isfinite(shift).all():
        return None
    return invert(make_transform(cv2.Rodrigues(turn)[0], shift.reshape(3)))


def motion_by_epipolar_geometry(
    rays_before: np.ndarray, rays_now: np.ndarray, inverse_depth: np.ndarray, focal: float
) -> np.ndarray | None:
    """T_before_now (4, 4) from depths that are right on average but not point by point; None if there is no solution.

    The essential matrix of the rays (N, 2) and (N, 2) gives rotation and direction. The median ratio of `inverse_depth`
    (N,), seen from the camera before, to that of the triangulated points gives the length (Zhan et al. 2020).
    """
    if len(rays_before) < MIN_POINTS:
        return None
    essential, inliers = cv2.findEssentialMat(
        rays_before,
        rays_now,
        np.eye(3),
        method=cv2.USAC_MAGSAC,
        prob=0.999,
        threshold=RANSAC_THRESHOLD / (2.0 * focal),
    )
    if essential is None or essential.shape != (3, 3):
        return None
    _, R, direction, inliers = cv2.recoverPose(essential, rays_before, rays_now, np.eye(3), mask=inliers)
    used = inliers.reshape(-1) > 0
    direction = direction.reshape(3)
    # R and direction take points of the camera before to the camera now: depths (a, b) with a R r1 + t = b r2.
    ray_before = np.column_stack([rays_before[used], np.ones(used.sum())]) @ R.T
    ray_now = np.column_stack([rays_now[used], np.ones(used.sum())])
    normal = np.cross(ray_before, ray_now)
    sine = np.linalg.norm(normal, axis=1) / (np.linalg.norm(ray_before, axis=1) * np.linalg.norm(ray_now, axis=1))
    sees_depth = sine > np.sin(MIN_PARALLAX)
    if sees_depth.sum() < MIN_POINTS:
        return None
    depth = np.einsum("nk,nk->n", np.cross(ray_now, direction), normal) / np.einsum("nk,nk->n", normal, normal)
    usable = sees_depth & (depth > 0)
    if usable.sum() < MIN_POINTS:
        return None
    length = np.median(1.0 / (inverse_depth[used][usable] * depth[usable]))
    return invert(make_transform(R, direction * length))
