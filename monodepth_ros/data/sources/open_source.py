# SPDX-License-Identifier: Apache-2.0
"""Open the frame source for a path or a camera number given by a user."""

from pathlib import Path

from monodepth_ros.data.bags.files import ROS1_SUFFIX, ROS2_SUFFIXES
from monodepth_ros.data.sources import kitti_odometry, kitti_raw
from monodepth_ros.data.sources.bag import BagSource
from monodepth_ros.data.sources.image_folder import open_image_folder
from monodepth_ros.data.sources.image_sequence import SUFFIXES
from monodepth_ros.data.sources.live_camera import LiveCamera
from monodepth_ros.data.sources.source import FrameSource, SourceError, SourceOptions
from monodepth_ros.data.sources.video import VideoSource

BAG_SUFFIXES = (*ROS2_SUFFIXES, ROS1_SUFFIX)
EXPECTED = (
    "a bag (folder, .mcap, .db3, .bag), a folder of images, a KITTI drive or sequence, a video, or a camera's number"
)


def open_source(path: str, options: SourceOptions = SourceOptions()) -> FrameSource:
    """Open the source at a path; digits that are not a path are a camera number.

    Raises SourceError, or RecordingError or CalibrationError of a reader, if the source cannot be read.
    """
    source = _open(path, options)
    source.opened_with = path, options
    return source


def _open(path: str, options: SourceOptions) -> FrameSource:
    place = Path(path)
    if path.isascii() and path.isdigit() and not place.exists():
        return LiveCamera(int(path), options)
    if not place.exists():
        raise SourceError(f"{path} does not exist: expected {EXPECTED}")
    if place.is_dir():
        return _open_folder(place, options)
    if place.suffix.lower() in SUFFIXES:
        raise SourceError(f"{path} is a single image: give its folder")
    if place.suffix in (*BAG_SUFFIXES, ".zstd", ".lz4") or place.name == "metadata.yaml":
        return BagSource(place, options)
    return VideoSource(place, options)


def _open_folder(folder: Path, options: SourceOptions) -> FrameSource:
    if kitti_raw.camera_folders(folder):
        return kitti_raw.open_kitti_raw(folder, options)
    if kitti_odometry.camera_folders(folder):
        return kitti_odometry.open_kitti_odometry(folder, options)
    try:
        inside = sorted(folder.iterdir())
    except OSError as error:
        raise SourceError(f"{folder} cannot be read: {error.strerror or error}") from None
    is_bag = any(entry.name == "metadata.yaml" or entry.suffix in BAG_SUFFIXES for entry in inside)
    if not is_bag and any(entry.suffix.lower() in SUFFIXES for entry in inside):
        return open_image_folder(folder, options)
    if not is_bag and not any((entry / "metadata.yaml").exists() for entry in inside):
        raise SourceError(f"{folder} contains no frames: expected {EXPECTED}")
    return BagSource(folder, options)
