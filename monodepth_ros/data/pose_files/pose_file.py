# SPDX-License-Identifier: Apache-2.0
"""Poses from text files: TUM, EuRoC, KITTI, and tables whose columns are named."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from monodepth_ros.data.pose_files.columns import PoseColumns, columns_of
from monodepth_ros.data.pose_files.text_table import PoseFileError, TextTable, read_table
from monodepth_ros.data.time_texts import UNITS, exact_ns, unit_of
from monodepth_ros.limits import LARGEST_POSITION

FORMATS = (
    "TUM text (time x y z qx qy qz qw), EuRoC's (nanoseconds,x,y,z,qw,qx,qy,qz), a table with named columns, or KITTI"
    " text (12 numbers a line, 13 with the frame's number first)"
)
MATRICES = (12, 13, 16, 17)  # numbers in a line: 3x4 or 4x4, without or with a number first
ZERO_LENGTH, LONGEST_QUATERNION, UNIT_TOLERANCE = 1e-9, 1e6, 1e-2


@dataclass(frozen=True, eq=False)
class PoseFile:
    """Poses T_world_moving (N, 4, 4) in the order of their times. form: what the file was recognised as.

    stamps_ns: (N,) int64 times, or None. frames: (N,) numbers of the frames, or None. notes: remarks for the user.
    """

    form: str
    poses: np.ndarray
    stamps_ns: np.ndarray | None
    frames: np.ndarray | None
    notes: list[str]

    def __len__(self) -> int:
        return len(self.poses)


def read_pose_file(path: str | Path, order: str = "") -> PoseFile:
    """The poses of a text file, whose form is recognised by its content.

    order: that of quaternions ('xyzw' or 'wxyz') if the file is to be read so; '' to recognise it (see `columns_of`).
    Lines without a finite pose or with a quaternion of length 0 are left out, lines out of order are sorted, and
    repeated times count once, each with a note. PoseFileError for a file of another form, or without any pose.
    """
    table = read_table(Path(path), FORMATS)
    columns = columns_of(table, order)
    width = table.width
    if columns is None and width not in MATRICES:
        hint = "; name its columns in a comment above them" if width == 7 else ""
        raise PoseFileError(f"{path}: {width} numbers a line, expected {FORMATS}{hint}")
    values = table.values
    kept, notes = _usable(table, values, columns)
    if columns is None:
        return _matrices(table, values, kept, notes)
    tops = np.zeros((len(values), 3, 4))
    tops[kept, :, :3] = quaternions_to_rotations(values[kept][:, list(columns.quaternion)])
    tops[kept, :, 3] = values[kept][:, list(columns.position)]
    notes += _quaternion_notes(values[kept], columns, order)
    if columns.time is None:
        return PoseFile(columns.words, with_last_row(tops[kept]), None, np.flatnonzero(kept), notes)
    stamps = _stamps(table, columns.time, columns.unit, kept)
    return _in_time(columns.words, with_last_row(tops), stamps, kept, notes)


def quaternions_to_rotations(quaternions: np.ndarray) -> np.ndarray:
    """Rotations (N, 3, 3) of quaternions (N, 4) x y z w, finite and not of length 0."""
    x, y, z, w = (quaternions / np.linalg.norm(quaternions, axis=1, keepdims=True)).T
    rows = (
        (1 - 2 * (y * y + z * z), 2 * (x * y - z * w), 2 * (x * z + y * w)),
        (2 * (x * y + z * w), 1 - 2 * (x * x + z * z), 2 * (y * z - x * w)),
        (2 * (x * z - y * w), 2 * (y * z + x * w), 1 - 2 * (x * x + y * y)),
    )
    return np.stack([np.stack(row, axis=-1) for row in rows], axis=1)


def with_last_row(tops: np.ndarray) -> np.ndarray:
    """Transforms (N, 4, 4) of their first three rows (N, 3, 4)."""
    poses = np.zeros((len(tops), 4, 4))
    poses[:, :3], poses[:, 3, 3] = tops, 1.0
    return poses


def _usable(table: TextTable, values: np.ndarray, columns: PoseColumns | None) -> tuple[np.ndarray, list[str]]:
    """Which lines (N,) hold a pose, and notes about the others. PoseFileError if none does."""
    used = values if columns is None else values[:, [*columns.position, *columns.quaternion]]
    is_finite = np.isfinite(used).all(axis=1)
    first = values.shape[1] % 4  # column of a matrix
    positions = values[:, first + 3 : first + 12 : 4] if columns is None else used[:, :3]
    farthest = np.abs(positions).max(axis=1)
    faults = [
        ("holds a number that is not finite", ~is_finite),
        (f"holds a position beyond {LARGEST_POSITION:g} m", is_finite & (farthest > LARGEST_POSITION)),
    ]
    if columns is not None:
        with np.errstate(over="ignore"):
            lengths = np.linalg.norm(np.where(is_finite[:, None], used[:, 3:], 0.5), axis=1)
        faults.append(("has a quaternion of length 0", lengths < ZERO_LENGTH))
        faults.append((f"has a quaternion longer than {LONGEST_QUATERNION:g}", lengths > LONGEST_QUATERNION))
    kept = np.ones(len(values), bool)
    notes = []
    for what, is_bad in faults:
        kept &= ~is_bad
        if is_bad.any():
            first = table.lines[int(np.argmax(is_bad))]
            if not kept.any():
                raise PoseFileError(f"{table.path}: line {first} {what}, and no line holds a pose; expected {FORMATS}")
            count = int(is_bad.sum())
            notes.append(f"{count} line{'s' if count > 1 else ''} left out: line {first} {what}")
    return kept, notes


def _quaternion_notes(values: np.ndarray, columns: PoseColumns, order: str) -> list[str]:
    quaternions = values[:, list(columns.quaternion)]
    lengths = np.linalg.norm(quaternions, axis=1)
    notes = []
    if np.abs(lengths - 1).max() > UNIT_TOLERANCE:
        notes.append(
            f"quaternions have lengths of {lengths.min():.3g} to {lengths.max():.3g} instead of 1: they are normalised"
        )
    # Many trajectories begin at the identity, which looks like half a turn in the other order.
    begins_turned = abs(abs(quaternions[0][0]) - 1) < 1e-6 and np.abs(values[0][list(columns.position)]).max() < 1e-6
    if begins_turned and not order and columns.words.endswith("qxyzw") and "named" not in columns.words:
        notes.append("the first quaternion would be the identity as qw qx qy qz: state that order if it is so")
    return notes


def _matrices(table: TextTable, values: np.ndarray, kept: np.ndarray, notes: list[str]) -> PoseFile:
    width = values.shape[1]
    first, values = (values[:, 0], values[:, 1:]) if width % 4 else (None, values)
    tops = values.reshape(len(values), -1, 4)
    if tops.shape[1] == 4:
        _require(~kept | (np.abs(tops[:, 3] - (0, 0, 0, 1)).max(axis=1) < 1e-6), table, "is no 4x4 pose")
    poses = with_last_row(tops[:, :3])
    _require(~kept | are_rotations(poses), table, "has no rotation in its first three columns")
    form = f"KITTI, {tops.shape[1]}x4 poses"
    if first is None:
        frames = None if kept.all() else np.flatnonzero(kept)
        return PoseFile(form, poses[kept], None, frames, notes)
    if not all(text.isdecimal() and len(text) < 10 for text in table.column(0)):
        stamps = _stamps(table, 0, "", kept)
        return _in_time(f"{form} with times", poses, stamps, kept, notes)
    frames = first.astype(np.int64)
    _require(np.diff(frames, prepend=frames[0] - 1) > 0, table, "has a frame number that does not grow")
    return PoseFile(f"{form} with frame numbers", poses[kept], None, frames[kept], notes)


def _stamps(table: TextTable, column: int, unit: str, kept: np.ndarray) -> np.ndarray:
    texts = table.column(column)
    try:
        unit = unit or unit_of(texts)
        stamps = [exact_ns(text, unit) if is_kept else 0 for text, is_kept in zip(texts, kept)]
    except ValueError as error:
        raise PoseFileError(f"{table.path}: {error}; expected times in the first column, {FORMATS}") from None
    return np.array(stamps, np.int64)


def _in_time(form: str, poses: np.ndarray, stamps: np.ndarray, kept: np.ndarray, notes: list[str]) -> PoseFile:
    """The poses in the order of their times, each time once."""
    poses, stamps = poses[kept], stamps[kept]
    backwards = int((np.diff(stamps) < 0).sum())
    if backwards:
        longest = int(-np.diff(stamps).min()) / UNITS["s"]
        notes.append(f"times go back {backwards} times, by up to {longest:.3g} s: the poses are sorted")
        order = np.argsort(stamps, kind="stable")
        poses, stamps = poses[order], stamps[order]
    is_first = np.diff(stamps, prepend=stamps[0] - 1) > 0
    if not is_first.all():
        count = int((~is_first).sum())
        differ = np.abs(poses[1:] - poses[:-1]).max(axis=(1, 2))[~is_first[1:]].max() > 1e-6
        what = "with other poses" if differ else "with the same pose"
        notes.append(f"{count} times are there again, {what}: the first pose of a time counts")
    return PoseFile(form, poses[is_first], stamps[is_first], None, notes)


def are_rotations(poses: np.ndarray) -> np.ndarray:
    """Whether each pose (N, 4, 4) has a rotation in its first three columns, (N,) bool."""
    R = poses[:, :3, :3]
    with np.errstate(invalid="ignore", over="ignore"):
        worst = np.abs(R @ np.swapaxes(R, 1, 2) - np.eye(3)).max(axis=(1, 2), initial=0.0)
        return (worst < 1e-2) & (np.linalg.det(R) > 0)


def _require(fits: np.ndarray, table: TextTable, what: str) -> None:
    if not fits.all():
        raise PoseFileError(f"{table.path}: line {table.lines[int(np.argmin(fits))]} {what}; expected {FORMATS}")
