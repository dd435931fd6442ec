# SPDX-License-Identifier: Apache-2.0
"""Text files of poses are recognised by their content: columns, order of the quaternion, unit of the times."""

import numpy as np
import pytest

from monodepth_ros.data.pose_files.pose_file import read_pose_file
from monodepth_ros.data.pose_files.text_table import PoseFileError
from monodepth_ros.geometry.motion import exp_se3, rotation_to_quaternion

POSES = np.array([exp_se3(np.array([i, 0.2 * i, 0, 0.4, 0.1 * i, 0.2])) for i in range(4)])
BEGIN = 1403636579763555584
STEP = 50_000_000
EUROC = "#timestamp, p_RS_R_x [m], p_RS_R_y [m], p_RS_R_z [m], q_RS_w [], q_RS_x [], q_RS_y [], q_RS_z []"


def rows(order="xyzw", separator=" ", times=None, tail=""):
    """Lines of the POSES; times: text for each."""
    lines = []
    for i, T in enumerate(POSES):
        q = dict(zip("xyzw", rotation_to_quaternion(T[:3, :3])))
        numbers = [*T[:3, 3], *(q[axis] for axis in order)]
        words = [f"{number:.15g}" for number in numbers]
        lines.append(separator.join([*([times[i]] if times else []), *words]) + tail)
    return lines


def seconds():
    return [f"{(BEGIN + i * STEP) // 10**9}.{(BEGIN + i * STEP) % 10**9:09d}" for i in range(4)]


def nanoseconds():
    return [str(BEGIN + i * STEP) for i in range(4)]


def found(tmp_path, lines, end="\n", encoding="utf-8", **options):
    path = tmp_path / "poses.txt"
    path.write_bytes(end.join(lines).encode(encoding))
    return read_pose_file(path, **options)


@pytest.mark.parametrize(
    ("lines", "form"),
    [
        (rows(times=seconds()), "TUM, seconds, qxyzw"),
        (["# timestamp tx ty tz qx qy qz qw", *rows(times=seconds())], "named columns, seconds, qxyzw"),
        (["# timestamp tx ty tz qw qx qy qz", *rows("wxyz", times=seconds())], "named columns, seconds, qwxyz"),
        (rows(times=nanoseconds()), "TUM, nanoseconds, qxyzw"),
        (rows(times=[f"{t}.000000" for t in nanoseconds()]), "TUM, nanoseconds, qxyzw"),
        (rows("wxyz", ",", nanoseconds()), "EuRoC, nanoseconds, qwxyz"),
        (rows("wxyz", ",", nanoseconds(), ",0,0,0,0,0,0,0,0,0"), "EuRoC, nanoseconds, qwxyz"),
        ([EUROC, *rows("wxyz", ",", nanoseconds())], "named columns, nanoseconds, qwxyz"),
        (["timestamp,x,y,z,qx,qy,qz,qw", *rows("xyzw", ",", seconds())], "named columns, seconds, qxyzw"),
        (["time;px;py;pz;q_w;q_x;q_y;q_z", *rows("wxyz", ";", seconds())], "named columns, seconds, qwxyz"),
        (rows(separator="\t", times=seconds()), "TUM, seconds, qxyzw"),
        (
            ["%time,field.header.seq,field.header.stamp,field.pose.position.x,field.pose.position.y,field.pose.position.z,"
             "field.pose.orientation.x,field.pose.orientation.y,field.pose.orientation.z,field.pose.orientation.w",
             *(f"7,{i},{line}" for i, line in enumerate(rows(separator=",", times=nanoseconds())))],
            "named columns, nanoseconds, qxyzw",
        ),
    ],
)  # fmt: skip
def test_poses_with_times_are_recognised_and_stated(tmp_path, lines, form):
    poses = found(tmp_path, lines)
    assert poses.form == form and poses.notes == []
    np.testing.assert_allclose(poses.poses, POSES, atol=1e-12)
    assert poses.stamps_ns.tolist() == [BEGIN + i * STEP for i in range(4)], "to the nanosecond"


@pytest.mark.parametrize(("end", "encoding"), [("\r\n", "utf-8"), ("\n", "utf-8-sig"), ("\r\n", "utf-16")])
def test_line_ends_and_encodings_of_windows_make_no_difference(tmp_path, end, encoding):
    poses = found(tmp_path, [*rows(times=seconds()), ""], end, encoding)
    np.testing.assert_allclose(poses.poses, POSES, atol=1e-12)


@pytest.mark.parametrize(
    ("first", "last", "form"),
    [
        ("", "", "KITTI, 3x4 poses"),
        ("{i} ", "", "KITTI, 3x4 poses with frame numbers"),
        ("", " 0 0 0 1", "KITTI, 4x4 poses"),
        ("{i} ", " 0 0 0 1", "KITTI, 4x4 poses with frame numbers"),
        ("1403636579.{i} ", "", "KITTI, 3x4 poses with times"),
    ],
)
def test_matrices_are_read_with_and_without_numbers_and_blank_lines(tmp_path, first, last, form):
    lines = [
        first.format(i=i) + " ".join(f"{x:.15g}" for x in T[:3].ravel()) + last for i, T in enumerate(POSES, start=1)
    ]
    poses = found(tmp_path, [*lines, "", ""])
    assert poses.form == form
    np.testing.assert_allclose(poses.poses, POSES, atol=1e-12)
    if "numbers" in form:
        assert poses.frames.tolist() == [1, 2, 3, 4]
    if "times" in form:
        assert poses.stamps_ns.tolist() == [1403636579 * 10**9 + i * 10**8 for i in range(1, 5)]


def test_relative_nanoseconds_are_told_by_their_steps(tmp_path):
    poses = found(tmp_path, rows(times=["0", "50000000", "100000000", "150000000"]))
    assert poses.stamps_ns.tolist() == [0, STEP, 2 * STEP, 3 * STEP]


def test_a_stated_order_of_quaternions_counts(tmp_path):
    lines = rows("wxyz", times=seconds())
    np.testing.assert_allclose(found(tmp_path, lines, order="wxyz").poses, POSES, atol=1e-12)
    assert np.abs(found(tmp_path, lines).poses - POSES).max() > 0.1


def test_a_start_that_looks_like_the_other_order_is_noted(tmp_path):
    lines = [f"{t} {i} 0 0 1 0 0 0" for i, t in enumerate(seconds())]
    poses = found(tmp_path, lines)
    assert any("the identity as qw qx qy qz: state that order" in note for note in poses.notes)


def test_unsorted_and_repeated_times_are_mended_and_noted(tmp_path):
    lines = rows(times=seconds())
    poses = found(tmp_path, [lines[0], lines[2], lines[1], lines[1], lines[3]])
    np.testing.assert_allclose(poses.poses, POSES, atol=1e-12)
    assert poses.notes == [
        "times go back 1 times, by up to 0.05 s: the poses are sorted",
        "1 times are there again, with the same pose: the first pose of a time counts",
    ]
    other = lines[1].split()[:1] + lines[2].split()[1:]
    poses = found(tmp_path, [*lines[:2], " ".join(other), *lines[2:]])
    assert len(poses) == 4 and "with other poses" in poses.notes[0]


def test_lines_without_a_pose_are_left_out_and_noted(tmp_path):
    lines = rows(times=seconds())
    zero = seconds()[0] + " 0 0 0 0 0 0 0"
    poses = found(tmp_path, [zero, *lines[1:]])
    assert len(poses) == 3 and poses.notes == ["1 line left out: line 1 has a quaternion of length 0"]
    poses = found(tmp_path, [lines[0], seconds()[1] + " nan 0 0 0 0 0 1", *lines[2:]])
    assert len(poses) == 3 and poses.notes == ["1 line left out: line 2 holds a number that is not finite"]
    with pytest.raises(PoseFileError, match="line 1 has a quaternion of length 0, and no line holds a pose"):
        found(tmp_path, [zero])


def test_quaternions_of_another_length_are_normalised_and_noted(tmp_path):
    lines = [" ".join([*line.split()[:4], *(f"{2 * float(x):.15g}" for x in line.split()[4:])]) for line in
             rows(times=seconds())]  # fmt: skip
    poses = found(tmp_path, lines)
    np.testing.assert_allclose(poses.poses, POSES, atol=1e-12)
    assert poses.notes == ["quaternions have lengths of 2 to 2 instead of 1: they are normalised"]


def test_tables_of_another_form_are_refused_with_what_was_found(tmp_path):
    with pytest.raises(PoseFileError, match="7 numbers a line, expected TUM text.*name its columns in a comment"):
        found(tmp_path, rows())
    with pytest.raises(PoseFileError, match="line 2 holds more than numbers"):
        found(tmp_path, [*rows(times=seconds())[:1], "lost"])
    with pytest.raises(PoseFileError, match="17 numbers|is no 4x4 pose"):
        found(tmp_path, [" ".join("12345678901234567")])
