# SPDX-License-Identifier: Apache-2.0
"""Corners suited to tracking, spread over the image."""

import cv2
import numpy as np

GRID = (12, 5)  # cells across and down, each with its share of the corners
SPACING = 8  # distance between corners [pixels]
BORDER = 8  # margin without corners at the image's edge [pixels]
WINDOW = 5  # side of the window over which the image's structure is summed [pixels]
# Smallest eigenvalue of the gradients' covariance (OpenCV's units) of a corner; below it there is only noise.
MIN_STRENGTH = 1e-4


def find_corners(gray: np.ndarray, taken: np.ndarray, count: int) -> np.ndarray:
    """New corners (N, 2) float32 [pixels], strongest first within each cell of the grid (Shi and Tomasi 1994).

    gray: (H, W) uint8. taken: (M, 2) pixels of points already tracked: no corner is found near them, and they count
    towards their cell's share of `count`.
    """
    height, width = gray.shape
    strength = cv2.cornerMinEigenVal(gray, WINDOW)
    peaks = strength == cv2.dilate(strength, np.ones((SPACING + 1, SPACING + 1), np.uint8))
    peaks &= strength > MIN_STRENGTH
    free = np.zeros((height, width), np.uint8)
    free[BORDER : height - BORDER, BORDER : width - BORDER] = 1
    for x, y in taken.astype(int).tolist():
        cv2.circle(free, (x, y), SPACING, color=0, thickness=-1)
    rows, columns = np.nonzero(peaks & (free > 0))
    order = np.argsort(-strength[rows, columns], kind="stable")
    found = np.stack([columns[order], rows[order]], axis=-1).astype(np.float32)
    share = -(-count // (GRID[0] * GRID[1]))
    open_places = share - np.bincount(_cells(taken, width, height), minlength=GRID[0] * GRID[1])
    cells = _cells(found, width, height)
    return found[_rank_within(cells) < open_places[cells]]


def _cells(pixels: np.ndarray, width: int, height: int) -> np.ndarray:
    """Index of the grid cell of each pixel (N, 2)."""
    across = np.clip(pixels[:, 0] * GRID[0] / width, 0, GRID[0] - 1).astype(int)
    down = np.clip(pixels[:, 1] * GRID[1] / height, 0, GRID[1] - 1).astype(int)
    return down * GRID[0] + across


def _rank_within(groups: np.ndarray) -> np.ndarray:
    """Number of earlier entries of the same group, for each entry."""
    order = np.argsort(groups, kind="stable")
    grouped = groups[order]
    first = np.searchsorted(grouped, grouped)
    ranks = np.empty(len(groups), int)
    ranks[order] = np.arange(len(groups)) - first
    return ranks
