# SPDX-License-Identifier: Apache-2.0
"""The interface of every frame source."""

from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from monodepth_ros.data.bags.static_transforms import StaticTransforms
from monodepth_ros.data.calibration import read_calibration
from monodepth_ros.data.image_codec import Pixels
from monodepth_ros.errors import MonodepthError
from monodepth_ros.geometry.camera import CalibrationError, CameraModel


class SourceError(MonodepthError):
    """A path, device or choice from which no frames can be had."""


class SourceChoiceError(SourceError):
    """Several cameras fit; choices: the command-line arguments that name each of them."""

    def __init__(self, message: str, choices: list[list[str]]):
        super().__init__(message)
        self.choices = choices


@dataclass(frozen=True)
class SourceOptions:
    """What a user may say about a source; each reader takes what concerns it.

    topic, camera_info: of a bag; odometry: its nav_msgs/Odometry to take poses from, '' for one that is named as
    ground truth. camera: of a folder with several ('left', 'right' or the sub-folder's name).
    calibration_file: in camera_calibration's format, instead of the source's own. rectified: the images are
    rectified already: intrinsics are P, and D is ignored. rate: frames per second where the source states no
    times (0: its reader's default). start: seconds to skip; duration: seconds to read.
    """

    topic: str = ""
    camera_info: str = ""
    odometry: str = ""
    camera: str = ""
    calibration_file: str = ""
    rectified: bool = False
    rate: float = 0.0
    start: float = 0.0
    duration: float = float("inf")


@dataclass(frozen=True)
class SourceFrame:
    """One image and what the source knows about it.

    name: unique within the source, fit for a file name. stamp_ns: when it was taken; 0 if the source states
    none. received_ns: when it was recorded. truth_depth: (H, W) float32 [m] of the image as published, NaN
    where unknown. T_world_camera: (4, 4) exact pose of the optical frame.
    """

    name: str
    stamp_ns: int
    received_ns: int
    pixels: Pixels
    camera: CameraModel
    truth_depth: np.ndarray | None = None
    T_world_camera: np.ndarray | None = None


class FrameSource(ABC):
    """Frames in the order of their times: `with open_source(path) as source: ... source.frames()`.

    description: what it is, in words. frame_id: of the images. frame_count: how many frames to expect, None
    if nobody knows. truth_crop: the part of an image that its ground truth is compared on, 'garg' for
    KITTI's. recording: the path of a recording with more topics, if it is one. transforms: the source's
    static transforms. left_out: frames that could not be used, by reason, as known so far. notes: what a user
    should know about this source.
    """

    def __init__(self, description: str, frame_id: str, frame_count: int | None):
        self.description = description
        self.frame_id = frame_id
        self.frame_count = frame_count
        self.truth_crop = "none"
        self.recording: Path | None = None
        self.transforms = StaticTransforms()
        self.left_out: Counter[str] = Counter()
        self.notes: list[str] = []

    @abstractmethod
    def frames(self) -> Iterator[SourceFrame]:
        """Every usable frame, once; the others are counted in `left_out`."""

    def read(self, stamp_ns: int, received_ns: int) -> Pixels:
        """The image of a frame that `frames` gave before, by its two times; may be called from several
        threads.

        Raises SourceError where there is none, or for a source whose frames come once.
        """
        raise SourceError(f"{self.description}: its frames come once; record them and give the recording")

    def close(self) -> None:
        """Release files and devices."""

    def __enter__(self) -> "FrameSource":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def given_camera(options: SourceOptions) -> CameraModel | None:
    """The camera of the calibration file that was given, or None. Raises CalibrationError for a bad file."""
    if not options.calibration_file:
        return None
    return as_published(read_calibration(options.calibration_file), options.rectified)


def as_published(camera: CameraModel, rectified: bool) -> CameraModel:
    """The model of the images, which may be declared rectified: P counts then."""
    return camera.rectified() if rectified and camera.is_calibrated else camera


def camera_of_size(camera: CameraModel | None, pixels: Pixels, origin: str) -> CameraModel:
    """The camera if it has the image's size, an uncalibrated one if there is none; else CalibrationError."""
    if camera is None:
        return CameraModel.pinhole(*pixels.size, 0.0, 0.0, 0.0, 0.0)
    if (camera.width, camera.height) != pixels.size:
        raise CalibrationError(
            f"image of {pixels.size[0]}x{pixels.size[1]} but {origin} is for {camera.width}x{camera.height}"
        )
    return camera
