# SPDX-License-Identifier: Apache-2.0
"""Frames from the image files of a folder."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import NamedTuple

import numpy as np

from monodepth_ros.data.exif import read_exif
from monodepth_ros.data.images.image_codec import DecoderOptions, ImageError, Pixels
from monodepth_ros.data.images.picture_file import picture_bytes
from monodepth_ros.data.sources.file_decoder import FileDecoder
from monodepth_ros.data.sources.image_listing import SUFFIXES, image_files, in_natural_order, result_names
from monodepth_ros.data.sources.reference_topics import NONE
from monodepth_ros.data.sources.source import (
    FrameSource,
    SourceError,
    SourceFrame,
    SourceOptions,
    camera_of_size,
)
from monodepth_ros.errors import MonodepthError
from monodepth_ros.geometry.camera import CalibrationError, CameraModel

__all__ = ["SUFFIXES", "ImageFiles", "ImageSequence", "first_size", "image_files", "in_natural_order", "read_image"]

ReadDepth = Callable[[CameraModel], np.ndarray]
"""Reads the reference depth (H, W) [m] of one image of this camera, NaN where unknown. Raises MonodepthError."""


@dataclass
class ImageFiles:
    """Image files with their times [ns], their camera, and their reference by the index of the image.

    camera: of all images, None without a calibration. camera_of: the camera of an image by its index and its (width,
    height), for a set whose images have different ones; it replaces `camera`. has_measured_depth: see
    FrameSource. notes: remarks for the user.
    """

    files: list[Path]
    stamps_ns: Sequence[int]
    camera: CameraModel | None
    camera_origin: str = "the calibration file"
    camera_of: Callable[[int, tuple[int, int]], CameraModel | None] | None = None
    depths: dict[int, ReadDepth] = field(default_factory=dict)
    poses: dict[int, np.ndarray] = field(default_factory=dict)
    has_measured_depth: bool = False
    notes: list[str] = field(default_factory=list)


class ImageFile(NamedTuple):
    """An image file: upright pixels, horizontal field of view [degrees] by its EXIF data (0: not said), and whether
    that data turned it."""

    pixels: Pixels
    field_of_view: float
    is_turned: bool

    def camera(self, found: ImageFiles, index: int, field_of_view: float) -> CameraModel:
        """The camera of the upright image of this index; field_of_view: see SourceOptions.

        Raises CalibrationError for an image of another size than the calibration's.
        """
        camera = found.camera if found.camera_of is None else found.camera_of(index, self.pixels.size)
        try:
            return camera_of_size(camera, self.pixels, found.camera_origin, field_of_view or self.field_of_view)
        except CalibrationError as error:
            if not self.is_turned:
                raise
            raise CalibrationError(f"{error} (EXIF orientation applied: calibrate with upright images)") from None


class ImageSequence(FrameSource):
    """Image files in the order of their times, upright.

    A first frame at time 0 gets the stamp 1 ns, because 0 means that there is no stamp. Files that are not images, or
    not of the calibrated size, are skipped and counted in `left_out`. The options depth_topic and odometry_topic switch
    the reference off if they are 'none'.
    """

    def __init__(self, description: str, found: ImageFiles, options: SourceOptions):
        if options.depth_topic == NONE:
            found = replace(found, depths={})
        if options.odometry_topic == NONE:
            found = replace(found, poses={})
        self._found, self._field_of_view = found, options.field_of_view
        seconds = [(stamp - found.stamps_ns[0]) * 1e-9 for stamp in found.stamps_ns]
        begin, end = options.start, options.start + options.duration
        self._indices = [i for i, time in enumerate(seconds) if begin <= time < end][:: options.every]
        super().__init__(description, "camera_optical_frame", len(self._indices))
        for what, given, found_ones in (
            ("depth", options.depth_topic, found.depths),
            ("poses", options.odometry_topic, found.poses),
        ):
            if given == NONE:
                self.references.append((f"reference {what}", "off"))
            elif found_ones:
                self.references.append((f"reference {what}", f"of {len(found_ones)} images, from files"))
        self.given_camera = found.camera if options.calibration_file else None
        self.notes += found.notes
        decoding = DecoderOptions(options.encoding, options.intensity_range)
        self._decoder = FileDecoder(found.files, decoding, self.notes.append)
        self._has_noted_depth = False
        self._by_stamp = {_stamp_ns(found.stamps_ns[i]): i for i in self._indices}
        self._names = result_names(found.files)
        if found.camera is None and found.camera_of is None:
            self._note_field_of_view()

    def _note_field_of_view(self) -> None:
        """Note the field of view that is assumed: as stated, by the first image's EXIF data, or the guess."""
        first, known, origin = self._found.files[0], self._field_of_view, "as stated"
        if not known:
            with suppress(ImageError, OSError):
                known, origin = read_image(first).field_of_view, f"by the EXIF data of {first.name}"
        self.note_missing_calibration(known, origin)

    def frames(self) -> Iterator[SourceFrame]:
        found = self._found
        for index in self._indices:
            file = found.files[index]
            try:
                image = read_image(file, self._decoder)
                camera = image.camera(found, index, self._field_of_view)
                depth = self._depth(index, camera)
            except (ImageError, CalibrationError) as error:
                self.left_out[str(error)] += 1
                continue
            stamp_ns = _stamp_ns(found.stamps_ns[index])
            yield SourceFrame(
                name=self._names[index],
                stamp_ns=stamp_ns,
                received_ns=stamp_ns,
                pixels=image.pixels,
                camera=camera,
                reference_depth=depth,
                T_world_camera=found.poses.get(index),
            )

    def read(self, stamp_ns: int, received_ns: int) -> Pixels:
        index = self._by_stamp.get(stamp_ns)
        if index is None:
            raise SourceError(f"{self.description} has no image of stamp {stamp_ns}: the folder has changed since then")
        try:
            return read_image(self._found.files[index], self._decoder).pixels
        except (ImageError, OSError) as error:
            raise SourceError(str(error)) from None

    @property
    def has_reference_depth(self) -> bool:
        return bool(self._found.depths)

    @property
    def has_measured_depth(self) -> bool:
        return self._found.has_measured_depth and self.has_reference_depth

    def reference_depth(self, stamp_ns: int, received_ns: int, camera: CameraModel) -> np.ndarray | None:
        return self._depth(self._by_stamp.get(stamp_ns, -1), camera)

    def _depth(self, index: int, camera: CameraModel) -> np.ndarray | None:
        """The reference depth of an image, None without one; a file that cannot be used is noted, the first time."""
        read = self._found.depths.get(index)
        if read is None:
            return None
        try:
            depth = read(camera)
        except MonodepthError as error:
            reason = f"a depth file cannot be used: {error}"
        else:
            if depth.shape == (camera.height, camera.width):
                return depth
            size = f"{depth.shape[1]}x{depth.shape[0]}"
            reason = f"reference depth is {size}, the images {camera.width}x{camera.height}: it is not used"
        if not self._has_noted_depth:
            self._has_noted_depth = True
            self.notes.append(reason)
        return None


def _stamp_ns(stamp_ns: int) -> int:
    return max(1, stamp_ns)


def read_image(file: Path, decoder: FileDecoder | None = None) -> ImageFile:
    """Read an image file, turned upright by its EXIF data. Raises ImageError if it is not a whole image."""
    data = picture_bytes(file)
    stored = (decoder or FileDecoder()).pixels(data, str(file))
    exif = read_exif(data.tobytes())
    pixels = Pixels(exif.upright(stored.array), stored.layout)
    return ImageFile(pixels, exif.field_of_view(*pixels.size), exif.orientation != 1)


def first_size(files: Sequence[Path]) -> tuple[int, int]:
    """(width, height) of the first of these images that can be read [pixels].

    Raises CalibrationError without one: only a calibration file without image size needs it.
    """
    for file in files:
        with suppress(ImageError, OSError):
            return read_image(file).pixels.size
    raise CalibrationError("no image size, and no image that can be read")
