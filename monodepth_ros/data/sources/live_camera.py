# SPDX-License-Identifier: Apache-2.0
"""Frames of a camera of this machine, through OpenCV."""

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
    """Frames of camera `number` (0 is the first) for options.duration, stamped on arrival.

    Raises SourceError if there is no such camera.
    """

    def __init__(self, number: int, options: SourceOptions = SourceOptions()):
        super().__init__(f"camera {number}", "camera_optical_frame", None)
        self._camera, self._field_of_view = given_camera(options), options.field_of_view
        self._duration = options.duration
        self._capture = open_camera(number)
        # Images that wait in the driver are old. Some drivers ignore this setting.
        self._capture.set(cv2.CAP_PROP_BUFFERSIZE, 1)
        if self._camera is None:
            self.note_missing_calibration(options.field_of_view)

    def close(self) -> None:
        self._capture.release()

    def frames(self) -> Iterator[SourceFrame]:
        index, began = 0, time.monotonic()
        while time.monotonic() - began < self._duration:
            is_read, image = self._capture.read()
            if not is_read:
                return
            stamp_ns = time.time_ns()
            pixels = Pixels.from_opencv(image)
            camera = camera_of_size(self._camera, pixels, "the calibration file", self._field_of_view)
            yield SourceFrame(f"{index:06d}", stamp_ns, stamp_ns, pixels, camera)
            index += 1


def open_camera(number: int) -> cv2.VideoCapture:
    """Open camera `number`. Raises SourceError if it does not exist or cannot be opened."""
    device = Path(f"/dev/video{number}")
    # OpenCV would print several lines about a missing device.
    if sys.platform.startswith("linux") and not device.exists():
        raise SourceError(f"camera {number} cannot be opened: there is no {device}")
    capture = cv2.VideoCapture(number)
    if not capture.isOpened():
        raise SourceError(
            f"camera {number} cannot be opened: check that it is connected, that you may access it, and that no other "
            "program uses it"
        )
    return capture
