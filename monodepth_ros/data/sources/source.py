# SPDX-License-Identifier: Apache-2.0
"""The interface of all frame sources, their options and their frames."""

from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from monodepth_ros.data.bags.static_transforms import StaticTransforms
from monodepth_ros.data.calibration import ImageSize, read_intrinsics
from monodepth_ros.data.images.image_codec import Pixels
from monodepth_ros.errors import MonodepthError
from monodepth_ros.foreign_text import SafeLines, safe_line
from monodepth_ros.geometry.camera import CameraModel
from monodepth_ros.geometry.field_of_view import GUESSED_FIELD_OF_VIEW

CALIBRATE = "give --calibration FILE (`monodepth calibrate RECORDING` makes one)"


class SourceError(MonodepthError):
    """A path, device or choice that gives no frames."""


class SourceChoiceError(SourceError):
    """Several cameras to choose from. choices: the command-line arguments that select each of them."""

    def __init__(self, message: str, choices: list[list[str]]):
        super().__init__(message)
        self.choices = choices


@dataclass(frozen=True)
class SourceOptions:
    """A user's choices about a source. Each reader uses those that apply to it.

    topic, camera_info: topics of a bag. depth_topic, odometry_topic: topics of a bag that give the reference depth and
    poses; '' chooses them by the rules of `choose_depth` and `choose_poses`, 'none' uses none. camera: the camera of a
    folder with several ('left', 'right' or the name of a sub-folder). calibration_file: a calibration
    (`read_calibration`) that replaces the source's own. rectified: the images are already rectified, so the
    intrinsics are P and D is ignored; unrectified: they are not, whatever their topic's name says. field_of_view:
    horizontal field of view of images without calibration [degrees]; 0 takes that of their EXIF data, or a guess.
    encoding, intensity_range: what the images of a bag or a folder are, see `DecoderOptions`. rate: frame rate [Hz] of
    images or a film, instead of their times; 0 takes these, or the reader's default without any. start: time to skip
    [s]. duration: time to read [s]. every: read every n-th image; the others are not decoded.
    """

    topic: str = ""
    camera_info: str = ""
    depth_topic: str = ""
    odometry_topic: str = ""
    camera: str = ""
    calibration_file: str = ""
    rectified: bool = False
    unrectified: bool = False
    field_of_view: float = 0.0
    encoding: str = ""
    intensity_range: str = ""
    rate: float = 0.0
    start: float = 0.0
    duration: float = float("inf")
    every: int = 1

    @property
    def says_rectified(self) -> bool | None:
        """Whether the images are rectified; None if the source has to find out."""
        return True if self.rectified else False if self.unrectified else None

    def takes(self, index: int) -> bool:
        """Whether the image of this index, counted from the first one after `start`, is read."""
        return index % self.every == 0

    def share_of(self, count: int) -> int:
        """The number of images that are read, of `count`."""
        return -(-count // self.every)


@dataclass(frozen=True)
class SourceFrame:
    """One image with its times, its camera and its reference.

    name: unique within the source and valid as a file name. stamp_ns: time of exposure [ns]; 0 if the source has
    none. received_ns: time of recording [ns]. reference_depth: (H, W) float32 reference depth [m] of the image as
    published, NaN where unknown. T_world_camera: (4, 4) reference pose of the optical frame.
    """

    name: str
    stamp_ns: int
    received_ns: int
    pixels: Pixels
    camera: CameraModel
    reference_depth: np.ndarray | None = None
    T_world_camera: np.ndarray | None = None


class FrameSource(ABC):
    """Frames in the order of their times: `with open_source(path) as source: ... source.frames()`.

    description: the source in words. frame_id: coordinate frame of the images. frame_count: expected number of frames,
    None if unknown. reference_crop: part of the image on which depth is compared with the reference, 'garg' for
    KITTI's. recording: path of the recording, None for a source that is not one; topics: of its image and, if it has
    one, of its camera_info. transforms: static transforms of the source. is_calibrated: whether the images have a
    calibration; without one no length is in metres. references: the reference of a bag's images in words, (name, value)
    each. given_camera: of a calibration file, None without one. opened_with: what `open_source` was given.
    left_out: number of frames skipped so far, by reason. notes: remarks for the user.
    """

    def __init__(self, description: str, frame_id: str, frame_count: int | None):
        self.description = safe_line(description)  # with a path, which may have any name
        self.frame_id = frame_id
        self.frame_count = frame_count
        self.reference_crop = "none"
        self.recording: Path | None = None
        self.topics: list[str] = []
        self.transforms = StaticTransforms()
        self.references: list[tuple[str, str]] = []
        self.given_camera: CameraModel | None = None
        self.opened_with: tuple[str | tuple[str, ...], SourceOptions] | None = None
        self.is_calibrated = True
        self.left_out: Counter[str] = Counter()
        self.notes: list[str] = SafeLines()

    @property
    def reference_lines(self) -> list[tuple[str, str]]:
        """Lines about the reference for a list of facts."""
        return [("reference", f"{name.removeprefix('reference ')} {text}") for name, text in self.references]

    @abstractmethod
    def frames(self) -> Iterator[SourceFrame]:
        """Yield each usable frame once; skipped frames are counted in `left_out`."""

    def read(self, stamp_ns: int, received_ns: int) -> Pixels:
        """Read an image again, by the two times of a frame that `frames` has given. Safe to call from several threads.

        Raises SourceError if there is no such image, and for a source that can be read only once.
        """
        raise SourceError(f"{self.description}: can be read only once; record it and give the recording")

    def keep_decoded(self) -> None:
        """Keep the images that `frames` gives from now on, where `read` would have to decode others to get at one."""

    def decodable_from(self, received_ns: int) -> int:
        """Receive time [ns] of the first message that the image received at this time needs, its own as a rule."""
        return received_ns

    @property
    def has_reference_depth(self) -> bool:
        """Whether there is reference depth for some of the images."""
        return False

    @property
    def has_measured_depth(self) -> bool:
        """Whether a sensor has measured the reference depth at the images' pixels, which may teach a network.

        Ground truth is there to judge, and a LiDAR's points pass obstacles that the camera does not see past.
        """
        return False

    def why_no_depth(self) -> str:
        """Why the images read so far have no reference depth, with topics that miss a rule; '' without a candidate."""
        return ""

    def why_no_poses(self) -> str:
        """Why the images read so far have no reference poses, and what to name; '' if nothing is known."""
        return ""

    def reference_depth(self, stamp_ns: int, received_ns: int, camera: CameraModel) -> np.ndarray | None:
        """The reference depth (H, W) [m] of an image, as its frame gives it; None without one.

        Arguments and use as for `read`; camera: of the frame.
        """
        return None

    def note_missing_calibration(
        self, field_of_view: float = 0.0, origin: str = "as stated", found: str = "no calibration"
    ) -> None:
        """Take the images as uncalibrated, and note the assumption and the ways out.

        field_of_view: known horizontal field of view [degrees], 0 for the guess; origin: where it is known from. found:
        what a recording holds instead of a calibration.
        """
        self.is_calibrated = False
        assumed = f"a horizontal field of view of {field_of_view:.0f} degrees ({origin})"
        if not field_of_view:
            guess = f"{GUESSED_FIELD_OF_VIEW:g} degrees across the longer side"
            assumed = f"a field of view of {guess} (--field-of-view states another)"
        self.notes.append(
            f"{found}: assuming {assumed}; shapes are approximate and lengths are not metres: {CALIBRATE}"
        )

    def close(self) -> None:
        """Release files and devices."""

    def __enter__(self) -> "FrameSource":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def given_camera(options: SourceOptions, image_size: ImageSize | None = None) -> CameraModel | None:
    """The camera of `calibration_file`, or None if none was given.

    image_size: of the images, for a file that states no size. Raises CalibrationError for a bad or empty file.
    """
    if not options.calibration_file:
        return None
    return as_published(read_intrinsics(options.calibration_file, image_size), options.rectified)


def as_published(camera: CameraModel, rectified: bool) -> CameraModel:
    """The camera of the published images: the rectified one, by P, if they are declared rectified."""
    return camera.rectified() if rectified and camera.is_calibrated else camera


def camera_of_size(camera: CameraModel | None, pixels: Pixels, origin: str, field_of_view: float = 0.0) -> CameraModel:
    """The camera of an image, or an uncalibrated one if `camera` is None or uncalibrated.

    origin: what an error calls the calibration, such as a file or a topic. field_of_view: that of an uncalibrated image
    [degrees], 0 for the guess. Raises CalibrationError for an image of another size.
    """
    width, height = pixels.size
    if camera is None or not camera.is_calibrated:
        return CameraModel.uncalibrated(width, height, field_of_view)
    camera.check_size(width, height, origin)
    return camera
