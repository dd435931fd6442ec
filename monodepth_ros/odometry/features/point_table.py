# SPDX-License-Identifier: Apache-2.0
"""The points that are followed, and in which keyframes of the window each was seen."""

from dataclasses import dataclass, fields

import numpy as np


@dataclass
class PointTable:
    """M points in a window of F frames.

    pixel: (M, 2) float32, where it is in the last image it was found in. host: (M,) frame it was found in. host_pixel, ray: (M, 2) where there. inverse_depth: (M,) per network
    unit, along the host's axis. prior, prior_sigma: (M,) what the network says of it. slope: (M, 2) relative change of the
    inverse depth per pixel, right and down, of the surface it lies on. is_seen: (M, F), rays: (M, F, 2) its sightings.
    """

    pixel: np.ndarray
    host: np.ndarray
    host_pixel: np.ndarray
    ray: np.ndarray
    inverse_depth: np.ndarray
    prior: np.ndarray
    prior_sigma: np.ndarray
    slope: np.ndarray
    is_seen: np.ndarray
    rays: np.ndarray

    @classmethod
    def empty(cls) -> "PointTable":
        """No points, no frames."""
        pairs, numbers = (lambda: np.zeros((0, 2))), (lambda: np.zeros(0))
        return cls(
            pairs().astype(np.float32), np.zeros(0, int), pairs(), pairs(), numbers(),
            numbers(), numbers(), pairs(), np.zeros((0, 0), bool), np.zeros((0, 0, 2)),
        )  # fmt: skip

    def __len__(self) -> int:
        return len(self.pixel)

    def keep(self, chosen: np.ndarray) -> None:
        """Forget all points but the chosen ones: (M,) bool."""
        for field in fields(self):
            setattr(self, field.name, getattr(self, field.name)[chosen])

    def add_frame(self, rays: np.ndarray) -> None:
        """A new last frame that sees every point, along rays (M, 2)."""
        self.is_seen = np.column_stack([self.is_seen, np.ones(len(self), bool)])
        self.rays = np.concatenate([self.rays, rays[:, None, :]], axis=1)

    def drop_last_frame(self) -> None:
        """Forget what the last frame saw; no point may be hosted by it."""
        self.is_seen, self.rays = self.is_seen[:, :-1], self.rays[:, :-1]

    def add(self, pixel: np.ndarray, ray: np.ndarray, prior: np.ndarray, sigma: np.ndarray, slope: np.ndarray) -> None:
        """New points (N, ...) hosted by the last frame."""
        count, frames = len(pixel), self.is_seen.shape[1]
        is_seen, rays = np.zeros((count, frames), bool), np.zeros((count, frames, 2))
        is_seen[:, -1], rays[:, -1] = True, ray
        new = PointTable(
            pixel, np.full(count, frames - 1), pixel.astype(float), ray, prior, prior, sigma, slope, is_seen, rays
        )
        for field in fields(self):
            setattr(self, field.name, np.concatenate([getattr(self, field.name), getattr(new, field.name)]))

    def in_world(self, poses: np.ndarray) -> np.ndarray:
        """(M, 3), given T_world_camera (F, 4, 4) of the frames."""
        places = np.column_stack([self.ray, np.ones(len(self))]) / self.inverse_depth[:, None]
        hosts = poses[self.host]
        return np.einsum("mij,mj->mi", hosts[:, :3, :3], places) + hosts[:, :3, 3]
