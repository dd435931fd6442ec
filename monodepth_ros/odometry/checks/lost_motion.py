# SPDX-License-Identifier: Apache-2.0
"""A camera whose images odometry by features can hardly ever follow: a suspect calibration."""

import math

from monodepth_ros.geometry.camera import CameraModel
from monodepth_ros.odometry.checks.reference_image import FROZEN, NO_REFERENCE, TOO_BARE
from monodepth_ros.odometry.features.feature_motion import FeatureMotion

FIRST = 30  # images with motion that are judged
NEARLY_ALL = 0.8  # of them


class LostMotion:
    """Counts how many of the first images of a moving camera give no motion.

    warning: '' until most of FIRST images were lost. A camera that has been followed once is not suspected later, since
    darkness and blur come and go, and a calibration stays.
    """

    def __init__(self) -> None:
        self.warning = ""
        self._camera: tuple | None = None
        self._images = self._lost = 0

    def observe(self, motion: FeatureMotion | None, camera: CameraModel) -> None:
        """Add an image. motion: None without odometry by features. camera: rectified, of the image."""
        if camera.key != self._camera:
            self.warning, self._camera, self._images, self._lost = "", camera.key, 0, 0
        if motion is None or motion.is_still or self._images >= FIRST:
            return
        is_lost = motion.T_previous_current is None or motion.is_bridged
        if is_lost and (motion.reason in (FROZEN, NO_REFERENCE) or TOO_BARE in motion.reason):
            return
        self._images += 1
        self._lost += is_lost
        if self._images == FIRST and self._lost >= NEARLY_ALL * FIRST:
            angle = math.degrees(2 * math.atan(camera.width / (2 * camera.fx)))
            self.warning = (
                f"odometry by features lost {self._lost} of the first {FIRST} images of a moving camera: is the"
                f" calibration (fx {camera.fx:.4g}, {angle:.0f} degrees wide for {camera.width}x{camera.height} pixels)"
                " that of these images? Compare it with `monodepth calibrate RECORDING`; images far apart in time are"
                " lost as well"
            )
