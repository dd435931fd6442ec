# SPDX-License-Identifier: Apache-2.0
"""Frames of a video file, through OpenCV."""

import math
import os
import threading
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import cv2
import numpy as np

from monodepth_ros.data.images.image_codec import Pixels
from monodepth_ros.data.sources.film_format import open_film, open_quietly, stated_size
from monodepth_ros.data.sources.film_seek import VideoSeeker
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
SLOWEST, FASTEST = 0.01, 1000.0  # rates [Hz] that are believed
LONGEST = 1e8  # time in a film that is believed [s]
CUT = 0.9  # share of the frames and the length that a film states; one that ends before is cut or damaged


class VideoSource(FrameSource):
    """Frames of a video file.

    Times are those of the file, or follow from options.rate if that is given. They begin at 0, and the first stamp is
    1 ns, because 0 means that there is no stamp. Raises SourceError for a file that OpenCV cannot open.
    """

    def __init__(self, path: str | Path, options: SourceOptions = SourceOptions()):
        if "://" not in str(path) and not os.path.isfile(path):
            raise SourceError(f"{path} does not exist: give a bag, a folder, a video or a camera's number")
        self._capture = _opened(str(path))
        self._camera = given_camera(options, partial(stated_size, self._capture))
        self._field_of_view = options.field_of_view
        stated = self._capture.get(cv2.CAP_PROP_FPS)
        self._rate = options.rate or (stated if math.isfinite(stated) and SLOWEST < stated < FASTEST else DEFAULT_RATE)
        self._has_own_times = not options.rate
        count = self._capture.get(cv2.CAP_PROP_FRAME_COUNT)
        expected, self._count = None, 0
        if math.isfinite(count) and count > 0:
            self._count = round(min(count, LONGEST * FASTEST))
            within = max(0, int(min(count - options.start * self._rate, options.duration * self._rate)))
            expected = options.share_of(within)
        super().__init__(f"{path} ({self._rate:g} frames/s)", "camera_optical_frame", expected)
        # A second reader of the film, so that `read` does not disturb `frames`.
        self._path = str(path)
        self._again: cv2.VideoCapture | None = None
        self._seeker: VideoSeeker | None = None
        self._numbers: dict[int, int] | None = None
        self._own_times: list[float] | None = None
        self._reading = threading.Lock()
        self._takes = options.takes
        self._start, self._end = options.start, options.start + options.duration
        self.given_camera = self._camera
        if self._camera is None:
            self.note_missing_calibration(options.field_of_view)

    def close(self) -> None:
        self._capture.release()
        if self._again is not None:
            self._again.release()

    def frames(self) -> Iterator[SourceFrame]:
        number, index, time = -1, -1, 0.0
        for index, (_, time) in enumerate(self._times(self._capture)):
            if time < self._start:
                continue
            if time >= self._end:
                return
            number += 1
            if not self._takes(number):
                continue
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
            stamp_ns = _stamp_ns(time)
            yield SourceFrame(f"{index:06d}", stamp_ns, stamp_ns, pixels, camera)
        self._note_cut(index + 1, time)

    def _note_cut(self, count: int, time: float) -> None:
        """Count what a video lacks of the frames that it states, and of its length; the number may be an estimate."""
        if count < CUT * self._count and time < CUT * self._count / self._rate:
            reason = f"the video states {self._count} frames and ends after {count}: it is cut or damaged"
            self.left_out[reason] = self._count - count

    def read(self, stamp_ns: int, received_ns: int) -> Pixels:
        with self._reading:
            if self._seeker is None:
                self._again = _opened(self._path)
                self._seeker = VideoSeeker(self._again)
            image = self._image_at(stamp_ns)
        if image is None:
            raise SourceError(f"{self.description}: the frame at {stamp_ns * 1e-9:.3f} s cannot be read")
        return Pixels.from_opencv(image)

    def _image_at(self, stamp_ns: int) -> np.ndarray | None:
        """The image of a frame of `frames`, None if it cannot be read."""
        is_found = self._has_own_times and self._seeker.grab(stamp_ns * 1e-9)
        if not is_found:
            # The times are not the film's own: look up which frame it is.
            if self._numbers is None:
                self._numbers, self._own_times = self._number_frames()
            number = self._numbers.get(stamp_ns)
            if number is None:
                return None
            if self._own_times is not None:
                is_found = self._seeker.grab(self._own_times[number])
            else:
                self._again.set(cv2.CAP_PROP_POS_FRAMES, number)
                is_found = self._again.grab()
        return self._again.retrieve()[1] if is_found else None

    def _number_frames(self) -> tuple[dict[int, int], list[float] | None]:
        """Numbers of the frames by stamp, and the film's own times by number; None if they do not increase."""
        capture = _opened(self._path)
        numbers, own_times = {}, []
        try:
            for number, (own, time) in enumerate(self._times(capture)):
                own_times.append(own)
                numbers[_stamp_ns(time)] = number
        finally:
            capture.release()
        increases = all(later > earlier for earlier, later in zip(own_times, own_times[1:]))
        return numbers, own_times if increases else None

    def _times(self, capture: cv2.VideoCapture) -> Iterator[tuple[float, float]]:
        """Grab frame after frame; yield its time in the film and the time that it gets [s]."""
        time, index = -1.0, -1
        while capture.grab():
            index += 1
            own = capture.get(cv2.CAP_PROP_POS_MSEC) / 1000.0
            # Some containers have no times, or repeat them.
            time = own if self._has_own_times and time < own < LONGEST else (time + 1.0 / self._rate if index else 0.0)
            yield own, time


def _opened(path: str) -> cv2.VideoCapture:
    if "://" not in path:
        return open_film(path)
    capture = open_quietly(path)
    if not capture.isOpened():
        raise SourceError(f"{path} cannot be opened as a video: check the address, or download it")
    return capture


def _stamp_ns(time: float) -> int:
    return max(1, round(time * 1e9))
