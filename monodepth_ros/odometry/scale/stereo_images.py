# SPDX-License-Identifier: Apache-2.0
"""The newest images of a camera and of its stereo partner, by time."""

from collections import deque
from dataclasses import dataclass

import numpy as np

from monodepth_ros.data.images.image_codec import Pixels
from monodepth_ros.geometry.camera import CameraModel
from monodepth_ros.odometry.scale.stereo_view import in_rectified_axes, rectified_baseline

# Images further apart in time than this are no pair [ns]: a car drives 5 cm meanwhile.
SIMULTANEOUS_NS = 5_000_000
# Time from one comparison to the next [ns]: neighbouring frames have similar errors.
PERIOD_NS = 200_000_000
# Images that wait for those of the other camera, which come later or not at all.
WAITING = 4


@dataclass(frozen=True)
class TimedImage:
    """An image, its camera and its time."""

    stamp_ns: int
    pixels: Pixels
    camera: CameraModel


class StereoImages:
    """Filled by the caller with the images of both cameras; gives the pairs of one moment. For one thread.

    partner_frame: coordinate frame of the partner's images, '' before the first one. Images without a stamp are
    ignored. `mount` states the partner's place, which the calibrations of the pair take precedence over.
    """

    def __init__(self) -> None:
        self.partner_frame = ""
        self._own: deque[TimedImage] = deque(maxlen=WAITING)
        self._partner: deque[TimedImage] = deque(maxlen=WAITING)
        self._compared_ns = -PERIOD_NS
        self._T_own_partner: np.ndarray | None = None

    def is_due(self, stamp_ns: int) -> bool:
        """Whether images of this time are of use."""
        return stamp_ns > 0 and not 0 <= stamp_ns - self._compared_ns < PERIOD_NS - SIMULTANEOUS_NS

    def add_own(self, stamp_ns: int, pixels: Pixels, camera: CameraModel) -> None:
        """Add an image of the camera whose depth is measured."""
        _add(self._own, TimedImage(stamp_ns, pixels, camera))

    def add_partner(self, stamp_ns: int, pixels: Pixels, camera: CameraModel, frame: str) -> None:
        """Add an image of the partner. frame: its coordinate frame."""
        self.partner_frame = frame
        _add(self._partner, TimedImage(stamp_ns, pixels, camera))

    def mount(self, T_own_partner: np.ndarray) -> None:
        """Set the partner's place (4, 4) in the frame of the camera, both as in TF."""
        self._T_own_partner = T_own_partner

    @property
    def needs_mount(self) -> bool:
        """Whether only `mount` can tell the partner's place: the calibrations state no baseline."""
        return bool(self._own and self._partner) and self._calibrated_place() is None

    @property
    def has_partner(self) -> bool:
        """Whether the partner has sent images."""
        return bool(self._partner)

    def place(self) -> np.ndarray | None:
        """T_own_partner (4, 4) in the rectified axes of both cameras; None if it is unknown."""
        if not (self._own and self._partner):
            return None
        place = self._calibrated_place()
        if place is None and self._T_own_partner is not None and self._are_calibrated():
            return in_rectified_axes(self._T_own_partner, self._own[-1].camera, self._partner[-1].camera)
        return place

    def _are_calibrated(self) -> bool:
        return self._own[-1].camera.is_calibrated and self._partner[-1].camera.is_calibrated

    def _calibrated_place(self) -> np.ndarray | None:
        if not self._are_calibrated():
            return None
        return rectified_baseline(self._own[-1].camera, self._partner[-1].camera)

    def take(self, stamp_ns: int) -> tuple[TimedImage, TimedImage] | None:
        """The camera's image of this stamp and the partner's of that moment; None if there is none (yet)."""
        own = next((image for image in self._own if image.stamp_ns == stamp_ns), None)
        if own is None or not self.is_due(stamp_ns) or not self._partner:
            return None
        partner = min(self._partner, key=lambda image: abs(image.stamp_ns - stamp_ns))
        if abs(partner.stamp_ns - stamp_ns) > SIMULTANEOUS_NS:
            return None
        self._compared_ns = stamp_ns
        return own, partner


def _add(images: deque[TimedImage], image: TimedImage) -> None:
    if not image.stamp_ns:
        return
    if images and image.stamp_ns <= images[-1].stamp_ns:
        images.clear()  # time went back
    images.append(image)
