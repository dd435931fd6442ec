# SPDX-License-Identifier: Apache-2.0
"""Trajectory files of every format, and the pairing of their poses."""

import numpy as np
import pytest

from monodepth_ros.evaluation.depth_metrics import EvaluationError
from monodepth_ros.evaluation.trajectory_file import Trajectory, is_trajectory_file, read_trajectory
from monodepth_ros.evaluation.trajectory_pairs import pair
from monodepth_ros.geometry.motion import exp_se3, rotation_to_quaternion
from monodepth_ros.geometry.pose_array import between

POSES = np.array([exp_se3(0.3 * i * np.array([1, 0.2, 2, 0.1, -0.3, 0.2])) for i in range(6)])


def tum_row(seconds, T):
    return " ".join(f"{x:.12g}" for x in (seconds, *T[:3, 3], *rotation_to_quaternion(T[:3, :3])))


def write(tmp_path, name, lines):
    path = tmp_path / name
    path.write_text("\n".join(lines) + "\n")
    return path


def test_tum_text(tmp_path):
    path = write(tmp_path, "a.txt", ["# time x y z", *(tum_row(10 + i, T) for i, T in enumerate(POSES))])
    found = read_trajectory(path)
    np.testing.assert_allclose(found.poses, POSES, atol=1e-9)
    assert found.seconds.tolist() == [10, 11, 12, 13, 14, 15] and not found.is_scale_free


def test_kitti_text_with_and_without_numbers(tmp_path):
    rows = [" ".join(f"{x:.12g}" for x in T[:3].ravel()) for T in POSES]
    plain = read_trajectory(write(tmp_path, "a.txt", rows))
    np.testing.assert_allclose(plain.poses, POSES, atol=1e-9)
    assert plain.seconds is None and plain.frames is None
    numbered = read_trajectory(write(tmp_path, "b.txt", [f"{2 * i} {row}" for i, row in enumerate(rows)]))
    np.testing.assert_allclose(numbered.poses, POSES, atol=1e-9)
    assert numbered.frames.tolist() == [0, 2, 4, 6, 8, 10]


def test_relative_poses_are_chained_to_where_the_camera_was(tmp_path):
    np.save(tmp_path / "poses.npy", between(POSES[1:], POSES[:-1]).astype(np.float32))
    found = read_trajectory(tmp_path / "poses.npy")
    np.testing.assert_allclose(found.poses, between(POSES[:1], POSES), atol=1e-5)
    assert found.is_scale_free


@pytest.mark.parametrize(
    ("name", "lines", "expected"),
    [
        ("a.txt", ["1 2 3", "4 5 6"], "3 numbers a line, expected TUM text"),
        ("a.txt", ["# me", "hello world"], "line 2 holds more than numbers; expected TUM"),
        ("a.txt", ["# only a comment"], "no poses in it"),
        ("a.txt", ["1 inf 0 0 0 0 0 1", "2 nan 0 0 0 0 0 1"], "line 1 holds a number that is not finite"),
        ("a.txt", ["1 0 0 0 0 0 0 1", "", "2 0 0"], "line 3 has not as many numbers as the first one, 8"),
        ("a.txt", ["1 0 0 0 0 0 0 0"], "line 1 has a quaternion of length 0"),
        ("a.txt", ["1 0 0 0 0 1 0 0 0 0 1 0", "2 0 0 0 0 2 0 0 0 0 2 0"], "line 2 has no rotation"),
        ("a.txt", ["-1 0 0 0 0 1 0 0 0 0 1 0"], "line 1 has no rotation"),
        ("a.npy", ["no array"], "is not an array file"),
    ],
)  # fmt: skip
def test_a_malformed_trajectory_is_rejected_in_one_line(tmp_path, name, lines, expected):
    path = write(tmp_path, name, lines)
    with pytest.raises(EvaluationError, match=expected) as caught:
        read_trajectory(path)
    assert str(path) in str(caught.value) and "\n" not in str(caught.value)


def test_arrays_of_another_kind_and_missing_files_are_refused(tmp_path):
    np.save(tmp_path / "a.npy", np.zeros((5, 3)))
    with pytest.raises(EvaluationError, match=r"float64 \(5, 3\), expected relative poses \(N, 4, 4\)"):
        read_trajectory(tmp_path / "a.npy")
    steps = np.tile(np.eye(4), (3, 1, 1))
    steps[1, 0, 3] = np.nan
    np.save(tmp_path / "b.npy", steps)
    with pytest.raises(EvaluationError, match="pose 2 holds a number that is not finite"):
        read_trajectory(tmp_path / "b.npy")
    with pytest.raises(EvaluationError, match="no such file"):
        read_trajectory(tmp_path / "none.txt")
    assert is_trajectory_file("a.npy") and is_trajectory_file("a.TXT") and not is_trajectory_file("a.mcap")


def numbered(name, values, seconds=None, frames=None):
    poses = np.tile(np.eye(4), (len(values), 1, 1))
    poses[:, 0, 3] = values
    as_array = [None if x is None else np.array(x) for x in (seconds, frames)]
    return Trajectory(name, poses, *as_array)


def places(pairs):
    return [poses[:, 0, 3].tolist() for poses in pairs]


def test_poses_are_paired_by_time_each_once():
    reference = numbered("reference", range(6), seconds=[0.0, 0.1, 0.2, 0.3, 0.4, 0.5])
    estimate = numbered("estimate", [10, 11, 12, 13], seconds=[0.095, 0.104, 0.25, 0.31])
    # 0.104 is nearer to 0.1 than 0.095; 0.25 lies too far from both neighbours.
    assert places(pair(reference, estimate)) == [[1, 3], [11, 13]]
    assert places(pair(reference, estimate, 0.2))[0] == [1, 2, 3]


def test_poses_are_paired_by_number_where_there_are_numbers():
    reference, estimate = numbered("reference", range(5)), numbered("estimate", [7, 8], frames=[1, 4])
    assert places(pair(reference, estimate)) == [[1, 4], [7, 8]]


def test_different_lengths_and_disjoint_times_are_rejected():
    with pytest.raises(EvaluationError, match="estimate has 4 poses, reference 5: expected as many, or times"):
        pair(numbered("reference", range(5)), numbered("estimate", range(4)))
    early, late = numbered("reference", [1, 2], seconds=[0, 1]), numbered("estimate", [1, 2], seconds=[50, 51])
    with pytest.raises(EvaluationError, match="0 of 2 poses.*the reference is of 0.000 to 1.000 s, the estimate of 50"):
        pair(early, late)
