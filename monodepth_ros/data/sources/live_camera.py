"""Frames of a camera on this machine, through OpenCV."""

import os
import time
from collections.abc import Iterator

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
        device = f"/dev/video{number}"
        if (
            os.name == "posix"
            and os.path.isdir("/dev")
            and os.uname().sysname == "Linux"
            and not os.path.exists(device)
        ):
            raise SourceError(f"camera {number} cannot be opened: there is no {device}")
        self._capture = cv2.VideoCapture(number)
        if not self._capture.isOpened():
            raise SourceError(
                f"camera {number} cannot be opened: is it connected, allowed, and used by nobody else?"
            )
        # What waits in the driver is old; not every driver takes this.
        self._capture.set(cv2.CAP_PROP_BUFFERSIZE, 1)

    def close(self) -> None:
        if hasattr(self, "_capture"):
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
