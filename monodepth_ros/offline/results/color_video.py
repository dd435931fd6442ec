# SPDX-License-Identifier: Apache-2.0
"""The colour video: input above, depth below."""

from pathlib import Path

import cv2
import numpy as np

from monodepth_ros.errors import MonodepthError

# The formats that OpenCV can write depend on its build; the first that opens is used.
FORMATS = (("mp4v", ".mp4"), ("VP80", ".webm"), ("MJPG", ".avi"))
# Frames whose stamps give the frame rate.
SAMPLE = 8
FALLBACK_RATE = 10.0


class ColorVideo:
    """Writes <folder>/<name>.mp4, or the next of FORMATS that can be written. path: None until the first is written."""

    def __init__(self, folder: Path, name: str = "depth"):
        self._folder, self._name = folder, name
        self.path: Path | None = None
        self._writer: cv2.VideoWriter | None = None
        self._waiting: list[tuple[int, np.ndarray]] = []

    def add(self, stamp_ns: int, rgb: np.ndarray, color: np.ndarray) -> None:
        """Add a frame: rgb (H, W, 3), coloured depth bgr (H, W, 3). MonodepthError if no format works."""
        picture = np.vstack((cv2.cvtColor(rgb, cv2.COLOR_RGB2BGR), color))
        # Codecs that share colours between pixels need even sizes.
        picture = picture[: picture.shape[0] // 2 * 2, : picture.shape[1] // 2 * 2]
        if self._writer is not None:
            self._write(picture)
            return
        self._waiting.append((stamp_ns, picture))
        if len(self._waiting) == SAMPLE:
            self._open()

    def close(self) -> None:
        """Finish the file."""
        if self._writer is None and self._waiting:
            self._open()
        if self._writer is not None:
            self._writer.release()

    def _open(self) -> None:
        stamps = [stamp for stamp, _ in self._waiting]
        steps = np.diff(stamps)
        steps = steps[steps > 0]
        rate = float(np.clip(1e9 / np.median(steps), 1.0, 120.0)) if steps.size else FALLBACK_RATE
        self._size = self._waiting[0][1].shape[1::-1]
        for codec, suffix in FORMATS:
            path = self._folder / f"{self._name}{suffix}"
            writer = cv2.VideoWriter(str(path), cv2.VideoWriter_fourcc(*codec), rate, self._size)
            if writer.isOpened():
                self._writer, self.path = writer, path
                break
            path.unlink(missing_ok=True)
        else:
            raise MonodepthError("this OpenCV can write no video (tried mp4, webm, avi): run with --no-video")
        for _, picture in self._waiting:
            self._write(picture)
        self._waiting = []

    def _write(self, picture: np.ndarray) -> None:
        if picture.shape[1::-1] != self._size:  # the camera changed during the run
            picture = cv2.resize(picture, self._size)
        self._writer.write(np.ascontiguousarray(picture))
