# SPDX-License-Identifier: Apache-2.0
"""Trajectories from files: TUM and KITTI text, and the relative poses that monodepth2 saves."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from monodepth_ros.evaluation.depth_metrics import EvaluationError
from monodepth_ros.geometry.motion import quaternion_to_rotation
from monodepth_ros.geometry.pose_array import inverses

TEXT_SUFFIXES = (".txt", ".tum", ".kitti", ".csv")
SUFFIXES = (*TEXT_SUFFIXES, ".npy")
FORMATS = (
    "TUM text (time x y z qx qy qz qw), KITTI text (12 numbers a line, 13 with the frame's number first), or "
    "a .npy of relative poses (N, 4, 4)"
)


@dataclass(frozen=True, eq=False)
class Trajectory:
    """Poses T_world_camera (N, 4, 4), and their times if known.

    seconds: (N,) times. frames: (N,) numbers of the frames. is_scale_free: their unit is not the metre.
    step_covariances: (N, 6, 6) of the motion that leads to each pose, NaN where unknown; None if all are.
    """

    description: str
    poses: np.ndarray
    seconds: np.ndarray | None = None
    frames: np.ndarray | None = None
    is_scale_free: bool = False
    step_covariances: np.ndarray | None = None

    def __len__(self) -> int:
        return len(self.poses)


def is_trajectory_file(path: str | Path) -> bool:
    """Whether `read_trajectory` reads this path, by its suffix."""
    path = Path(path)
    return path.suffix.lower() in SUFFIXES and not path.is_dir()


def read_trajectory(path: str | Path) -> Trajectory:
    """The trajectory in a file; EvaluationError for a file in another format, or with numbers that are not poses.

    A .npy holds T_later_earlier (N, 4, 4) from each frame to the next, without a known scale, as monodepth2's pose
    evaluation saves it: N + 1 poses. In text, '#' begins a comment.
    """
    path = Path(path)
    if not path.is_file():
        raise EvaluationError(f"{path}: no such file; expected a trajectory: {FORMATS}")
    if path.suffix.lower() == ".npy":
        return _relative_poses(path)
    rows, lines = _table(path)
    if rows.shape[1] not in (8, 12, 13):
        raise EvaluationError(f"{path}: {rows.shape[1]} numbers a line, expected {FORMATS}")
    _require(np.isfinite(rows).all(axis=1), path, "holds a number that is not finite", lines)
    if rows.shape[1] == 8:
        return _tum(path, rows, lines)
    frames = None
    if rows.shape[1] == 13:
        frames, rows = rows[:, 0].astype(np.int64), rows[:, 1:]
        _require(np.diff(frames, prepend=frames[0] - 1) > 0, path, "has a frame number that does not grow", lines)
    poses = _with_last_row(rows.reshape(-1, 3, 4))
    _require_rotations(poses, path, lines)
    return Trajectory(f"{path} (KITTI)", poses, None, frames)


def _table(path: Path) -> tuple[np.ndarray, list[str]]:
    """The numbers (N, M) of a text file, and the name of each row's line for messages."""
    rows: list[list[float]] = []
    lines = []
    try:
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
            words = line.partition("#")[0].replace(",", " ").split()
            if words:
                lines.append(f"line {number}")
                rows.append([float(word) for word in words])
    except (OSError, UnicodeDecodeError) as error:
        raise EvaluationError(f"{path}: cannot be read as text ({error}); expected {FORMATS}") from None
    except ValueError:
        raise EvaluationError(f"{path}: {lines[-1]} holds more than numbers; expected {FORMATS}") from None
    if not rows:
        raise EvaluationError(f"{path}: no poses in it; expected {FORMATS}")
    same = np.array([len(row) == len(rows[0]) for row in rows])
    _require(same, path, f"has not as many numbers as the first one, {len(rows[0])}", lines)
    return np.array(rows), lines


def _tum(path: Path, rows: np.ndarray, lines: list[str]) -> Trajectory:
    seconds = rows[:, 0]
    _require(np.diff(seconds, prepend=seconds[0] - 1.0) > 0, path, "has a time that does not grow", lines)
    _require(np.linalg.norm(rows[:, 4:], axis=1) > 1e-9, path, "has a quaternion of length 0", lines)
    tops = np.empty((len(rows), 3, 4))
    for top, row in zip(tops, rows):
        top[:, :3], top[:, 3] = quaternion_to_rotation(row[4:]), row[1:4]
    return Trajectory(f"{path} (TUM)", _with_last_row(tops), seconds)


def _relative_poses(path: Path) -> Trajectory:
    try:
        steps = np.load(path, allow_pickle=False)
    except (OSError, ValueError, EOFError):
        raise EvaluationError(f"{path}: not a readable .npy array; expected {FORMATS}") from None
    if steps.ndim != 3 or steps.shape[1:] not in ((4, 4), (3, 4)) or steps.dtype.kind not in "fiu":
        raise EvaluationError(f"{path}: {steps.dtype} {steps.shape}, expected relative poses (N, 4, 4)")
    steps = steps.astype(np.float64)
    names = [f"pose {number}" for number in range(1, len(steps) + 1)]
    _require(np.isfinite(steps).all(axis=(1, 2)), path, "holds a number that is not finite", names)
    steps = _with_last_row(steps[:, :3])
    _require_rotations(steps, path, names)
    steps = inverses(steps)
    poses = [np.eye(4)]
    for step in steps:
        poses.append(poses[-1] @ step)
    return Trajectory(f"{path} (relative poses)", np.array(poses), is_scale_free=True)


def _with_last_row(tops: np.ndarray) -> np.ndarray:
    poses = np.zeros((len(tops), 4, 4))
    poses[:, :3], poses[:, 3, 3] = tops, 1.0
    return poses


def _require_rotations(poses: np.ndarray, path: Path, names: list[str]) -> None:
    R = poses[:, :3, :3]
    worst = np.abs(R @ np.swapaxes(R, 1, 2) - np.eye(3)).max(axis=(1, 2), initial=0.0)
    fits = (worst < 1e-2) & (np.linalg.det(R) > 0)
    _require(fits, path, "has no rotation in its first three columns", names)


def _require(fits: np.ndarray, path: Path, what: str, names: list[str]) -> None:
    if not fits.all():
        raise EvaluationError(f"{path}: {names[int(np.argmin(fits))]} {what}; expected {FORMATS}")
