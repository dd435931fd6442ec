# SPDX-License-Identifier: Apache-2.0
"""The layout of EuRoC's MAV data set, which TUM VI and others share: mav0/cam0/{data/, data.csv, sensor.yaml}."""

from pathlib import Path

import numpy as np

from monodepth_ros.data.pose_files.pose_file import read_pose_file
from monodepth_ros.data.sources.datasets.asl_calibration import AslCamera, read_camchain, read_sensor, read_T_BS
from monodepth_ros.data.sources.datasets.associations import poses_at
from monodepth_ros.data.sources.datasets.choice import Place, choose, with_parents
from monodepth_ros.data.sources.datasets.listing import read_listing, set_images
from monodepth_ros.data.sources.image_folder import folder_calibration
from monodepth_ros.data.sources.image_sequence import ImageFiles, ImageSequence
from monodepth_ros.data.sources.source import SourceOptions
from monodepth_ros.geometry.camera import CalibrationError, CameraModel
from monodepth_ros.geometry.motion import invert
from monodepth_ros.geometry.stereo_rectification import rectified_pair

# Sensors that hold the poses of the body; that of the estimate is the body's own.
TRUTHS = ("state_groundtruth_estimate0", "mocap0", "vicon0", "groundtruth0", "gt0")


def find(folder: Path) -> Place | None:
    """The mav0/ that a folder is, contains, or belongs to as camN/ or camN/data/."""
    if (folder / "mav0").is_dir() and cameras(folder / "mav0"):
        return Place(folder / "mav0")
    for root, names in with_parents(folder, 2):
        if names and not names[0].startswith("cam"):
            continue
        if len(names) == 2 and names[1] != "data":
            continue
        if cameras(root):
            return Place(root, names[0] if names else "")
    return None


def cameras(root: Path) -> list[str]:
    """Names of the sub-folders cam0, cam1, ... with data/ and, outside of mav0/, a list or a calibration."""
    places = [place for place in sorted(root.glob("cam[0-9]")) if (place / "data").is_dir()]
    if root.name != "mav0":
        places = [place for place in places if (place / "data.csv").exists() or (place / "sensor.yaml").exists()]
    return [place.name for place in places]


def open_euroc(place: Place, options: SourceOptions = SourceOptions()) -> ImageSequence:
    """Open one camera: 'left' (cam0, the default), 'right' (cam1), or by the name of its folder.

    Times are those of data.csv, or of the file names. The calibration is the one in `options`, else sensor.yaml, else a
    camchain of Kalibr above (TUM VI has dso/camchain.yaml). Two calibrated cameras side by side get the R and P of a
    rectified pair. Reference poses are those of the body, moved to the camera by its T_BS. Raises SourceError for a
    camera that is not there and a data.csv in another form.
    """
    root = place.root
    names = cameras(root)
    sides = {"left": "cam0", "right": "cam1"}
    name = choose(root, names, sides.get(options.camera, options.camera), place.camera or names[0])
    folder = root / name
    listed = folder / "data.csv"
    listing = read_listing(listed, folder / "data") if listed.is_file() else None
    images = set_images(listing, folder / "data", options.rate)
    notes = list(images.notes)
    own = _calibration(root, name, notes)
    camera, origin = folder_calibration(folder, options)
    if camera is None and own is not None:
        camera, origin = _rectified(root, names, name, own), own.origin
        camera = camera.rectified() if options.rectified else camera
    found = ImageFiles(images.files, images.stamps_ns, camera, origin, notes=notes)
    found.poses = _poses(root, own, images.own_ns, notes)
    return ImageSequence(f"{root} (EuRoC layout, {name}, {len(images.files)} images)", found, options)


def _calibration(root: Path, name: str, notes: list[str]) -> AslCamera | None:
    """The calibration of a camera, None without one; a file that cannot be used is noted."""
    sensor = root / name / "sensor.yaml"
    chains = [*sorted(root.glob("*camchain*.yaml")), *sorted(root.resolve().parent.glob("*camchain*.yaml"))]
    chains += sorted(root.resolve().parent.glob("dso/*camchain*.yaml"))
    try:
        if sensor.is_file():
            return read_sensor(sensor)
        found = (read_camchain(path, name) for path in chains)
        return next((camera for camera in found if camera is not None), None)
    except CalibrationError as error:
        notes.append(str(error))
        return None


def _rectified(root: Path, names: list[str], name: str, own: AslCamera) -> CameraModel:
    """The camera with R and P of the pair that cam0 and cam1 form, or as it is."""
    pair = ("cam0", "cam1")
    if name not in pair or not set(pair) <= set(names):
        return own.camera
    left, right = (own if camera == name else _calibration(root, camera, []) for camera in pair)
    if left is None or right is None or left.T_body_camera is None or right.T_body_camera is None:
        return own.camera
    T_left_right = invert(left.T_body_camera) @ right.T_body_camera
    return rectified_pair(left.camera, right.camera, T_left_right)[pair.index(name)]


def _poses(root: Path, own: AslCamera | None, own_ns: list[int], notes: list[str]) -> dict[int, np.ndarray]:
    """T_world_camera by the number of the image, from the first of TRUTHS that there is."""
    path = next((root / name / "data.csv" for name in TRUTHS if (root / name / "data.csv").is_file()), None)
    if path is None:
        return {}
    T_body_camera = None if own is None else own.T_body_camera
    if T_body_camera is None:
        notes.append(f"{path.parent.name} holds poses of the body and is not used: no T_BS of the camera is known")
        return {}
    truth = read_pose_file(path)
    notes += truth.notes
    if truth.stamps_ns is None:
        return {}
    T_sensor_camera = invert(read_T_BS(path.parent / "sensor.yaml")) @ T_body_camera
    found = poses_at(own_ns, truth.stamps_ns, truth.poses)
    if not found:
        notes.append(f"{path.parent.name} has no pose at the times of the images: it is not used")
    return {number: pose @ T_sensor_camera for number, pose in found.items()}
