# SPDX-License-Identifier: Apache-2.0
"""The scale of another camera with the same network."""

from collections.abc import Callable

from monodepth_ros.odometry.scale.source import ScaleEstimate, ScaleSource


class FollowedScale(ScaleSource):
    """The estimate of `leader`: a network's units have the same length for both cameras."""

    def __init__(self, leader: Callable[[], ScaleEstimate]):
        self._leader = leader

    def estimate(self) -> ScaleEstimate:
        return self._leader()
