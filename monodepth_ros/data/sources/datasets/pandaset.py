# SPDX-License-Identifier: Apache-2.0
"""PandaSet's layout: camera/front_camera/{*.jpg, intrinsics.json, poses.json, timestamps.json}."""

from functools import partial
from pathlib import Path

from monodepth_ros.data.sources.datasets.choice import Place, choose, with_parents
from monodepth_ros.data.sources.datasets.json_file import read_json
from monodepth_ros.data.sources.image_sequence import ImageFiles, ImageSequence, first_size, image_files, read_image
from monodepth_ros.data.sources.image_times import times_at_rate
from monodepth_ros.data.sources.source import SourceError, SourceOptions, given_camera
from monodepth_ros.data.time_texts import exact_ns
from monodepth_ros.geometry.camera import CalibrationError, CameraModel
from monodepth_ros.geometry.motion import make_transform, quaternion_to_rotation

FRONT = "front_camera"


def find(folder: Path) -> Place | None:
    """The scene that a folder is, or belongs to as camera/ or camera/NAME/."""
    for root, names in with_parents(folder, 2):
        if names and names[0] != "camera":
            continue
        if cameras(root):
            return Place(root, names[1] if len(names) > 1 else "")
    return None


def cameras(root: Path) -> list[str]:
    """Names of the cameras of a scene."""
    return sorted(path.parent.name for path in root.glob("camera/*/intrinsics.json"))


def open_pandaset(place: Place, options: SourceOptions = SourceOptions()) -> ImageSequence:
    """Open one camera of a scene, front_camera by default, with its poses in the world.

    The images have no distortion. The LiDAR's sweeps are not read: they are pickles, which could execute code. Raises
    SourceError for a camera that is not there and for files in another form.
    """
    root = place.root
    names = cameras(root)
    name = choose(root, names, options.camera, place.camera or (FRONT if FRONT in names else names[0]))
    folder = root / "camera" / name
    files = image_files(folder)
    texts = read_json(folder / "timestamps.json", exact_numbers=True)
    try:
        stamps_ns = [exact_ns(text) for text in texts]
        poses = _poses(folder / "poses.json")
    except SourceError:
        raise
    except (ValueError, TypeError, LookupError, ArithmeticError):
        raise SourceError(f"{folder}: timestamps.json or poses.json is not in PandaSet's form") from None
    if len(stamps_ns) < len(files) or any(b <= a for a, b in zip(stamps_ns, stamps_ns[1:])):
        raise SourceError(
            f"{folder}: {len(stamps_ns)} times for {len(files)} images: expected one for each, increasing"
        )
    numbers = [int(file.stem) if file.stem.isdecimal() else i for i, file in enumerate(files)]
    if max(numbers) >= len(stamps_ns):
        numbers = list(range(len(files)))
    times = times_at_rate(len(files), options.rate) if options.rate else [stamps_ns[n] for n in numbers]
    camera, origin = given_camera(options, partial(first_size, files)), "the calibration file"
    if camera is None:
        camera, origin = _camera(folder, files[0]), str(folder / "intrinsics.json")
    found = ImageFiles(files, times, camera, origin)
    found.poses = {i: poses[n] for i, n in enumerate(numbers) if n < len(poses)}
    if (root / "lidar").is_dir():
        found.notes.append("the LiDAR's sweeps are pickles, which could execute code: they are not read")
    return ImageSequence(f"{root} (PandaSet, {name}, {len(files)} images)", found, options)


def _camera(folder: Path, first: Path) -> CameraModel:
    content = read_json(folder / "intrinsics.json")
    try:
        numbers = [float(content[key]) for key in ("fx", "fy", "cx", "cy")]
    except (LookupError, TypeError, ValueError, OverflowError):
        raise SourceError(f"{folder / 'intrinsics.json'}: expected fx, fy, cx and cy") from None
    try:
        return CameraModel.pinhole(*read_image(first).pixels.size, *numbers)
    except CalibrationError as error:
        raise CalibrationError(f"{folder / 'intrinsics.json'}: {error}") from None


def _poses(path: Path) -> list:
    """T_world_camera (4, 4) of each frame; none without the file."""
    if not path.is_file():
        return []
    found = []
    for pose in read_json(path):
        position, heading = (
            [float(pose[part][key]) for key in keys] for part, keys in (("position", "xyz"), ("heading", "xyzw"))
        )
        found.append(make_transform(quaternion_to_rotation(heading), position))
    return found
