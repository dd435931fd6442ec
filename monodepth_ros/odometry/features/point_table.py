# SPDX-License-Identifier: Apache-2.0
"""The tracked points, and the keyframes of the window in which each was seen."""

from dataclasses import dataclass, fields

import numpy as np

from monodepth_ros.odometry.features.depth_prior import DepthPrior


@dataclass(kw_only=True)
class PointTable:
    """M points in a window of F frames.

    pixel: (M, 2) float32, place in the newest image in which the point was found. host: (M,) index of the frame that
    holds the point's patch. host_pixel, ray: (M, 2) place there, as pixel and as x / z, y / z. inverse_depth: (M,) per
    network unit, along the host's axis. prior, prior_sigma: (M,) the network's inverse depth and its standard
    deviation. slope: (M, 2) relative change of the inverse depth per pixel of the point's surface, right and down.
    is_seen: (M, F) and rays: (M, F, 2), the sightings.
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
    def empty(cls, frames: int) -> "PointTable":
        """A table without points, for a window of this many frames."""
        return cls(
            pixel=np.zeros((0, 2), np.float32),
            host=np.zeros(0, int),
            host_pixel=np.zeros((0, 2)),
            ray=np.zeros((0, 2)),
            inverse_depth=np.zeros(0),
            prior=np.zeros(0),
            prior_sigma=np.zeros(0),
            slope=np.zeros((0, 2)),
            is_seen=np.zeros((0, frames), bool),
            rays=np.zeros((0, frames, 2)),
        )

    def __len__(self) -> int:
        return len(self.pixel)

    def keep(self, is_kept: np.ndarray) -> None:
        """Drop all points but some, given by (M,) bool."""
        for field in fields(self):
            setattr(self, field.name, getattr(self, field.name)[is_kept])

    def add_frame(self, rays: np.ndarray) -> None:
        """Add a last frame that sees every point, along rays (M, 2)."""
        self.is_seen = np.column_stack([self.is_seen, np.ones(len(self), bool)])
        self.rays = np.concatenate([self.rays, rays[:, None, :]], axis=1)

    def drop_first_frame(self) -> None:
        """Remove the first frame; points hosted by it get the host -1."""
        self.is_seen, self.rays = self.is_seen[:, 1:], self.rays[:, 1:]
        self.host = self.host - 1

    def drop_last_frame(self) -> None:
        """Remove the last frame, which must host no point."""
        self.is_seen, self.rays = self.is_seen[:, :-1], self.rays[:, :-1]

    def add(self, pixel: np.ndarray, ray: np.ndarray, prior: DepthPrior) -> None:
        """Add points hosted by the last frame: pixels (N, 2) float32, rays (N, 2) and their prior."""
        count, frames = len(pixel), self.is_seen.shape[1]
        is_seen, rays = np.zeros((count, frames), bool), np.zeros((count, frames, 2))
        is_seen[:, -1], rays[:, -1] = True, ray
        new = PointTable(
            pixel=pixel,
            host=np.full(count, frames - 1),
            host_pixel=pixel.astype(float),
            ray=ray,
            inverse_depth=prior.inverse_depth,
            prior=prior.inverse_depth,
            prior_sigma=prior.sigma,
            slope=prior.slope,
            is_seen=is_seen,
            rays=rays,
        )
        for field in fields(self):
            setattr(self, field.name, np.concatenate([getattr(self, field.name), getattr(new, field.name)]))

    def set_prior(self, chosen: np.ndarray, prior: DepthPrior) -> None:
        """Replace the prior of some points, given by their indices (N,)."""
        self.prior[chosen], self.prior_sigma[chosen], self.slope[chosen] = prior.inverse_depth, prior.sigma, prior.slope

    def in_world(self, poses: np.ndarray) -> np.ndarray:
        """Positions (M, 3), given T_world_camera (F, 4, 4) of the frames."""
        places = np.column_stack([self.ray, np.ones(len(self))]) / self.inverse_depth[:, None]
        hosts = poses[self.host]
        return np.einsum("mij,mj->mi", hosts[:, :3, :3], places) + hosts[:, :3, 3]
