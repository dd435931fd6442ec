# SPDX-License-Identifier: Apache-2.0
"""nuScenes' layout: tables in v1.0-mini/ (or -trainval, -test), images in samples/ and sweeps/."""

from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from monodepth_ros.data.sources.datasets.associations import nearest
from monodepth_ros.data.sources.datasets.choice import Place, choose, with_parents
from monodepth_ros.data.sources.datasets.depth_files import LidarPoints
from monodepth_ros.data.sources.datasets.json_file import read_json
from monodepth_ros.data.sources.datasets.listing import in_order, is_within
from monodepth_ros.data.sources.image_sequence import ImageFiles, ImageSequence, first_size
from monodepth_ros.data.sources.image_times import times_at_rate
from monodepth_ros.data.sources.source import SourceError, SourceOptions, given_camera
from monodepth_ros.errors import typed_line
from monodepth_ros.geometry.calibration_checks import check_intrinsics
from monodepth_ros.geometry.camera import CalibrationError, CameraModel
from monodepth_ros.geometry.motion import invert, make_transform, quaternion_to_rotation

FRONT, LIDAR, LIDAR_NUMBERS = "CAM_FRONT", "LIDAR_TOP", 5
IMAGE_PLACES = ("samples", "sweeps")

Row = Mapping[str, Any]


def find(folder: Path) -> Place | None:
    """The data set that a folder is, or belongs to as its tables, samples/, sweeps/ or the folder of a camera there."""
    for root, names in with_parents(folder, 2):
        if names and names[0] not in IMAGE_PLACES and not names[0].startswith("v1.0-"):
            continue
        if tables(root):
            is_camera = len(names) == 2 and names[1].startswith("CAM_")
            return Place(root, names[1] if is_camera else "")
    return None


def tables(root: Path) -> list[Path]:
    """The folders with tables, such as v1.0-mini/."""
    return sorted(path.parent for path in root.glob("v1.0-*/sample_data.json"))


def open_nuscenes(place: Place, options: SourceOptions = SourceOptions()) -> ImageSequence:
    """Open one camera, CAM_FRONT by default, with all its images (key frames and those between) in time order.

    The images have no distortion; the calibration of each is that of its drive. Reference poses are those of the car in
    the map, moved to the camera. Reference depth is the sweep of LIDAR_TOP nearest in time, moved by the car's poses.
    Images that are not there are left out with a note. Raises SourceError for missing and damaged tables.
    """
    root = place.root
    folder = tables(root)[0]
    try:
        set_ = _Tables(folder)
        names = set_.channels("camera")
        default = place.camera or (FRONT if FRONT in names else names[0])
        name = choose(root, names, options.camera, default)
        rows = set_.rows_of(name)
        listing = in_order(
            [root / row["filename"] for row in rows], [_ns(row) for row in rows], folder / "sample_data.json", root
        )
        by_file = {root / row["filename"]: row for row in rows}
        rows = [by_file[file] for file in listing.files]
        given = given_camera(options, partial(first_size, listing.files))
        found = ImageFiles(listing.files, listing.stamps_ns, given, notes=list(listing.notes))
        if found.camera is None:
            cameras = _intrinsics(set_, rows, folder / "calibrated_sensor.json")
            found.camera_of = lambda index, size: CameraModel(*size, K=cameras[rows[index]["calibrated_sensor_token"]])
            found.camera_origin = "calibrated_sensor.json"
        found.poses = {i: set_.T_world_sensor(row) for i, row in enumerate(rows)}
        found.depths = _depths(set_, root, rows, listing.stamps_ns, found.poses)
        scenes = set_.scene_count()
    except (SourceError, CalibrationError):
        raise
    except (LookupError, TypeError, ValueError, AttributeError, ArithmeticError) as error:
        raise SourceError(f"{folder}: the tables are not in nuScenes' form ({typed_line(error)})") from None
    if options.rate:
        found.stamps_ns = times_at_rate(len(found.files), options.rate)
    if scenes > 1:
        found.notes.append(f"{scenes} scenes one after the other: --start and --duration choose a part")
    return ImageSequence(f"{root} (nuScenes, {name}, {len(found.files)} images)", found, options)


class _Tables:
    """The tables, by token."""

    def __init__(self, folder: Path):
        self._folder = folder
        self._sensors = self._by_token("calibrated_sensor")
        self._channels = {token: (row["channel"], row["modality"]) for token, row in self._by_token("sensor").items()}
        self._poses = self._by_token("ego_pose")
        self._data = read_json(folder / "sample_data.json")

    def _by_token(self, name: str) -> dict[str, Row]:
        return {row["token"]: row for row in read_json(self._folder / f"{name}.json")}

    def channels(self, modality: str) -> list[str]:
        """Names of the sensors of one kind. Raises SourceError if there is none."""
        names = sorted(name for name, kind in self._channels.values() if kind == modality)
        if not names:
            raise SourceError(f"{self._folder / 'sensor.json'} has no {modality}")
        return names

    def rows_of(self, channel: str) -> list[Row]:
        """The data of one sensor in the order of its times."""
        own = {token for token, row in self._sensors.items() if self._channels[row["sensor_token"]][0] == channel}
        return sorted((row for row in self._data if row["calibrated_sensor_token"] in own), key=_ns)

    def intrinsics(self, row: Row) -> np.ndarray:
        """K (3, 3) of a camera's image."""
        K = np.array(self._sensors[row["calibrated_sensor_token"]]["camera_intrinsic"], np.float64).reshape(3, 3)
        check_intrinsics("camera_intrinsic", K)
        return K

    def T_world_sensor(self, row: Row) -> np.ndarray:
        """(4, 4) at the time of the row."""
        return _transform(self._poses[row["ego_pose_token"]]) @ _transform(
            self._sensors[row["calibrated_sensor_token"]]
        )

    def scene_count(self) -> int:
        """Number of scenes, 0 without their table."""
        path = self._folder / "scene.json"
        return len(read_json(path)) if path.is_file() else 0


def _intrinsics(tables: _Tables, rows: list[Row], path: Path) -> dict[str, np.ndarray]:
    """K (3, 3) by the token of the calibration. Raises CalibrationError, with the file."""
    try:
        return {row["calibrated_sensor_token"]: tables.intrinsics(row) for row in rows}
    except CalibrationError as error:
        raise CalibrationError(f"{path}: {error}") from None


def _depths(
    tables: _Tables, root: Path, rows: list[Row], stamps_ns: list[int], poses: dict[int, np.ndarray]
) -> dict[int, LidarPoints]:
    sweeps = [row for row in tables.rows_of(LIDAR) if is_within(root, row["filename"])]
    depths = {}
    for number, other in nearest(stamps_ns, [_ns(row) for row in sweeps]).items():
        T_camera_lidar = invert(poses[number]) @ tables.T_world_sensor(sweeps[other])
        depths[number] = LidarPoints(root / sweeps[other]["filename"], LIDAR_NUMBERS, T_camera_lidar)
    return depths


def _ns(row: Row) -> int:
    return int(row["timestamp"]) * 1000  # microseconds


def _transform(row: Row) -> np.ndarray:
    """(4, 4) of a table's translation and rotation, a quaternion w x y z."""
    w, x, y, z = (float(value) for value in row["rotation"])
    return make_transform(quaternion_to_rotation((x, y, z, w)), [float(value) for value in row["translation"]])
