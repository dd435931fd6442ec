# SPDX-License-Identifier: Apache-2.0
"""Frames of a video file, through OpenCV."""

import math
import threading
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
from monodepth_ros.geometry.camera import CalibrationError

DEFAULT_RATE = 30.0


class VideoSource(FrameSource):
    """Frames of a video file.

    Times are those of the file, or follow from options.rate if that is given. They begin at 0, and the first stamp is
    1 ns, because 0 means that there is no stamp. Raises SourceError for a file that OpenCV cannot open.
    """

    def __init__(self, path: str | Path, options: SourceOptions = SourceOptions()):
        if not Path(path).is_file():
            raise SourceError(f"{path} does not exist: give a bag, a folder, a video or a camera's number")
        self._camera, self._field_of_view = given_camera(options), options.field_of_view
        self._capture = cv2.VideoCapture(str(path))
        if not self._capture.isOpened():
            raise SourceError(f"{path} cannot be opened as a video: OpenCV does not support its format")
        stated = self._capture.get(cv2.CAP_PROP_FPS)
        self._rate = options.rate or (stated if math.isfinite(stated) and 0 < stated < 1000 else DEFAULT_RATE)
        self._has_own_times = not options.rate
        count = self._capture.get(cv2.CAP_PROP_FRAME_COUNT)
        expected = None
        if math.isfinite(count) and count > 0:
            expected = max(0, int(min(count - options.start * self._rate, options.duration * self._rate)))
        super().__init__(f"{path} ({self._rate:g} frames/s)", "camera_optical_frame", expected)
        self._reading = threading.Lock()
        self._start, self._end = options.start, options.start + options.duration
        if self._camera is None:
            self.note_missing_calibration(options.field_of_view)

    def close(self) -> None:
        self._capture.release()

    def frames(self) -> Iterator[SourceFrame]:
        time, index = -1.0, -1
        while self._capture.grab():
            index += 1
            own = self._capture.get(cv2.CAP_PROP_POS_MSEC) / 1000.0
            # Some containers have no times, or repeat them.
            time = own if self._has_own_times and own > time else (time + 1.0 / self._rate if index else 0.0)
            if time < self._start:
                continue
            if time >= self._end:
                return
            is_read, image = self._capture.retrieve()
            if not is_read:
                self.left_out["a frame of the video cannot be decoded"] += 1
                continue
            pixels = Pixels.from_opencv(image)
            try:
                camera = camera_of_size(self._camera, pixels, "the calibration file", self._field_of_view)
            except CalibrationError as error:
                self.left_out[str(error)] += 1
                continue
            stamp_ns = max(1, round(time * 1e9))
            yield SourceFrame(f"{index:06d}", stamp_ns, stamp_ns, pixels, camera)

    def read(self, stamp_ns: int, received_ns: int) -> Pixels:
        # Exact seeking means decoding from a key frame on, which OpenCV does when given a frame number. The number
        # follows from the time because the rate is constant.
        with self._reading:
            number = round(stamp_ns * 1e-9 * self._rate)
            if number != round(self._capture.get(cv2.CAP_PROP_POS_FRAMES)):
                self._capture.set(cv2.CAP_PROP_POS_FRAMES, number)
            is_read, image = self._capture.read()
        if not is_read:
            raise SourceError(f"{self.description}: the frame at {stamp_ns * 1e-9:.3f} s cannot be read")
        return Pixels.from_opencv(image)
