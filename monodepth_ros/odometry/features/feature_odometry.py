# SPDX-License-Identifier: Apache-2.0
"""The camera's motion from points tracked through its images, and from the network's depth."""

import numpy as np

from monodepth_ros.odometry.checks.reference_image import FROZEN, NO_REFERENCE, ReferenceImage, too_few_corners
from monodepth_ros.odometry.features.feature_motion import FeatureMotion
from monodepth_ros.odometry.features.feature_track import STILL_FLOW, FeatureTrack, TrackedImage, TrackLost
from monodepth_ros.odometry.features.keyframe_window import KeyframeWindow
from monodepth_ros.odometry.features.tracking_camera import TrackingCamera
from monodepth_ros.odometry.gyro.gyro import Gyro

MIN_CORNERS = 40
FROZEN_FLOW = 2.0  # after this much median flow, an unchanged image is a frozen stream [pixels]


class FeatureOdometry:
    """Estimates the motion between consecutive images of one camera.

    Each motion starts at the refined pose of the previous image, not at the pose published for it. When tracking is
    lost, the image at hand starts a new track, and the motion in between stays unknown. A gyro bridges a short time
    without good images (see feature_track.MAX_BRIDGE).
    """

    def __init__(self, camera: TrackingCamera, count: int, gyro: Gyro | None = None):
        """count: number of points to track. gyro: filled by the caller with the rates before each image."""
        self._camera, self._count, self._gyro = camera, count, gyro
        self._reference = ReferenceImage(STILL_FLOW, FROZEN_FLOW)
        self._track: FeatureTrack | None = None

    def reset(self) -> None:
        """Forget everything."""
        self._track = None
        self._reference.forget()

    def update(self, gray: np.ndarray, inverse_depth: np.ndarray, stamp_ns: int = 0) -> FeatureMotion:
        """The motion from the last image to this one.

        gray: (H, W) uint8 of the camera's size. inverse_depth: (h, w) float32 of the same view in 1 / network unit, NaN
        if unknown. stamp_ns: time of the image, for the gyro.
        """
        image = TrackedImage(gray, inverse_depth, stamp_ns)
        if self._reference.is_repeated_by(gray):
            self._track = None
            return FeatureMotion(None, reason=FROZEN)
        if self._track is None:
            return self._begin(image, NO_REFERENCE)
        try:
            return self._track.update(image)
        except TrackLost as lost:
            return self._begin(image, str(lost))

    def _begin(self, image: TrackedImage, reason: str) -> FeatureMotion:
        """Begin a new track with this image, whose motion stays unknown for the given reason."""
        window = KeyframeWindow(self._camera, self._count, image.gray, image.inverse_depth)
        corners = len(window.points)
        if corners < MIN_CORNERS:
            self.reset()
            return FeatureMotion(None, reason=too_few_corners(corners))
        self._reference.replace(image.gray)
        self._track = FeatureTrack(window, self._camera, self._reference, self._gyro, image.stamp_ns)
        return FeatureMotion(None, reason=reason)
