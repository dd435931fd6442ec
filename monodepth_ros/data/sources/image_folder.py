# SPDX-License-Identifier: Apache-2.0
"""A folder of images, optionally with a calibration file and times.txt."""

from pathlib import Path

from monodepth_ros.data.calibration import calibration_note, read_calibration
from monodepth_ros.data.sources.image_groups import images_of_camera
from monodepth_ros.data.sources.image_listing import list_images
from monodepth_ros.data.sources.image_sequence import ImageFiles, ImageSequence, first_size, image_files
from monodepth_ros.data.sources.image_times import timed_images
from monodepth_ros.data.sources.source import SourceOptions, as_published, given_camera
from monodepth_ros.geometry.camera import CameraModel

# Names that camera_calibration and camera_info_manager give to their files.
CALIBRATION_NAMES = ("calibration.yaml", "camera_info.yaml", "camera.yaml", "ost.yaml")


def open_image_folder(folder: str | Path, options: SourceOptions = SourceOptions()) -> ImageSequence:
    """Open the images of a folder in the order of their times, or in natural order of their names without any.

    Of images of several cameras in one folder those of one are read, see `images_of_camera`. The calibration is the one
    in `options`, or else the first of CALIBRATION_NAMES in the folder. Raises SourceError
    for a folder without images, CalibrationError for a bad calibration file.
    """
    folder = Path(folder)
    files, left_out = list_images(folder)
    files, notes = images_of_camera(folder, files, options.camera)
    files, stamps_ns, more = timed_images(files, [folder], options.rate)
    camera, origin = folder_calibration(folder, options)
    if camera is not None and not options.calibration_file and (note := calibration_note(origin)):
        more.append(f"{origin}: {note}")
    found = ImageFiles(files, stamps_ns, camera, origin, notes=left_out + notes + more)
    chosen = f", {files[0].name} first" if notes else ""  # tells the cameras of one folder apart
    return ImageSequence(f"{folder} ({len(files)} images{chosen})", found, options)


def folder_calibration(folder: Path, options: SourceOptions) -> tuple[CameraModel | None, str]:
    """The camera of the images in a folder, None without calibration, and what to call its origin in an error."""

    def image_size() -> tuple[int, int]:
        return first_size(image_files(folder))

    camera, origin = given_camera(options, image_size), "the calibration file"
    if camera is None:
        beside = next((folder / name for name in CALIBRATION_NAMES if (folder / name).is_file()), None)
        if beside is not None:
            camera, origin = as_published(read_calibration(beside, image_size), options.rectified), str(beside)
            camera = camera if camera.is_calibrated else None  # as camera_info_manager writes it without a calibration
    return camera, origin
