# SPDX-License-Identifier: Apache-2.0
"""Frames of a camera on this machine, through OpenCV."""

import sys
import time
from collections.abc import Iterator
from pathlib import Path

import cv2

from monodepth_ros.data.image_codec import Pixels
from monodepth_ros.data.sources.source import (
    FrameSource,
    SourceError,
    SourceFrame,
    SourceOptions,
    camera_of_size,
    given_camera,
)


class LiveCamera(FrameSource):
    """The camera of a number (0 is the first), for options.duration; stamps are the times of arrival.

    Raises SourceError if there is no such camera.
    """

    def __init__(self, number: int, options: SourceOptions = SourceOptions()):
        super().__init__(f"camera {number}", "camera_optical_frame", None)
        self._camera = given_camera(options)
        self._duration = options.duration
        self._capture = open_camera(number)
        # What waits in the driver is old; not every driver takes this.
        self._capture.set(cv2.CAP_PROP_BUFFERSIZE, 1)
        if self._camera is None:
            self.notes.append(
                "no calibration: the camera is taken for the one the checkpoint was trained on "
                "(or give --calibration FILE)"
            )

    def close(self) -> None:
        self._capture.release()

    def frames(self) -> Iterator[SourceFrame]:
        index, began = 0, time.monotonic()
        while time.monotonic() - began < self._duration:
            is_read, image = self._capture.read()
            if not is_read:
                return
            stamp_ns = time.time_ns()
            pixels = Pixels(image, "mono" if image.ndim == 2 else "bgr")
            camera = camera_of_size(self._camera, pixels, "the calibration file")
            yield SourceFrame(f"{index:06d}", stamp_ns, stamp_ns, pixels, camera)
            index += 1


def open_camera(number: int) -> cv2.VideoCapture:
    """The camera of a number; SourceError if it is not there or cannot be opened."""
    device = Path(f"/dev/video{number}")
    # OpenCV would say so in several lines of its own.
    if sys.platform.startswith("linux") and not device.exists():
        raise SourceError(f"camera {number} cannot be opened: there is no {device}")
    capture = cv2.VideoCapture(number)
    if not capture.isOpened():
        raise SourceError(f"camera {number} cannot be opened: is it connected, allowed, and used by nobody else?")
    return capture
