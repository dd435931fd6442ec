# SPDX-License-Identifier: Apache-2.0
"""Index of a source's frames (times, cameras, poses, image motion), built once and kept in the user's cache."""

import hashlib
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from monodepth_ros.atomic_file import atomic_file
from monodepth_ros.cache_folder import cache_folder, not_cached
from monodepth_ros.data.calibration import split_choice
from monodepth_ros.data.image_motion import ImageMotion
from monodepth_ros.data.kept_arrays import kept_arrays
from monodepth_ros.data.recording_state import files_of, recording_state
from monodepth_ros.data.sources.datasets.recognise import folder_of_files
from monodepth_ros.data.sources.image_files import is_pattern, matches
from monodepth_ros.data.sources.left_out import few_reasons
from monodepth_ros.data.sources.open_source import open_source
from monodepth_ros.data.sources.source import FrameSource, SourceError, SourceOptions
from monodepth_ros.errors import one_line
from monodepth_ros.geometry.camera import CameraModel
from monodepth_ros.limits import LARGEST_INDEX

VERSION = 4  # of the file's contents and of the measurement of motion
SUFFIX = ".frame_index.npz"
ARRAYS = {  # type and shape of one frame's values
    "stamps_ns": (np.int64, ()),
    "received_ns": (np.int64, ()),
    "camera_ids": (np.int64, ()),
    "poses": (np.float64, (4, 4)),
    "has_depth": (np.bool_, ()),
    "flow": (np.float64, ()),
    "sharpness": (np.float64, ()),
}


@dataclass(frozen=True, eq=False)
class FrameIndex:
    """Properties of N frames, in the order of their times.

    stamps_ns, received_ns: (N,) int64, arguments of `FrameSource.read`. camera_ids: (N,) indices of `cameras`. poses:
    (N, 4, 4) T_world_camera, NaN if unknown. has_depth: (N,) bool, whether there is reference depth. flow: (N,) median
    length of the optical flow from the previous frame, as a share of the image's width; NaN for the first frame.
    sharpness: (N,) variance of the Laplacian. left_out: number of skipped frames, by reason.
    """

    stamps_ns: np.ndarray
    received_ns: np.ndarray
    camera_ids: np.ndarray
    cameras: tuple[CameraModel, ...]
    poses: np.ndarray
    has_depth: np.ndarray
    flow: np.ndarray
    sharpness: np.ndarray
    left_out: dict[str, int]

    def __len__(self) -> int:
        return len(self.stamps_ns)

    @property
    def interval(self) -> float:
        """Median time from frame to frame [s]; NaN for fewer than two frames."""
        return float(np.median(np.diff(self.stamps_ns))) * 1e-9 if len(self) > 1 else float("nan")

    def save(self, path: Path, key: str) -> None:
        """Write the index atomically. key: identifies the state of the recording, see `load`."""
        arrays = {name: value for name, value in vars(self).items() if isinstance(value, np.ndarray)}
        for i, camera in enumerate(self.cameras):
            arrays |= {f"size_{i}": (camera.width, camera.height), f"model_{i}": camera.distortion_model}
            arrays |= {f"field_of_view_{i}": camera.field_of_view}
            arrays |= {f"{name}_{i}": getattr(camera, name) for name in "KDRP"}
        reasons = {
            "reasons": np.array(list(self.left_out), dtype=str),
            "counts": np.array(list(self.left_out.values()), int),
        }
        with atomic_file(path) as partial, open(partial, "wb") as file:
            np.savez(file, key=key, **arrays, **reasons)

    @staticmethod
    def load(path: Path, key: str, remark: Callable[[str], None] = lambda text: None) -> "FrameIndex | None":
        """Read an index that was saved under the same key; None for a missing, damaged or outdated file.

        remark: called with a line about a damaged one.
        """
        if not os.path.isfile(path):
            return None
        try:
            found = kept_arrays(path, LARGEST_INDEX)
            return _from_arrays(found) if str(found["key"]) == key else None
        except Exception as error:  # of damaged and foreign files: zipfile, zlib and numpy raise errors of many types
            remark(f"the index of the frames kept in {path} is damaged ({one_line(error, 100)}): it is made again")
            return None


def _from_arrays(data: dict[str, np.ndarray]) -> FrameIndex:
    """The index in the arrays of a file. Raises errors of many types for arrays that are not those of an index."""
    cameras: list[CameraModel] = []
    while f"K_{len(cameras)}" in data:
        i = len(cameras)
        width, height = (int(side) for side in data[f"size_{i}"])
        matrices = {name: data[f"{name}_{i}"] for name in "KDRP"}
        model, angle = str(data[f"model_{i}"]), float(data[f"field_of_view_{i}"])
        cameras.append(CameraModel(width, height, distortion_model=model, field_of_view=angle, **matrices))
    count = len(data["stamps_ns"])
    arrays = {}
    for name, (kind, shape) in ARRAYS.items():
        if data[name].dtype != kind or data[name].shape != (count, *shape):
            raise ValueError(name)
        arrays[name] = data[name]
    ids = arrays["camera_ids"]
    if not count or ids.min() < 0 or ids.max() >= len(cameras) or not (np.diff(arrays["stamps_ns"]) > 0).all():
        raise ValueError("stamps or cameras")
    left_out = {
        str(reason): int(n) for reason, n in zip(data["reasons"].tolist(), data["counts"].tolist(), strict=True)
    }
    return FrameIndex(cameras=tuple(cameras), left_out=left_out, **arrays)


def index_frames(
    path: str,
    options: SourceOptions,
    progress: Callable[[int, int | None], None] | None = None,
    beside: bool = False,
    remark: Callable[[str], None] = lambda text: None,
) -> FrameIndex:
    """The index of the source at `path`, from an earlier call or by reading every frame.

    The index is kept in the user's cache, and is built again when a file of the recording changes. beside: keep it in a
    hidden file beside the recording instead, for others who read the same recording; where that cannot be written, in
    the cache. Pictures of recorded video are kept decoded, too (see data/video_stream/frame_store.py). progress: called
    with (frames read, frames expected or None). remark: called with a line about a damaged index. Raises the errors of
    `open_source`.
    """
    key = _key(path, options)
    name = hashlib.sha256(os.fsencode(f"{os.path.abspath(path)} {options!r}")).hexdigest()[:24]
    places = [cache_folder() / "frame_index" / f"{name}{SUFFIX}"]
    if not is_pattern(path):
        places.insert(0, _beside(Path(path), options))
    for place in places:
        kept = FrameIndex.load(place, key, remark)
        if kept is not None:
            return kept
    with open_source(path, options) as source:
        source.keep_decoded()
        index = build_index(source, progress)
    for place in places if beside else places[-1:]:
        try:
            place.parent.mkdir(parents=True, exist_ok=True)
            index.save(place, key)
        except OSError as error:
            if place == places[-1]:
                cost = "the recording is read again each time"
                not_cached("frame indices", place.parent, error, cost)
            continue
        break
    return index


def build_index(source: FrameSource, progress: Callable[[int, int | None], None] | None = None) -> FrameIndex:
    """Read every frame of a source. Frames that are not later than the one before are left out."""
    stamps, received, ids, poses, has_depth, flows, sharpness = ([] for _ in range(7))
    cameras: dict[tuple, tuple[int, CameraModel]] = {}
    backwards = 0
    measure = ImageMotion()
    for frame in source.frames():
        if stamps and frame.stamp_ns <= stamps[-1]:
            backwards += 1
            continue
        number, _ = cameras.setdefault(frame.camera.key, (len(cameras), frame.camera))
        stamps.append(frame.stamp_ns)
        received.append(frame.received_ns)
        ids.append(number)
        poses.append(np.full((4, 4), np.nan) if frame.T_world_camera is None else frame.T_world_camera)
        has_depth.append(frame.reference_depth is not None)
        moved, sharp = measure(frame.pixels)
        flows.append(moved)
        sharpness.append(sharp)
        if progress:
            progress(len(stamps), source.frame_count)
    left_out = dict(source.left_out)
    if backwards:
        left_out["stamps that do not increase"] = backwards
    if not stamps:
        reasons = (
            "; ".join(f"{count} left out: {reason}" for reason, count in few_reasons(left_out)) or "the source is empty"
        )
        raise SourceError(f"{source.description} has no usable images ({reasons})")
    return FrameIndex(
        stamps_ns=np.array(stamps, np.int64),
        received_ns=np.array(received, np.int64),
        camera_ids=np.array(ids, np.int64),
        cameras=tuple(camera for _, camera in cameras.values()),
        poses=np.array(poses, np.float64).reshape(-1, 4, 4),
        has_depth=np.array(has_depth, bool),
        flow=np.array(flows, np.float64),
        sharpness=np.array(sharpness, np.float64),
        left_out=left_out,
    )


def _beside(path: Path, options: SourceOptions) -> Path:
    """Path of the hidden index file in a folder or beside a file.

    Its name depends on the options, because each camera of a stereo recording has an index of its own.
    """
    choice = hashlib.sha256(os.fsencode(repr(options))).hexdigest()[:8]
    return path / f".{choice}{SUFFIX}" if os.path.isdir(path) else path.with_name(f".{path.name}.{choice}{SUFFIX}")


def _key(path: str, options: SourceOptions) -> str:
    """Hash of the options and of the recording's files in their present state."""
    files = [Path(path)]
    if is_pattern(path):
        files = matches(path)
    elif os.path.isdir(path):
        files = files_of(folder_of_files(Path(path)), SUFFIX)
    files += [split_choice(options.calibration_file)[0]] if options.calibration_file else []
    return recording_state(files, f"{VERSION} {options!r}")
