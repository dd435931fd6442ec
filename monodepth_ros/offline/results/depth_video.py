# SPDX-License-Identifier: Apache-2.0
"""The video of a run."""

from functools import partial
from pathlib import Path

import numpy as np

from monodepth_ros.offline.frames import RunFrame
from monodepth_ros.offline.results.ffmpeg_writer import has_ffmpeg
from monodepth_ros.offline.results.frame_view import FrameView
from monodepth_ros.offline.results.video_file import VideoFile

# Frames whose stamps give the frame rate.
SAMPLE = 8
FALLBACK_RATE = 10.0
# Of both panels, without ffmpeg: OpenCV's VP8 takes 40 ns by the pixel.
MOST_PIXELS_VP8 = 620_000


class DepthVideo:
    """Writes <folder>/depth.mp4 or depth.webm (see VideoFile). path: None until the first picture is written."""

    def __init__(self, folder: Path):
        self._stem = folder / "depth"
        self._view = FrameView() if has_ffmpeg() else FrameView(MOST_PIXELS_VP8)
        self._file: VideoFile | None = None
        self._waiting: list[tuple[RunFrame, np.ndarray]] = []

    @property
    def path(self) -> Path | None:
        """The file, None before it is begun."""
        return None if self._file is None else self._file.path

    @property
    def plays_in_browsers(self) -> bool:
        """Whether a page may embed the file."""
        return self._file is not None and self._file.plays_in_browsers

    def add(self, frame: RunFrame, depth: np.ndarray) -> None:
        """Add a frame with its depth (H, W), float32; its arrays must not change. MonodepthError if no format works."""
        if self._file is not None:
            self._file.write(partial(self._view.picture, frame, depth))
            return
        self._waiting.append((frame, depth))
        if len(self._waiting) == SAMPLE:
            self._begin()

    def close(self) -> None:
        """Finish the file."""
        if self._file is None and self._waiting:
            self._begin()
        if self._file is not None:
            self._file.close()

    def _begin(self) -> None:
        steps = np.diff([frame.source.stamp_ns for frame, _ in self._waiting])
        steps = steps[steps > 0]
        rate = float(np.clip(1e9 / np.median(steps), 1.0, 120.0)) if steps.size else FALLBACK_RATE
        first = self._view.picture(*self._waiting[0])
        self._file = VideoFile(self._stem, rate, first.shape[1::-1])
        self._file.write(lambda: first)
        for frame, depth in self._waiting[1:]:
            self._file.write(partial(self._view.picture, frame, depth))
        self._waiting = []
