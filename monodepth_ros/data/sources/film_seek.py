# SPDX-License-Identifier: Apache-2.0
"""Frames of a film by their presentation times, because films of phones have no constant frame rate."""

import cv2

SAME = 5e-4  # times of one frame differ less [s]; films have up to 1000 frames/s
NEAR = 3.0  # a frame this little ahead is reached by decoding on, without a seek [s]
MARGIN = 0.1  # first distance before the frame to seek to [s]; it grows until the seek ends before the frame


class VideoSeeker:
    """Grabs the frame of a film that is shown at a time.

    OpenCV's frame numbers and its seeking take the average rate as constant. A seek therefore only brings the film to
    some frame before, and the frames from there on are grabbed until the time is right.
    """

    def __init__(self, capture: cv2.VideoCapture):
        self._capture = capture
        self._time = float("inf")  # of the frame grabbed last; none yet

    def grab(self, seconds: float) -> bool:
        """Grab the frame shown at `seconds` from the start, for `retrieve`; False if no frame is shown then."""
        if abs(self._time - seconds) < SAME:
            return True
        margin = MARGIN
        if not self._time < seconds <= self._time + NEAR:
            self._seek(seconds - margin)
        while True:
            is_first, is_at_start = True, seconds <= margin
            while self._next():
                if self._time > seconds - SAME:
                    break
                is_first = False
            if abs(self._time - seconds) < SAME:
                return True
            # A later frame right after a seek: it ended behind the frame that was looked for.
            if not is_first or is_at_start:
                return False
            margin *= 4
            self._seek(seconds - margin)

    def _seek(self, seconds: float) -> None:
        self._capture.set(cv2.CAP_PROP_POS_MSEC, max(0.0, seconds) * 1000.0)

    def _next(self) -> bool:
        if not self._capture.grab():
            self._time = float("inf")
            return False
        self._time = self._capture.get(cv2.CAP_PROP_POS_MSEC) / 1000.0
        return True
