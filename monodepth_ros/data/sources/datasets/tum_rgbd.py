# SPDX-License-Identifier: Apache-2.0
"""TUM RGB-D's layout: rgb/ and depth/ with lists of their times, groundtruth.txt."""

import re
from pathlib import Path

from monodepth_ros.data.pose_files.pose_file import read_pose_file
from monodepth_ros.data.sources.datasets.associations import nearest, poses_at
from monodepth_ros.data.sources.datasets.choice import Place, with_parents
from monodepth_ros.data.sources.datasets.depth_files import DepthPng
from monodepth_ros.data.sources.datasets.listing import Listing, read_listing, set_images
from monodepth_ros.data.sources.image_folder import folder_calibration
from monodepth_ros.data.sources.image_sequence import ImageFiles, ImageSequence, image_files, read_image
from monodepth_ros.data.sources.image_times import list_lines, timed_images
from monodepth_ros.data.sources.source import SourceError, SourceOptions
from monodepth_ros.geometry.camera import CameraModel
from monodepth_ros.input_file import read_text
from monodepth_ros.limits import LARGEST_CALIBRATION

COUNTS_PER_METRE = 5000.0
SIZE = (640, 480)
# Published on the data set's page: fx fy cx cy, then k1 k2 p1 p2 k3 of the colour camera.
CALIBRATIONS = {
    "1": (517.3, 516.5, 318.6, 255.3, 0.2624, -0.9531, -0.0054, 0.0026, 1.1633),
    "2": (520.9, 521.0, 325.1, 249.7, 0.2312, -0.7849, -0.0033, -0.0001, 0.9172),
    "3": (535.4, 539.2, 320.1, 247.6, 0.0, 0.0, 0.0, 0.0, 0.0),
}
DEFAULT = (525.0, 525.0, 319.5, 239.5)
ASSOCIATIONS = ("associations.txt", "associate.txt", "association.txt")
OWN_LISTS = ("rgb.txt", "groundtruth.txt", "accelerometer.txt", *ASSOCIATIONS)
OTHERS = ("depth.txt", "depth", "groundtruth.txt", "accelerometer.txt", "rgb.txt", "calibration.txt", *ASSOCIATIONS)


def find(folder: Path) -> Place | None:
    """The recording that a folder is or, as rgb/ or depth/, belongs to. Raises SourceError for depth/."""
    for root, names in with_parents(folder, 1):
        if names and names[0] not in ("rgb", "depth"):
            continue
        if (root / "rgb").is_dir() and any((root / name).exists() for name in OTHERS):
            if names == ("depth",):
                raise SourceError(f"{folder} holds the depth of a TUM RGB-D recording: give {root}")
            return Place(root)
    return None


def open_tum_rgbd(place: Place, options: SourceOptions = SourceOptions()) -> ImageSequence:
    """Open the colour camera with its depth and the poses of its optical frame.

    Times are those of rgb.txt, of associations.txt, or of the file names. Depth (5000 counts per metre, measured by the
    camera at the pixels of the colour image) is that of the nearest time within half the period of the images. The
    calibration is the one in `options` or in the folder, or else the data set's own by the name of the folder. Raises
    SourceError for lists in another form and without any image.
    """
    root = place.root
    images = set_images(_listed(root, "rgb"), root / "rgb", options.rate)
    camera, origin, notes = _camera(root, images.files[0], options)
    found = ImageFiles(images.files, images.stamps_ns, camera, origin, has_measured_depth=True)
    found.notes = images.notes + notes
    depths = _depths(root)
    if depths.files:
        depths.notes.append(f"depth has {COUNTS_PER_METRE:g} counts per metre, as in TUM RGB-D")
    for number, other in nearest(images.own_ns, depths.stamps_ns).items():
        found.depths[number] = DepthPng(depths.files[other], COUNTS_PER_METRE)
    found.notes += depths.notes
    missing = len(images.files) - len(found.depths)
    if depths.files and missing:
        found.notes.append(f"{missing} of {len(images.files)} images have no depth within half their period")
    truth = root / "groundtruth.txt"
    if truth.is_file():
        poses = read_pose_file(truth)
        found.notes += poses.notes
        if poses.stamps_ns is not None:
            found.poses = poses_at(images.own_ns, poses.stamps_ns, poses.poses)
        if not found.poses:
            found.notes.append(f"{truth.name} has no pose at the times of the images: it is not used")
    return ImageSequence(f"{root} (TUM RGB-D, {len(images.files)} images)", found, options)


def _listed(root: Path, kind: str) -> Listing | None:
    """The list of 'rgb' or 'depth' images, None without one."""
    own = root / f"{kind}.txt"
    if own.is_file():
        return read_listing(own, root)
    associated = next((root / name for name in ASSOCIATIONS if (root / name).is_file()), None)
    return None if associated is None else read_listing(associated, root, _columns(associated, kind))


def _depths(root: Path) -> Listing:
    """The depth images, none without depth/."""
    folder = root / "depth"
    try:
        listed = _listed(root, "depth")
        if listed is None and folder.is_dir():
            if not any((root / name).exists() for name in OWN_LISTS):
                reason = "without TUM RGB-D's lists the counts per metre of depth/ are unknown: it is not used"
                return Listing([], [], [reason])
            timed = timed_images(image_files(folder), [folder], 0.0)
            return Listing(timed.files, timed.stamps_ns, [])
        return listed or Listing([], [], [])
    except SourceError as error:
        return Listing([], [], [f"depth is not used: {error}"])


def _columns(path: Path, kind: str) -> tuple[int, int]:
    """Columns of the time and the name of rgb or depth files in a list of pairs, in either order."""
    lines = [line for line in list_lines(path) if not line.lstrip().startswith("#")]
    words = next((line.split() for line in lines if len(line.split()) >= 4), [])
    if len(words) < 4:
        raise SourceError(f"{path} has no pairs of images: expected two times and two file names per line")
    is_first = words[1].startswith(kind)
    return (0, 1) if is_first else (2, 3)


def _camera(root: Path, first: Path, options: SourceOptions) -> tuple[CameraModel | None, str, list[str]]:
    """The camera, what to call its origin in an error, and notes."""
    for folder in (root, root / "rgb"):
        camera, origin = folder_calibration(folder, options)
        if camera is not None:
            return camera, origin, []
    size = read_image(first).pixels.size
    own = root / "calibration.txt"
    if own.is_file():
        try:
            numbers = [float(word) for word in read_text(own, LARGEST_CALIBRATION).split()[:4]]
            return CameraModel.pinhole(*size, *numbers), str(own), []
        except (ValueError, TypeError):
            return None, str(own), [f"{own} is not used: expected fx fy cx cy"]
    if size != SIZE:
        text = f"the images are {size[0]}x{size[1]}, so the data set's calibration (640x480) does not hold"
        return None, "the data set's calibration", [text]
    number = re.search(r"(?:freiburg|fr)([123])", str(root.resolve()).lower())
    if number is None:
        text = "the name of the folder has no freiburg1, 2 or 3: the data set's default calibration is taken (fx 525)"
        return CameraModel.pinhole(*size, *DEFAULT), "the data set's calibration", [text]
    fx, fy, cx, cy, *D = CALIBRATIONS[number[1]]
    K = [[fx, 0, cx], [0, fy, cy], [0, 0, 1]]
    camera = CameraModel(*size, K=K, D=D, distortion_model="plumb_bob")
    return camera, "the data set's calibration", [f"calibration of freiburg{number[1]}, as the data set publishes it"]
