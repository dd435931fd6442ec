# SPDX-License-Identifier: Apache-2.0
"""Recognition and opening of video files: FFmpeg also opens text and other files as if they were films."""

import os
import threading
from pathlib import Path

import cv2

from monodepth_ros.data.sources.source import SourceError
from monodepth_ros.limits import MOST_VIDEO_PIXELS

VIDEO_SUFFIXES = (
    *(".mp4", ".m4v", ".mov", ".avi", ".mkv", ".webm", ".mpg", ".mpeg", ".mpe", ".ts", ".mts", ".m2ts", ".vob", ".wmv"),
    *(".asf", ".flv", ".3gp", ".3g2", ".ogv", ".ogg", ".y4m", ".mjpg", ".mjpeg", ".h264", ".264", ".h265", ".265"),
    *(".hevc", ".av1", ".ivf", ".dv", ".mxf", ".gif", ".insv", ".lrv", ".360"),
)
# FFmpeg's names of the containers above.
DEMUXERS = (
    *("mov", "matroska", "avi", "mpeg", "mpegts", "mpegvideo", "m4v", "asf", "flv", "ogg", "yuv4mpegpipe", "mjpeg"),
    *("h264", "hevc", "av1", "obu", "ivf", "dv", "mxf", "gif", "vc1"),
)
_OPTIONS = "OPENCV_FFMPEG_CAPTURE_OPTIONS"  # read by OpenCV whenever it opens something
_opening = threading.Lock()
MOST_THREADS = 4  # of a decoder; each one holds pictures
HEAD = 4096  # bytes to look at
# Bytes that containers begin with; those of MP4 follow a length of four bytes.
CONTAINERS = (b"RIFF", b"\x1aE\xdf\xa3", b"FLV", b"OggS", b"\x00\x00\x01\xba", b"\x00\x00\x01\xb3", b"0&\xb2u", b"DKIF")
MP4_BOXES = (b"ftyp", b"moov", b"mdat", b"free", b"skip", b"wide", b"pnot")


def check_video(path: Path, expected: str) -> None:
    """Raise SourceError, which names what is `expected`, for a file that is no video by its name and first bytes."""
    try:
        with open(path, "rb") as file:
            head = file.read(HEAD)
    except OSError as error:
        raise SourceError(f"{path} cannot be read: {error.strerror or error}") from None
    if not head:
        raise SourceError(f"{path} is empty (0 bytes): expected {expected}")
    if is_text(head):
        raise SourceError(f"{path} is a text file: expected {expected}")
    is_container = head.startswith(CONTAINERS) or head[4:8] in MP4_BOXES
    if not is_container and path.suffix.lower() not in VIDEO_SUFFIXES:
        raise SourceError(f"{path} is no video: expected {expected}")


def open_film(path: str) -> cv2.VideoCapture:
    """Open a video file, by the containers of DEMUXERS, none of which opens other files or the network.

    Raises SourceError for a file that cannot be opened, and for one whose pictures are larger than those of videos.
    """
    options = f"protocol_whitelist;file|format_whitelist;{','.join(DEMUXERS)}"
    given = os.environ.get(_OPTIONS)
    with _opening:
        os.environ[_OPTIONS] = f"{given}|{options}" if given else options
        try:
            # No other reader of OpenCV tries what FFmpeg has refused.
            has_ffmpeg = cv2.videoio_registry.hasBackend(cv2.CAP_FFMPEG)
            capture = open_quietly(os.path.abspath(path), cv2.CAP_FFMPEG if has_ffmpeg else cv2.CAP_ANY)
        finally:
            os.environ.pop(_OPTIONS)
            if given is not None:
                os.environ[_OPTIONS] = given
    if not capture.isOpened():
        raise SourceError(f"{path} cannot be opened as a video: its format is unknown to OpenCV, or it is damaged")
    width, height = stated_size(capture)
    if width * height > MOST_VIDEO_PIXELS:
        capture.release()
        raise SourceError(
            f"{path} claims pictures of {width}x{height} pixels: no more than {MOST_VIDEO_PIXELS / 1e6:.0f} million "
            "are read of a video"
        )
    return capture


def open_quietly(place: int | str, reader: int = cv2.CAP_ANY) -> cv2.VideoCapture:
    """Open a video, stream or camera through OpenCV, without the lines that FFmpeg and OpenCV print on failure.

    Raises SourceError for a name that OpenCV does not take.
    """
    os.environ.setdefault("OPENCV_FFMPEG_LOGLEVEL", "-8")
    os.environ.setdefault("OPENCV_FFMPEG_THREADS", str(min(MOST_THREADS, os.cpu_count() or 1)))
    if not is_utf8(str(place)):
        raise SourceError(f"{place} has a name that is not UTF-8, which OpenCV does not take: rename it")
    level = cv2.utils.logging.getLogLevel()
    cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_SILENT)
    try:
        return cv2.VideoCapture(place, reader)
    finally:
        cv2.utils.logging.setLogLevel(level)


def stated_size(capture: cv2.VideoCapture) -> tuple[int, int]:
    """(width, height) [pixels] of the upright images of an open video, stream or camera."""
    return int(capture.get(cv2.CAP_PROP_FRAME_WIDTH)), int(capture.get(cv2.CAP_PROP_FRAME_HEIGHT))


def is_utf8(name: str | Path) -> bool:
    """Whether a name can be given to OpenCV, which ends the process for the bytes of another encoding."""
    try:
        str(name).encode()
    except UnicodeEncodeError:
        return False
    return True


def is_text(head: bytes) -> bool:
    """Whether the first bytes of a file are text in UTF-8."""
    # The last character may be cut off.
    text = head.decode("utf-8", "ignore")
    if len(text.encode()) < len(head) - 3:
        return False
    return all(letter.isprintable() or letter in "\t\n\r\f\x1b\ufeff" for letter in text)
