"""A sequence of KITTI's odometry benchmark: image_0 to image_3, calib.txt, times.txt, poses."""

from pathlib import Path

import numpy as np

from monodepth_ros.data.sources.image_sequence import ImageFiles, ImageSequence, image_files, read_times
from monodepth_ros.data.sources.kitti import camera_from, choose_camera, place_of_camera, projection
from monodepth_ros.data.sources.source import SourceError, SourceOptions

CALIBRATIONS = ("calib.txt", "calib_P0_P1.txt")


def camera_folders(folder: Path) -> dict[int, Path]:
    """The sub-folders image_0 to image_3 that are there, by number."""
    return {n: folder / f"image_{n}" for n in range(4) if (folder / f"image_{n}").is_dir()}


def open_kitti_odometry(folder: str | Path, options: SourceOptions = SourceOptions()) -> ImageSequence:
    """One camera of a sequence, with the exact poses of poses.txt or ../../poses/NN.txt if there are some.

    Raises SourceError for a camera, calibration or times that are not there.
    """
    folder = Path(folder)
    folders = camera_folders(folder)
    number = choose_camera(folder, folders, options.camera)
    files = image_files(folders[number])
    calibration = next((folder / name for name in CALIBRATIONS if (folder / name).is_file()), None)
    P = projection(calibration, f"P{number}") if calibration else None
    camera = camera_from(P, folders[number], options)
    found = ImageFiles(
        files, read_times([folder], len(files), options.rate), camera, str(calibration or "calibration")
    )
    candidates = folder / "poses.txt", folder.resolve().parents[1] / "poses" / f"{folder.resolve().name}.txt"
    poses = next((path for path in candidates if path.is_file()), None)
    if poses is not None and P is not None:
        found.poses = {i: T @ place_of_camera(P) for i, T in enumerate(read_poses(poses)) if i < len(files)}
    return ImageSequence(f"{folder} (KITTI odometry, {folders[number].name})", found, options)


def read_poses(path: Path) -> list[np.ndarray]:
    """T_first_camera0 (4, 4) of each frame, twelve numbers per line; SourceError for any other text."""
    try:
        rows = np.loadtxt(path, dtype=np.float64, ndmin=2)
        tops = rows.reshape(-1, 3, 4)
    except (OSError, ValueError) as error:
        raise SourceError(f"poses {path} cannot be read as twelve numbers per line: {error}") from None
    return [np.vstack((top, (0.0, 0.0, 0.0, 1.0))) for top in tops]
