# SPDX-License-Identifier: Apache-2.0
"""The scale of another camera that the same network looks through."""

from collections.abc import Callable

from monodepth_ros.odometry.scale.source import ScaleEstimate, ScaleSource


class FollowedScale(ScaleSource):
    """Whatever `leader` says: a network's units are as long for one camera as for the other."""

    def __init__(self, leader: Callable[[], ScaleEstimate]):
        self._leader = leader

    def estimate(self) -> ScaleEstimate:
        return self._leader()
