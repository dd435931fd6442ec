# SPDX-License-Identifier: Apache-2.0
"""Frames from the image files of a folder."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import cv2
import numpy as np

from monodepth_ros.data.depth_codec import read_kitti_depth
from monodepth_ros.data.image_codec import ImageError, Pixels
from monodepth_ros.data.sources.source import (
    NO_CALIBRATION,
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
    """Image files with their times [s] and their camera; depth files and reference poses by the index of the image."""

    files: list[Path]
    times: Sequence[float]
    camera: CameraModel | None
    camera_origin: str = "the calibration file"
    depth_files: dict[int, Path] = field(default_factory=dict)
    poses: dict[int, np.ndarray] = field(default_factory=dict)


class ImageSequence(FrameSource):
    """Image files in the order of their times.

    A first frame at time 0 gets the stamp 1 ns, because 0 means that there is no stamp. Files that are not images, or
    not of the calibrated size, are skipped and counted in `left_out`.
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
            self.notes.append(NO_CALIBRATION)

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
            yield SourceFrame(
                name=name,
                stamp_ns=stamp_ns,
                received_ns=stamp_ns,
                pixels=pixels,
                camera=camera,
                reference_depth=depth,
                T_world_camera=found.poses.get(index),
            )

    def read(self, stamp_ns: int, received_ns: int) -> Pixels:
        index = self._by_stamp.get(stamp_ns)
        if index is None:
            raise SourceError(f"{self.description} has no image of stamp {stamp_ns}: the folder has changed since then")
        try:
            return read_pixels(self._found.files[index])
        except (ImageError, OSError) as error:
            raise SourceError(str(error)) from None


def _stamp_ns(time: float) -> int:
    return max(1, round(time * 1e9))


def image_files(folder: Path) -> list[Path]:
    """The image files of a folder in natural order (frame_2 before frame_10). Raises SourceError if there are none."""
    try:
        found = [entry for entry in folder.iterdir() if entry.suffix.lower() in SUFFIXES and entry.is_file()]
    except OSError as error:
        raise SourceError(f"{folder} cannot be read: {error.strerror or error}") from None
    if not found:
        raise SourceError(f"{folder} contains no images: expected {', '.join(SUFFIXES)}")
    return in_natural_order(found)


def read_pixels(file: Path) -> Pixels:
    """Read an image file as 8-bit pixels. Raises ImageError if OpenCV cannot read it."""
    data = np.fromfile(file, np.uint8)
    array = cv2.imdecode(data, cv2.IMREAD_ANYCOLOR | cv2.IMREAD_IGNORE_ORIENTATION) if data.size else None
    if array is None:
        raise ImageError(f"{file} is not a readable image")
    return Pixels.from_opencv(array)


def read_times(folders: Sequence[Path], count: int, rate: float) -> list[float]:
    """Time [s] of each of `count` images.

    A `rate` other than 0 [Hz] determines the times. Otherwise they come from the first times.txt in `folders`, or from
    DEFAULT_RATE if there is none. Raises SourceError for a times.txt with too few lines or without increasing times.
    """
    path = next((folder / "times.txt" for folder in folders if (folder / "times.txt").is_file()), None)
    if rate or path is None:
        return [i / (rate or DEFAULT_RATE) for i in range(count)]
    try:
        times = [float(line.split()[0]) for line in path.read_text().splitlines() if line.strip()]
    except (ValueError, UnicodeDecodeError):
        raise SourceError(f"{path} is not a list of times in seconds, one per line: give --rate HZ instead") from None
    if len(times) < count:
        raise SourceError(f"{path} has {len(times)} times for {count} images: give --rate HZ instead")
    times = times[:count]
    if any(later <= earlier for earlier, later in zip(times, times[1:])):
        raise SourceError(f"the times in {path} do not increase from line to line: give --rate HZ instead")
    return times


def in_natural_order(paths: Iterable[Path]) -> list[Path]:
    """Paths in natural order of their names (frame_2 before frame_10), folder after folder."""
    return sorted(paths, key=lambda path: (path.parent, _natural(path)))


def _natural(path: Path) -> tuple:
    """Sort key in which runs of digits compare as numbers."""
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
