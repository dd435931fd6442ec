# SPDX-License-Identifier: Apache-2.0
"""A video file that a browser plays, encoded beside the work of a run."""

import contextlib
import os
import queue
import re
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import cv2
import numpy as np

from monodepth_ros.atomic_file import unfinished
from monodepth_ros.data.sources.film_format import is_utf8, open_quietly
from monodepth_ros.errors import MonodepthError
from monodepth_ros.offline.results.ffmpeg_writer import FfmpegWriter, has_ffmpeg
from monodepth_ros.output_file import one_line_for

# Without ffmpeg the first that this OpenCV can write is used. The wheels of PyPI have VP8 and VP9 and no H.264; VP9 takes ten times
# as long as VP8. Browsers play the first two.
FORMATS = (("VP80", ".webm"), ("avc1", ".mp4"), ("mp4v", ".mp4"), ("MJPG", ".avi"))
MOST_WAITING = 4  # pictures; then `write` waits for the encoder
# libvpx encodes in its real-time mode, five times as fast, where a picture is shown for a second or longer.
WEBM_RATE = 1.0
_TAIL_SIZE = 1 << 20  # bytes that hold the table of its clusters
_HEAD_SIZE = 8192  # bytes of a WebM file that hold its times


class VideoFile:
    """Writes bgr pictures (H, W, 3) of one even size: <stem>.mp4 by ffmpeg, else the first of FORMATS.

    path: the file. plays_in_browsers: whether its format is made for that. A thread of its own makes the pictures and
    encodes them. Raises MonodepthError if no format works.
    """

    def __init__(self, stem: Path, rate: float, size: tuple[int, int]):
        self._size, self._rate = size, rate
        self.path, self._writer = self._open(stem)
        self.plays_in_browsers = self.path.suffix == ".webm" or FORMATS[1] == (self._codec, ".mp4")
        self._failure: Exception | None = None
        self._count = 0
        self._waiting: queue.Queue[Callable[[], np.ndarray] | None] = queue.Queue(MOST_WAITING)
        self._thread = threading.Thread(target=self._encode, name="video", daemon=True)
        self._thread.start()

    def write(self, make: Callable[[], np.ndarray]) -> None:
        """Append the picture that `make` returns, called in the thread; one of another size is resized."""
        self._waiting.put(make)

    def close(self) -> None:
        """Finish the file. Raises what a `make` raised, and MonodepthError if the file could not be written whole.

        A file that ends early stays if it can be played.
        """
        self._waiting.put(None)
        self._thread.join()
        try:
            self._writer.release()
            if self._failure is None and isinstance(self._writer, cv2.VideoWriter):
                self._check_length()
            if self.path.suffix == ".webm":
                set_webm_rate(self.path, self._rate)
        except MonodepthError as error:
            self._failure = self._failure or error
        if self._failure is not None:
            if not _plays(self.path):
                self.path.unlink(missing_ok=True)
            raise self._failure

    def _check_length(self) -> None:
        # OpenCV's writer says nothing of a full disk: the end of the file, with its length, is missing then.
        with silent_stderr():
            capture = open_quietly(str(self.path))
        found = round(capture.get(cv2.CAP_PROP_FRAME_COUNT)) if capture.isOpened() else 0
        capture.release()
        if found < self._count or (self.path.suffix == ".webm" and not _has_cues(self.path)):
            raise MonodepthError(f"{self.path} cannot be written whole: is the disk full? (--no-video does without)")

    def _encode(self) -> None:
        level = cv2.utils.logging.getLogLevel()
        while (make := self._waiting.get()) is not None:
            if self._failure is not None:
                continue
            try:
                # The length of the file tells of a failure, which OpenCV would print for every frame.
                cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_SILENT)
                picture = make()
                if picture.shape[1::-1] != self._size:  # the camera changed during the run
                    picture = cv2.resize(picture, self._size)
                self._writer.write(np.ascontiguousarray(picture))
                self._count += 1
            except Exception as error:  # raised by close, where somebody waits for it
                self._failure = error
            finally:
                cv2.utils.logging.setLogLevel(level)

    def _open(self, stem: Path) -> tuple[Path, FfmpegWriter | cv2.VideoWriter]:
        if has_ffmpeg():
            self._codec, path = "avc1", stem.with_suffix(".mp4")
            return path, FfmpegWriter(path, self._rate, self._size)
        probe = unfinished(stem)
        with one_line_for(stem.with_suffix(FORMATS[0][1])):  # a full disk, of which OpenCV would say nothing
            probe.write_bytes(bytes(_HEAD_SIZE))
            probe.unlink()
        if not is_utf8(stem):
            raise MonodepthError(
                f"{stem} is not UTF-8, which OpenCV's videos need: give --results another name, or --no-video"
            )
        for codec, suffix in FORMATS:
            path = stem.with_suffix(suffix)
            rate = WEBM_RATE if suffix == ".webm" else self._rate
            with silent_stderr():  # FFmpeg complains about the tag of VP8, and about every format that is missing
                writer = cv2.VideoWriter(str(path), cv2.CAP_FFMPEG, cv2.VideoWriter_fourcc(*codec), rate, self._size)
            if writer.isOpened():
                self._codec = codec
                return path, writer
            path.unlink(missing_ok=True)
        tried = ", ".join(suffix for _, suffix in FORMATS)
        raise MonodepthError(f"this OpenCV can write no video (tried {tried}): run with --no-video")


def set_webm_rate(path: Path, rate: float) -> None:
    """Play a WebM file that FFmpeg has written at WEBM_RATE at `rate` pictures per second, by its unit of time."""
    with one_line_for(path), path.open("r+b") as file:
        head = file.read(_HEAD_SIZE)
        # TimecodeScale: ns per unit of every time in the file.
        changed, found = re.subn(
            rb"\x2a\xd7\xb1\x83\x0f\x42\x40", b"\x2a\xd7\xb1\x83" + round(1e6 / rate).to_bytes(3, "big"), head
        )
        if found != 1:
            raise MonodepthError(f"{path} has no time scale where FFmpeg writes it: run with --no-video")
        # DefaultDuration: ns per picture; and the length in words.
        changed = changed.replace(
            b"\x23\xe3\x83\x84\x3b\x9a\xca\x00", b"\x23\xe3\x83\x84" + round(1e9 / rate).to_bytes(4, "big")
        )
        changed = re.sub(rb"(\d\d):(\d\d):(\d\d\.\d{9})", lambda length: _shortened(length, rate), changed)
        file.seek(0)
        file.write(changed)


def _has_cues(path: Path) -> bool:
    """Whether a WebM file ends with the table of its clusters, which is written last."""
    with one_line_for(path), path.open("rb") as file:
        file.seek(max(0, path.stat().st_size - _TAIL_SIZE))
        # The head of a file refers to the table by the same number, after the number of a reference.
        return re.search(rb"(?<!\x53\xab\x84)\x1c\x53\xbb\x6b", file.read()) is not None


def _plays(path: Path) -> bool:
    """Whether a file has a picture that can be shown."""
    with silent_stderr():
        return bool(open_quietly(str(path)).read()[0])


def _shortened(length: re.Match[bytes], rate: float) -> bytes:
    hours, minutes, seconds = (float(part) for part in length.groups())
    total = (3600 * hours + 60 * minutes + seconds) / rate
    text = f"{int(total // 3600):02d}:{int(total // 60 % 60):02d}:{total % 60:012.9f}"
    return text.encode("ascii")


@contextlib.contextmanager
def silent_stderr() -> Iterator[None]:
    """Drop what C libraries write to the standard error stream meanwhile."""
    sys.stderr.flush()
    kept = os.dup(2)
    try:
        with open(os.devnull, "wb") as nothing:
            os.dup2(nothing.fileno(), 2)
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
