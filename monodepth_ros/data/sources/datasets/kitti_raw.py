# SPDX-License-Identifier: Apache-2.0
"""A drive of KITTI's raw data: image_00 to image_03 with their data/, timestamps, calibration and depth."""

import calendar
from datetime import datetime
from pathlib import Path

from monodepth_ros.data.sources.datasets.choice import Place, with_parents
from monodepth_ros.data.sources.datasets.depth_files import depth_pngs
from monodepth_ros.data.sources.datasets.kitti import camera_from, choose_camera, projection
from monodepth_ros.data.sources.datasets.kitti_depth import depth_of_drive, raw_drive
from monodepth_ros.data.sources.image_sequence import ImageFiles, ImageSequence, image_files
from monodepth_ros.data.sources.image_times import list_lines, timed_images
from monodepth_ros.data.sources.source import SourceError, SourceOptions

CALIBRATION = "calib_cam_to_cam.txt"


def camera_folders(folder: Path) -> dict[int, Path]:
    """The sub-folders image_00 to image_03 that contain images, by camera number."""
    return {n: folder / f"image_{n:02d}" for n in range(4) if (folder / f"image_{n:02d}" / "data").is_dir()}


def find(folder: Path) -> Place | None:
    """The drive that a folder is, or belongs to as image_0N/ or image_0N/data/; also by its proj_depth/ alone.

    Raises SourceError for a folder with proj_depth/ whose images are not found.
    """
    for root, names in with_parents(folder, 2):
        if names and (names[0] not in [f"image_{n:02d}" for n in range(4)] or names[1:] not in ((), ("data",))):
            continue
        if camera_folders(root):
            return Place(root, names[0] if names else "")
    drive = raw_drive(folder)
    return None if drive is None else Place(drive)


def open_kitti_raw(place: Place, options: SourceOptions = SourceOptions()) -> ImageSequence:
    """Open one rectified camera of a drive, calibrated by a file in the drive's folder or, as KITTI has it, above it.

    Reference depth comes from proj_depth/groundtruth/image_0N/ (the depth benchmark) or proj_depth_png16/ (for
    image_02), by file name. Raises SourceError for a missing camera and for too few times.
    """
    folder = place.root
    folders = camera_folders(folder)
    number = choose_camera(folder, folders, options.camera or place.camera)
    files = image_files(folders[number] / "data")
    places = folder / CALIBRATION, folder.resolve().parent / CALIBRATION
    calibration = next((path for path in places if path.is_file()), None)
    P = projection(calibration, f"P_rect_{number:02d}") if calibration else None
    camera = camera_from(P, folders[number] / "data", options)
    files, stamps_ns, notes = _times(folders[number], folder, files, options.rate)
    found = ImageFiles(files, stamps_ns, camera, str(calibration or "calibration"), notes=notes)
    annotated = depth_of_drive(folder)
    if number == 2:
        found.depths |= depth_pngs(folder / "proj_depth_png16", files)
    if annotated is not None:
        found.depths |= depth_pngs(annotated / folders[number].name, files)
    source = ImageSequence(f"{folder} (KITTI raw, {folders[number].name})", found, options)
    source.reference_crop = "garg"
    return source


def _times(
    camera_folder: Path, folder: Path, files: list[Path], rate: float
) -> tuple[list[Path], list[int], list[str]]:
    """Files, times from the first one on [ns] by KITTI's timestamps.txt (2011-09-26 13:02:25.594360375) or
    `timed_images`, and notes."""
    path = camera_folder / "timestamps.txt"
    if rate or not path.is_file():
        return timed_images(files, [folder, camera_folder], rate)
    try:
        stamps = [_nanoseconds(line.strip()) for line in list_lines(path) if line.strip()]
    except SourceError:
        raise
    except ValueError:
        raise SourceError(f"{path} is not a list of dates and times, one per line: give --rate HZ instead") from None
    # Frames that are missing in a synchronised drive leave a gap in the names, not in the list.
    numbers = [int(file.stem) if file.stem.isdecimal() else -1 for file in files]
    if len(stamps) > len(files) and -1 not in numbers and max(numbers) < len(stamps):
        chosen = [stamps[number] for number in numbers]
    elif len(stamps) >= len(files):
        chosen = stamps[: len(files)]
    else:
        raise SourceError(f"{path} has {len(stamps)} times for {len(files)} images: give --rate HZ instead")
    if any(later <= earlier for earlier, later in zip(chosen, chosen[1:])):
        raise SourceError(f"the times in {path} do not increase from line to line: give --rate HZ instead")
    return files, [stamp - stamps[0] for stamp in chosen], []


def _nanoseconds(text: str) -> int:
    """A date and time to the nanosecond, as UTC [ns since 1970]. ValueError for other text."""
    whole, _, fraction = text.partition(".")
    seconds = calendar.timegm(datetime.fromisoformat(whole).timetuple())
    return seconds * 1_000_000_000 + int(fraction[:9].ljust(9, "0") or 0)
