# SPDX-License-Identifier: Apache-2.0
"""Trajectories from files: text of several forms, and the relative poses that monodepth2 saves."""

import os
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from monodepth_ros.data.bags.files import ROS1_SUFFIX, ROS2_SUFFIXES
from monodepth_ros.data.pose_files.pose_file import FORMATS as TEXT_FORMATS
from monodepth_ros.data.pose_files.pose_file import are_rotations, read_pose_file, with_last_row
from monodepth_ros.data.pose_files.text_table import PoseFileError
from monodepth_ros.data.sources.film_format import VIDEO_SUFFIXES
from monodepth_ros.data.sources.image_times import listed_times
from monodepth_ros.data.sources.source import SourceError
from monodepth_ros.evaluation.array_file import ArrayFile, read_array
from monodepth_ros.evaluation.depth_metrics import EvaluationError
from monodepth_ros.geometry.pose_array import inverses
from monodepth_ros.limits import LARGEST_POSITION, MOST_LINES

NOT_TEXT = (*ROS2_SUFFIXES, ROS1_SUFFIX, *VIDEO_SUFFIXES, ".yaml", ".zstd", ".lz4")
TEXT_SUFFIXES = (".txt", ".tum", ".kitti", ".csv", ".tsv")
SUFFIXES = (*TEXT_SUFFIXES, ".npy")
FORMATS = f"{TEXT_FORMATS}, or a .npy of relative poses (N, 4, 4)"


@dataclass(frozen=True, eq=False)
class Trajectory:
    """Poses T_world_camera (N, 4, 4), and their times if known.

    seconds: (N,) times. frames: (N,) numbers of the frames. is_scale_free: their unit is not the metre.
    step_covariances: (N, 6, 6) of the motion that leads to each pose, NaN where unknown; None if all are. notes:
    remarks for the user.
    """

    description: str
    poses: np.ndarray
    seconds: np.ndarray | None = None
    frames: np.ndarray | None = None
    is_scale_free: bool = False
    step_covariances: np.ndarray | None = None
    notes: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.poses)


def is_trajectory_file(path: str | Path) -> bool:
    """Whether `read_trajectory` reads this path: by its suffix, or a file of numbers of any name."""
    path = Path(path)
    suffix = path.suffix.lower()
    if suffix in SUFFIXES:
        return not os.path.isdir(path)
    return os.path.isfile(path) and suffix not in NOT_TEXT and _begins_as_text(path)


def read_trajectory(path: str | Path, order: str = "", times: str = "") -> Trajectory:
    """The trajectory in a file; EvaluationError for a file in another format, or with numbers that are not poses.

    The form of text is recognised by its content, see `read_pose_file`, and stated in the description. order: that of
    quaternions, 'xyzw' or 'wxyz', to read them so. times: a file with the time [s] of each pose, one per line, for
    poses without times. A .npy holds T_later_earlier (N, 4, 4) from each frame to the next, without a known scale, as
    monodepth2's pose evaluation saves it: N + 1 poses.
    """
    path = Path(path)
    if not os.path.isfile(path):
        raise EvaluationError(f"{path}: no such file; expected a trajectory: {FORMATS}")
    if path.suffix.lower() == ".npy":
        found = _relative_poses(path)
    else:
        try:
            text = read_pose_file(path, order)
        except PoseFileError as error:
            raise EvaluationError(str(error)) from None
        seconds = None if text.stamps_ns is None else text.stamps_ns / 1e9
        found = Trajectory(f"{path} ({text.form})", text.poses, seconds, text.frames, notes=tuple(text.notes))
    return with_times(found, times) if times and found.seconds is None else found


def with_times(trajectory: Trajectory, path: str) -> Trajectory:
    """The trajectory with the times [s] of a file that has one per frame. EvaluationError if it has too few."""
    frames = np.arange(len(trajectory)) if trajectory.frames is None else trajectory.frames
    try:
        stamps_ns, notes = listed_times(Path(path), int(frames.max()) + 1)
    except (SourceError, OSError) as error:
        reason = getattr(error, "strerror", None) or str(error).replace(": give --rate HZ instead", "")
        raise EvaluationError(f"--times {path}: {reason}; expected a time for each frame, one per line") from None
    seconds = np.array(stamps_ns, np.int64)[frames] / 1e9
    return replace(trajectory, seconds=seconds, frames=None, notes=(*trajectory.notes, *notes))


def _begins_as_text(path: Path) -> bool:
    try:
        with open(path, "rb") as file:
            beginning = file.read(4096)
    except OSError:
        return False
    return bool(beginning) and b"\0" not in beginning and any(48 <= byte < 58 for byte in beginning)


def _relative_poses(path: Path) -> Trajectory:
    header = ArrayFile(path, FORMATS).header
    if len(header.shape) != 3 or header.shape[1:] not in ((4, 4), (3, 4)) or header.dtype.kind not in "fiu":
        raise EvaluationError(f"{path}: {header}, expected relative poses (N, 4, 4)")
    if not 0 < header.shape[0] <= MOST_LINES:
        raise EvaluationError(f"{path}: {header}, expected 1 to {MOST_LINES} relative poses")
    steps = read_array(path, FORMATS).astype(np.float64)
    names = [f"pose {number}" for number in range(1, len(steps) + 1)]
    _require(np.isfinite(steps).all(axis=(1, 2)), path, "holds a number that is not finite", names)
    too_far = f"moves by more than {LARGEST_POSITION:g} m"
    _require((np.abs(steps[:, :3, 3]) <= LARGEST_POSITION).all(axis=1), path, too_far, names)
    steps = with_last_row(steps[:, :3])
    _require(are_rotations(steps), path, "has no rotation in its first three columns", names)
    steps = inverses(steps)
    poses = [np.eye(4)]
    for step in steps:
        poses.append(poses[-1] @ step)
    return Trajectory(f"{path} (relative poses)", np.array(poses), is_scale_free=True)


def _require(fits: np.ndarray, path: Path, what: str, names: list[str]) -> None:
    if not fits.all():
        raise EvaluationError(f"{path}: {names[int(np.argmin(fits))]} {what}; expected {FORMATS}")
