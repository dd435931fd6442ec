# SPDX-License-Identifier: Apache-2.0
"""A folder in the layout of KITTI's odometry sequences, readable at any moment while it grows."""

import os
from contextlib import suppress
from pathlib import Path

import cv2
import numpy as np

from monodepth_ros.atomic_file import write_new_file
from monodepth_ros.data.calibration import write_calibration
from monodepth_ros.data.images.image_codec import Pixels, to_rgb
from monodepth_ros.data.sources.datasets.kitti import place_of_camera
from monodepth_ros.errors import MonodepthError
from monodepth_ros.geometry.camera import CameraModel
from monodepth_ros.geometry.motion import invert
from monodepth_ros.offline.results.depth_files import depth_counts
from monodepth_ros.output_file import check_writable

PNG = [cv2.IMWRITE_PNG_COMPRESSION, 3]  # higher levels cost more time than they save space


class DatasetFolderError(MonodepthError):
    """A folder that is not empty, or cannot be written."""


class DatasetFolder:
    """Writes image_N/ with calibration.yaml and times.txt, and beside them calib.txt, times.txt, poses.txt and
    proj_depth/groundtruth/image_N/.

    cameras: by KITTI's number. Frames, times and poses belong to the first one. A camera without calibration gets no
    calibration file. calib.txt, with P only, is written if all images are rectified. jpeg: quality from 1 to 100; 0:
    PNG.

    Raises DatasetFolderError for a folder that is not empty or cannot be written.
    """

    def __init__(self, folder: str | Path, cameras: dict[int, CameraModel], jpeg: int = 0):
        self.folder = Path(folder)
        self._first = next(iter(cameras))
        self._suffix, self._quality = (".jpg", [cv2.IMWRITE_JPEG_QUALITY, jpeg]) if jpeg else (".png", PNG)
        self._camera = cameras[self._first]
        self._without_pose = 0  # frames before the first pose, with which poses.txt begins; then -1
        self._T_first_world: np.ndarray | None = None
        self._last_time: dict[int, float] = {}
        self._lengths: dict[Path, int] = {}  # of the tables before this frame [bytes]
        self._images: list[Path] = []  # of this frame
        check_folder(self.folder)
        try:
            for number, camera in cameras.items():
                place = self.folder / f"image_{number}"
                place.mkdir(parents=True)
                if camera.is_calibrated:
                    write_calibration(place / "calibration.yaml", camera, f"image_{number}")
            if all(camera.is_calibrated and camera.is_rectified for camera in cameras.values()):
                rows = (f"P{n}: {' '.join(f'{value:.12e}' for value in c.P.ravel())}\n" for n, c in cameras.items())
                self.write_text("calib.txt", "".join(rows))
        except OSError as error:
            raise _not_written(self.folder, error) from None

    def add(self, number: int, frame: int, time: float, pixels: Pixels, depth: np.ndarray | None = None) -> bool:
        """Write image `frame` of camera `number`, taken at `time` [s], with its ground-truth depth (H, W) [m].

        The image is written last, so that every image has its time even if the program is killed. Returns False and
        writes nothing if the time is not later than that of the camera's last image.
        """
        if time <= self._last_time.get(number, -1.0):
            return False
        self._last_time[number] = time
        line = f"{time:.9f}\n"
        self._append(self.folder / f"image_{number}" / "times.txt", line)
        if number == self._first:
            self._append(self.folder / "times.txt", line)
        if depth is not None:
            place = self.folder / "proj_depth" / "groundtruth" / f"image_{number}"
            self._write(self._begun(place / f"{frame:06d}.png"), _encoded(".png", depth_counts(depth), PNG))
        image = pixels.array
        if pixels.layout not in ("mono", "bgr"):
            image = cv2.cvtColor(to_rgb(image, pixels.layout), cv2.COLOR_RGB2BGR)
        path = self.folder / f"image_{number}" / f"{frame:06d}{self._suffix}"
        self._write(self._begun(path), _encoded(self._suffix, image, self._quality))
        return True

    def end_frame(self) -> None:
        """Keep what `add` and `add_pose` have written since the last call."""
        self._lengths.clear()
        self._images.clear()

    def take_back(self) -> None:
        """Remove what they have written since the last `end_frame`: lines and a depth image without their image."""
        for path, length in self._lengths.items():
            with suppress(OSError):
                os.truncate(path, length)
        for path in self._images:
            with suppress(OSError):
                path.unlink()

    def _begun(self, path: Path) -> Path:
        self._images.append(path)
        return path

    def add_pose(self, T_world_rectified: np.ndarray | None) -> None:
        """Write the reference pose of the first camera's next image, with the rectified image's optical axes; None:
        unknown.

        As in KITTI, poses are those of the camera with P[:, 3] = 0, relative to its first known pose. Unknown poses are
        lines of nan.
        """
        if T_world_rectified is None and self._without_pose >= 0:
            self._without_pose += 1
            return
        text = ""
        if self._without_pose > 0:
            text = (" ".join(["nan"] * 12) + "\n") * self._without_pose
        self._without_pose = -1
        T = np.full((4, 4), np.nan)
        if T_world_rectified is not None:
            T = T_world_rectified
            if self._camera.is_calibrated:
                T = T @ invert(place_of_camera(self._camera.P))
            if self._T_first_world is None:
                self._T_first_world = invert(T)
            T = self._T_first_world @ T
        self._append(self.folder / "poses.txt", text + " ".join(f"{value:.12e}" for value in T[:3].ravel()) + "\n")

    def write_picture(self, name: str, picture: np.ndarray) -> None:
        """Write a PNG beside the image folders."""
        self._write(self.folder / name, _encoded(".png", picture, PNG))

    def write_text(self, name: str, text: str) -> None:
        """Write a file beside the image folders."""
        self._write(self.folder / name, text.encode())

    def _write(self, path: Path, data: bytes) -> None:
        """Write a file whole or not at all. Its temporary name is not that of an image."""
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            write_new_file(path, data, is_settled=True)
        except OSError as error:
            raise _not_written(path, error) from None

    def _append(self, path: Path, text: str) -> None:
        """Append whole lines; `take_back` removes them, and the part of one that a full disk has."""
        try:
            self._lengths.setdefault(path, path.stat().st_size if path.exists() else 0)
            with open(path, "a", encoding="ascii") as file:
                file.write(text)
        except OSError as error:
            raise _not_written(path, error) from None


def check_folder(folder: Path) -> None:
    """Raise DatasetFolderError if a path exists and is not an empty folder."""
    try:
        if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
            raise DatasetFolderError(f"{folder} exists and is not an empty folder: give --out a new one")
        check_writable(folder / "image")
    except OSError as error:
        raise _not_written(folder, error) from None


def _encoded(suffix: str, picture: np.ndarray, quality: list[int]) -> bytes:
    return cv2.imencode(suffix, picture, quality)[1].tobytes()


def _not_written(path: Path, error: OSError) -> DatasetFolderError:
    return DatasetFolderError(f"{path} cannot be written: {error.strerror or error}; the files so far can be used")
