# SPDX-License-Identifier: Apache-2.0
"""A sequence of KITTI's odometry benchmark: image_0 to image_3, calib.txt, times.txt, poses."""

from pathlib import Path

import numpy as np

from monodepth_ros.data.calibration import read_calibration
from monodepth_ros.data.pose_files.pose_file import are_rotations, with_last_row
from monodepth_ros.data.pose_files.text_table import PoseFileError, read_table
from monodepth_ros.data.sources.datasets.choice import Place, with_parents
from monodepth_ros.data.sources.datasets.depth_files import depth_pngs
from monodepth_ros.data.sources.datasets.kitti import camera_from, choose_camera, place_of_camera, projection
from monodepth_ros.data.sources.image_sequence import ImageFiles, ImageSequence, image_files
from monodepth_ros.data.sources.image_times import numbers_of, timed_images
from monodepth_ros.data.sources.source import SourceError, SourceOptions, as_published, given_camera
from monodepth_ros.geometry.motion import make_transform
from monodepth_ros.limits import LARGEST_POSITION

CALIBRATIONS = ("calib.txt", "calib_P0_P1.txt")
CAMERA_CALIBRATION = "calibration.yaml"


def camera_folders(folder: Path) -> dict[int, Path]:
    """The existing sub-folders image_0 to image_3, by camera number."""
    return {n: folder / f"image_{n}" for n in range(4) if (folder / f"image_{n}").is_dir()}


def find(folder: Path) -> Place | None:
    """The sequence that a folder is, or belongs to as image_N/ without times and calibration of its own."""
    for root, names in with_parents(folder, 1):
        if names and names[0] not in [f"image_{n}" for n in range(4)]:
            continue
        if names and (_has_own(folder) or not any((root / name).is_file() for name in CALIBRATIONS)):
            continue
        if camera_folders(root):
            return Place(root, names[0] if names else "")
    return None


def _has_own(folder: Path) -> bool:
    return any((folder / name).is_file() for name in (CAMERA_CALIBRATION, "times.txt"))


def open_kitti_odometry(place: Place, options: SourceOptions = SourceOptions()) -> ImageSequence:
    """Open one camera of a sequence, with the reference poses of poses.txt or ../../poses/NN.txt if there are some.

    `monodepth extract` adds the following to KITTI's layout. image_N/calibration.yaml, which may have distortion, has
    precedence over calib.txt. image_N/times.txt holds the times of this camera's images, whose names are then frame
    numbers. proj_depth/groundtruth/image_N/ holds reference depth. Lines of nan in poses.txt are unknown poses. Raises
    SourceError for a missing camera or calibration, and for too few times.
    """
    folder = place.root
    folders = camera_folders(folder)
    number = choose_camera(folder, folders, options.camera or place.camera)
    images = folders[number]
    calibration = next((folder / name for name in CALIBRATIONS if (folder / name).is_file()), None)
    R = np.eye(3)
    if (images / CAMERA_CALIBRATION).is_file():
        calibration = images / CAMERA_CALIBRATION
        own = as_published(read_calibration(calibration), options.rectified)
        P, R, camera = own.P, own.R, given_camera(options, lambda: (own.width, own.height)) or own
    else:
        P = projection(calibration, f"P{number}") if calibration else None
        camera = camera_from(P, images, options)
    files, stamps_ns, notes = timed_images(image_files(images), [images, folder], options.rate)
    found = ImageFiles(files, stamps_ns, camera, str(calibration or "calibration"), notes=notes)
    frames = range(len(files))
    if (images / "times.txt").is_file() and all(file.stem.isdigit() for file in files):
        frames = [int(file.stem) for file in files]
    found.depths |= depth_pngs(folder / "proj_depth" / "groundtruth" / images.name, files)
    candidates = folder / "poses.txt", folder.resolve().parents[1] / "poses" / f"{folder.resolve().name}.txt"
    poses = next((path for path in candidates if path.is_file()), None)
    if poses is not None and P is not None:
        T_rectified_camera = make_transform(R, (0.0, 0.0, 0.0))
        all_poses = read_poses(poses)
        if len(all_poses) > len(files):  # a part of a sequence
            frames = numbers_of(files, len(all_poses)) or frames
        known = {number: T for number, T in enumerate(all_poses) if np.isfinite(T).all()}
        found.poses = {
            i: known[n] @ place_of_camera(P) @ T_rectified_camera for i, n in enumerate(frames) if n in known
        }
    return ImageSequence(f"{folder} (KITTI odometry, {folders[number].name})", found, options)


def read_poses(path: Path) -> list[np.ndarray]:
    """T_first_camera0 (4, 4) of each frame, from twelve numbers per line. Raises SourceError for any other text."""
    expected = "twelve numbers per line"
    try:
        table = read_table(path, expected)
    except PoseFileError as error:
        raise SourceError(f"poses {error}") from None
    if table.width != 12:
        raise SourceError(f"poses {path}: {table.width} numbers per line; expected {expected}")
    poses = with_last_row(table.values.reshape(-1, 3, 4))
    is_known = np.isfinite(poses).all(axis=(1, 2))
    is_bad = is_known & (np.abs(poses[:, :3, 3]).max(axis=1) > LARGEST_POSITION)
    is_bad[is_known] |= ~are_rotations(poses[is_known])
    if is_bad.any():
        line = table.lines[int(np.argmax(is_bad))]
        raise SourceError(f"poses {path}: line {line} is no pose: expected a rotation and a translation in metres")
    return list(poses)
