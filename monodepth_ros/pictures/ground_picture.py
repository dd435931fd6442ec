# SPDX-License-Identifier: Apache-2.0
"""Pictures of the ground that a scale was measured on."""

import numpy as np

from monodepth_ros.odometry.scale.ground_plane import GroundPlane

GREEN = np.array((60, 220, 60), np.uint8)  # bgr


def ground_picture(rgb: np.ndarray, ground: GroundPlane) -> np.ndarray:
    """The network's input, rgb uint8 (H, W, 3), as bgr, with the grid cells on the ground tinted green."""
    picture = rgb[..., ::-1].copy()
    rows, columns = ground.rows, ground.columns
    row_step, column_step = rows[1] - rows[0], columns[1] - columns[0]
    cells = np.repeat(np.repeat(ground.is_ground, row_step, axis=0), column_step, axis=1)
    top, left = rows[0] - row_step // 2, columns[0] - column_step // 2
    part = picture[top : top + cells.shape[0], left : left + cells.shape[1]]
    cells = cells[: part.shape[0], : part.shape[1]]
    part[cells] = part[cells] // 2 + GREEN // 2
    return picture
