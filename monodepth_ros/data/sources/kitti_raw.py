# SPDX-License-Identifier: Apache-2.0
"""A drive of KITTI's raw data: image_00 to image_03 with their data/, timestamps, calibration and depth."""

from datetime import datetime
from pathlib import Path

from monodepth_ros.data.sources.image_sequence import ImageFiles, ImageSequence, image_files, read_times
from monodepth_ros.data.sources.kitti import camera_from, choose_camera, projection
from monodepth_ros.data.sources.source import SourceError, SourceOptions

CALIBRATION = "calib_cam_to_cam.txt"


def camera_folders(folder: Path) -> dict[int, Path]:
    """The sub-folders image_00 to image_03 that contain images, by camera number."""
    return {n: folder / f"image_{n:02d}" for n in range(4) if (folder / f"image_{n:02d}" / "data").is_dir()}


def open_kitti_raw(folder: str | Path, options: SourceOptions = SourceOptions()) -> ImageSequence:
    """Open one rectified camera of a drive, calibrated by a file in the drive's folder or, as KITTI has it, above it.

    Reference depth comes from proj_depth/groundtruth/image_0N/ (the depth benchmark) or proj_depth_png16/ (for
    image_02), by file name. Raises SourceError for a missing camera and for too few times.
    """
    folder = Path(folder)
    folders = camera_folders(folder)
    number = choose_camera(folder, folders, options.camera)
    files = image_files(folders[number] / "data")
    places = folder / CALIBRATION, folder.resolve().parent / CALIBRATION
    calibration = next((path for path in places if path.is_file()), None)
    P = projection(calibration, f"P_rect_{number:02d}") if calibration else None
    camera = camera_from(P, folders[number] / "data", options)
    times = _times(folders[number], folder, len(files), options.rate)
    found = ImageFiles(files, times, camera, str(calibration or "calibration"))
    depth_folders = [folder / "proj_depth" / "groundtruth" / folders[number].name]
    if number == 2:
        depth_folders.append(folder / "proj_depth_png16")
    for depth_folder in depth_folders:
        for i, file in enumerate(files):
            depth = depth_folder / f"{file.stem}.png"
            if i not in found.depth_files and depth.is_file():
                found.depth_files[i] = depth
    source = ImageSequence(f"{folder} (KITTI raw, {folders[number].name})", found, options)
    source.reference_crop = "garg"
    return source


def _times(camera_folder: Path, folder: Path, count: int, rate: float) -> list[float]:
    """Times from the first frame on [s], by KITTI's timestamps.txt (2011-09-26 13:02:25.594360375) or `read_times`."""
    path = camera_folder / "timestamps.txt"
    if rate or not path.is_file():
        return read_times([folder, camera_folder], count, rate)
    try:
        stamps = [datetime.fromisoformat(line.strip()[:26]) for line in path.read_text().splitlines() if line.strip()]
    except ValueError:
        raise SourceError(f"{path} is not a list of dates and times, one per line: give --rate HZ instead") from None
    if len(stamps) < count:
        raise SourceError(f"{path} has {len(stamps)} times for {count} images: give --rate HZ instead")
    return [(stamp - stamps[0]).total_seconds() for stamp in stamps[:count]]
