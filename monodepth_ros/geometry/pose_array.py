# SPDX-License-Identifier: Apache-2.0
"""Arrays (..., 4, 4) of poses and of the motions between them."""

import numpy as np


def inverses(T: np.ndarray) -> np.ndarray:
    """The exact inverse of each rigid transform (..., 4, 4)."""
    inverse = np.zeros_like(T)
    inverse[..., :3, :3] = np.swapaxes(T[..., :3, :3], -1, -2)
    inverse[..., :3, 3] = -(inverse[..., :3, :3] @ T[..., :3, 3:])[..., 0]
    inverse[..., 3, 3] = 1.0
    return inverse


def between(T_world_a: np.ndarray, T_world_b: np.ndarray) -> np.ndarray:
    """The motion T_a_b (..., 4, 4) between each pair of poses."""
    return inverses(T_world_a) @ T_world_b


def angles(T: np.ndarray) -> np.ndarray:
    """Rotation angle [rad] of each transform (..., 4, 4), from 0 to pi; exact near both ends."""
    R = T[..., :3, :3]
    turned = np.stack((R[..., 2, 1] - R[..., 1, 2], R[..., 0, 2] - R[..., 2, 0], R[..., 1, 0] - R[..., 0, 1]))
    return np.arctan2(np.linalg.norm(turned, axis=0), np.trace(R, axis1=-2, axis2=-1) - 1.0)


def travelled(positions: np.ndarray) -> np.ndarray:
    """Length of the path (N, 3) up to each position, (N,); the first is 0."""
    return np.concatenate(([0.0], np.linalg.norm(np.diff(positions, axis=0), axis=1).cumsum()))
