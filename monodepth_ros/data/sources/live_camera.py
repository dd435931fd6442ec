# SPDX-License-Identifier: Apache-2.0
"""Frames of a camera of this machine or of a network stream, through OpenCV."""

import os
import sys
import threading
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import cv2
import numpy as np

from monodepth_ros.data.images.image_codec import Pixels
from monodepth_ros.data.sources.film_format import open_quietly, stated_size
from monodepth_ros.data.sources.source import (
    FrameSource,
    SourceError,
    SourceFrame,
    SourceOptions,
    camera_of_size,
    given_camera,
)

LATE = "a newer image of the live source was there"
PATIENCE = 10.0  # seconds without an image after which a live source has ended
# Streams over TCP lose no packets, whose loss would show as grey blocks.
STREAM_OPTIONS = "rtsp_transport;tcp"


class LiveCamera(FrameSource):
    """Frames of a live source for options.duration, each the newest one, stamped on arrival.

    place: the number of a camera (0 is the first), a device (/dev/video0) or a URL (rtsp://...). Images that arrive
    while an earlier one is processed are dropped, so that the frames do not fall behind, and counted in `left_out`.
    Raises SourceError if there is no such source.
    """

    def __init__(self, place: int | str, options: SourceOptions = SourceOptions()):
        name = f"camera {place}" if isinstance(place, int) else without_password(place)
        super().__init__(name, "camera_optical_frame", None)
        self._field_of_view = options.field_of_view
        self._duration = options.duration
        self._takes = options.takes
        self._capture = open_camera(place)
        self._camera = given_camera(options, partial(stated_size, self._capture))
        # Images that wait in the driver are old. Some drivers ignore this setting.
        self._capture.set(cv2.CAP_PROP_BUFFERSIZE, 1)
        self._arrival = threading.Condition()
        self._newest: tuple[int, np.ndarray] | None = None
        self._has_ended = False
        self._reader = threading.Thread(target=self._read, name=f"reader of {name}", daemon=True)
        self.given_camera = self._camera
        if self._camera is None:
            self.note_missing_calibration(options.field_of_view)

    def close(self) -> None:
        self._has_ended = True
        if self._reader.is_alive():
            self._reader.join(PATIENCE)
        self._capture.release()

    def frames(self) -> Iterator[SourceFrame]:
        index, began = -1, time.monotonic()
        self._reader.start()
        while time.monotonic() - began < self._duration:
            with self._arrival:
                self._arrival.wait_for(lambda: self._newest is not None or self._has_ended, PATIENCE)
                newest, self._newest = self._newest, None
            if newest is None:
                return
            stamp_ns, image = newest
            index += 1
            if not self._takes(index):
                continue
            pixels = Pixels.from_opencv(image)
            camera = camera_of_size(self._camera, pixels, "the calibration file", self._field_of_view)
            yield SourceFrame(f"{index:06d}", stamp_ns, stamp_ns, pixels, camera)

    def _read(self) -> None:
        while not self._has_ended:
            is_read, image = self._capture.read()
            with self._arrival:
                if not is_read:
                    self._has_ended = True
                else:
                    if self._newest is not None:
                        self.left_out[LATE] += 1
                    self._newest = time.time_ns(), image
                self._arrival.notify()


def open_camera(place: int | str) -> cv2.VideoCapture:
    """Open a camera by number or device, or a stream by URL. Raises SourceError if it cannot be opened."""
    if isinstance(place, str) and "://" in place:
        os.environ.setdefault("OPENCV_FFMPEG_CAPTURE_OPTIONS", STREAM_OPTIONS)
        capture = open_quietly(place)
        if not capture.isOpened():
            raise SourceError(
                f"{without_password(place)} cannot be opened as a stream: check the address, the password and that"
                " the camera is on"
            )
        return capture
    device = Path(f"/dev/video{place}" if isinstance(place, int) else place)
    name = f"camera {place}" if isinstance(place, int) else place
    # OpenCV would print several lines about a missing device.
    if sys.platform.startswith("linux") and not device.exists():
        raise SourceError(f"{name} cannot be opened: there is no {device}")
    capture = open_quietly(place)
    if not capture.isOpened():
        raise SourceError(
            f"{name} cannot be opened: check that it is connected, that you may access it, and that no other "
            "program uses it"
        )
    return capture


def without_password(url: str) -> str:
    """The URL without user and password, for messages and reports."""
    scheme, separator, rest = url.partition("://")
    if not separator:
        return url
    host, slash, path = rest.partition("/")
    return f"{scheme}://{host.rpartition('@')[2]}{slash}{path}"
