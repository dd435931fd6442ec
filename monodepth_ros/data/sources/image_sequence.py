# SPDX-License-Identifier: Apache-2.0
"""Frames that lie as image files in a folder, one after the other."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import cv2
import numpy as np

from monodepth_ros.data.depth_codec import read_kitti_depth
from monodepth_ros.data.image_codec import ImageError, Pixels
from monodepth_ros.data.sources.source import (
    FrameSource,
    SourceError,
    SourceFrame,
    SourceOptions,
    camera_of_size,
)
from monodepth_ros.geometry.camera import CalibrationError, CameraModel

SUFFIXES = (".png", ".jpg", ".jpeg", ".bmp", ".tif", ".tiff", ".ppm", ".pgm", ".webp")
DEFAULT_RATE = 10.0


@dataclass
class ImageFiles:
    """What a folder's reader has found: files with their times [s], and by index what is exact about them."""

    files: list[Path]
    times: Sequence[float]
    camera: CameraModel | None
    camera_origin: str = "the calibration file"
    depth_files: dict[int, Path] = field(default_factory=dict)
    poses: dict[int, np.ndarray] = field(default_factory=dict)


class ImageSequence(FrameSource):
    """Image files in the order of their times. Times begin at 0; the first stamp is 1 ns, since 0 means none.

    A file that is no image or of another size than the calibration is left out.
    """

    def __init__(self, description: str, found: ImageFiles, options: SourceOptions):
        self._found = found
        first = found.times[0]
        begin, end = options.start, options.start + options.duration
        self._indices = [i for i, time in enumerate(found.times) if begin <= time - first < end]
        super().__init__(description, "camera_optical_frame", len(self._indices))
        self._by_stamp = {_stamp_ns(found.times[i]): i for i in self._indices}
        stems = [file.stem for file in found.files]
        self._has_unique_stems = len(set(stems)) == len(stems)
        if found.camera is None:
            self.notes.append(
                "no calibration: the camera is taken for the one the checkpoint was trained on "
                "(or give --calibration FILE)"
            )

    def frames(self) -> Iterator[SourceFrame]:
        found = self._found
        for index in self._indices:
            file = found.files[index]
            try:
                pixels = read_pixels(file)
                camera = camera_of_size(found.camera, pixels, found.camera_origin)
                depth = read_kitti_depth(found.depth_files[index]) if index in found.depth_files else None
            except (ImageError, CalibrationError) as error:
                self.left_out[str(error)] += 1
                continue
            stamp_ns = _stamp_ns(found.times[index])
            name = file.stem if self._has_unique_stems else f"{index:06d}"
            yield SourceFrame(name, stamp_ns, stamp_ns, pixels, camera, depth, found.poses.get(index))

    def read(self, stamp_ns: int, received_ns: int) -> Pixels:
        index = self._by_stamp.get(stamp_ns)
        if index is None:
            raise SourceError(
                f"{self.description} has no image of stamp {stamp_ns}: it has changed since it was indexed"
            )
        try:
            return read_pixels(self._found.files[index])
        except (ImageError, OSError) as error:
            raise SourceError(str(error)) from None


def _stamp_ns(time: float) -> int:
    return max(1, round(time * 1e9))


def image_files(folder: Path) -> list[Path]:
    """The images in a folder, by name (frame_2 before frame_10). SourceError if there are none."""
    try:
        found = [entry for entry in folder.iterdir() if entry.suffix.lower() in SUFFIXES and entry.is_file()]
    except OSError as error:
        raise SourceError(f"{folder} cannot be read: {error.strerror or error}") from None
    if not found:
        raise SourceError(f"{folder} has no images in it: expected {', '.join(SUFFIXES)}")
    return sorted(found, key=_natural)


def read_pixels(file: Path) -> Pixels:
    """An image file as 8-bit pixels; ImageError if OpenCV cannot read it."""
    data = np.fromfile(file, np.uint8)
    array = cv2.imdecode(data, cv2.IMREAD_ANYCOLOR | cv2.IMREAD_IGNORE_ORIENTATION) if data.size else None
    if array is None:
        raise ImageError(f"{file} is not a readable image")
    return Pixels(array, "mono" if array.ndim == 2 else "bgr")


def read_times(folders: Sequence[Path], count: int, rate: float) -> list[float]:
    """Seconds of each of `count` images: times.txt of the first folder that has one, else by `rate` [1/s].

    A rate that is given (not 0) wins. Raises SourceError for a times.txt of another length, or whose times do
    not grow.
    """
    path = next((folder / "times.txt" for folder in folders if (folder / "times.txt").is_file()), None)
    if rate or path is None:
        return [i / (rate or DEFAULT_RATE) for i in range(count)]
    try:
        times = [float(line.split()[0]) for line in path.read_text().splitlines() if line.strip()]
    except (ValueError, UnicodeDecodeError):
        raise SourceError(f"{path} does not hold one time in seconds per line") from None
    if len(times) < count:
        raise SourceError(f"{path} has {len(times)} times for {count} images: give --rate HZ instead")
    times = times[:count]
    if any(later <= earlier for earlier, later in zip(times, times[1:])):
        raise SourceError(f"the times in {path} do not grow from line to line: give --rate HZ instead")
    return times


def _natural(path: Path) -> tuple:
    """Digits count as numbers."""
    parts: list[tuple[int, int, str]] = []
    text, digits = "", ""
    for letter in path.name + "\0":
        if letter.isascii() and letter.isdigit():
            if text:
                parts.append((1, 0, text))
                text = ""
            digits += letter
        else:
            if digits:
                parts.append((0, int(digits), digits))
                digits = ""
            text += letter
    parts.append((1, 0, text))
    return tuple(parts)
