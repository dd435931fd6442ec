# SPDX-License-Identifier: Apache-2.0
"""Lists of poses and times with nonsense in them are read for what is whole, or refused in one line."""

import os
import re

import numpy as np
import pytest

from monodepth_ros.data.pose_files import text_table
from monodepth_ros.data.pose_files.pose_file import are_rotations, quaternions_to_rotations, read_pose_file
from monodepth_ros.data.pose_files.text_table import PoseFileError
from monodepth_ros.data.time_texts import exact_ns, unit_of
from monodepth_ros.geometry.motion import quaternion_to_rotation

GOOD = "".join(f"{i}.5 {i} 0 0 0 0 0 1\n" for i in range(1, 5))


def read(tmp_path, content):
    path = tmp_path / "poses.txt"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return read_pose_file(path)


@pytest.mark.parametrize(
    "line, words",
    [
        ("9.5 nan 0 0 0 0 0 1", "line 5 holds a number that is not finite"),
        ("9.5 inf 0 0 0 0 0 1", "line 5 holds a number that is not finite"),
        ("9.5 1e300 0 0 0 0 0 1", "line 5 holds a position beyond 1e\\+08 m"),
        ("9.5 0 0 0 0 0 0 0", "line 5 has a quaternion of length 0"),
        ("9.5 0 0 0 0 0 0 1e300", "line 5 has a quaternion longer than 1e\\+06"),
    ],
)
def test_single_lines_without_a_pose_are_left_out_with_a_note(tmp_path, line, words):
    found = read(tmp_path, GOOD + line + "\n")
    assert len(found) == 4
    assert any(re.search(words, note) for note in found.notes)


@pytest.mark.parametrize(
    "content, words",
    [
        (GOOD + "1 2 3\n", "line 5 has not as many numbers"),
        (GOOD + "1j 0 0 0 0 0 0 1\n", "line 5 holds more than numbers"),
        (GOOD + "0x10 0 0 0 0 0 0 1\n", "line 5 holds more than numbers"),
        (GOOD + "1e999999999 0 0 0 0 0 0 1\n", "is not a time"),
        (GOOD + "1e300 0 0 0 0 0 0 1\n", "is not a time"),
        (GOOD + "nan 0 0 0 0 0 0 1\n", "is not a time"),
        (b"\xff\xfe" + b"\0\xd8" * 100, "cannot be read as text"),
        (bytes(1000), "more than numbers"),
        (b"ann\xe9e " * 100, "cannot be read as text"),
        ("2 0 0 0 0 1 0 0 0 0 1 0\n" * 5, "line 1 has no rotation"),
        ("q" * 1_000_000, "line 1 holds more than numbers"),
    ],
    ids=range(11),
)
def test_nonsense_is_named_by_its_line(tmp_path, content, words):
    with pytest.raises(PoseFileError, match=words) as caught:
        read(tmp_path, content)
    assert str(caught.value).isprintable() and str(tmp_path) in str(caught.value)


def test_more_lines_than_the_limit_are_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(text_table, "MOST_LINES", 4)
    assert len(read(tmp_path, GOOD)) == 4
    with pytest.raises(PoseFileError, match="more than 4 lines: give a part of it"):
        read(tmp_path, GOOD + "9 0 0 0 0 0 0 1\n")
    monkeypatch.setattr(text_table, "LARGEST_LIST", 10)
    with pytest.raises(PoseFileError, match="more than the 0 MB"):
        read(tmp_path, GOOD)


def test_pipes_devices_and_folders_are_refused_at_once(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    for path in (tmp_path / "pipe", "/dev/zero"):
        with pytest.raises(PoseFileError, match="is no ordinary file but"):
            read_pose_file(path)
    with pytest.raises(PoseFileError, match="is a folder"):
        read_pose_file(tmp_path)


@pytest.mark.parametrize("text", ["1e999999999", "1e300", "-1e300", "inf", "nan", "sNaN", "x", "", "9" * 5000, None])
def test_what_is_no_time_is_a_value_error(text):
    with pytest.raises(ValueError, match="is not a (time|number)"):
        exact_ns(text)


def test_the_unit_of_huge_numbers_is_found_or_seconds(recwarn):
    assert unit_of(["9" * 400] * 3) == "s"
    assert not recwarn.list


def test_many_quaternions_give_the_rotations_of_each():
    quaternions = np.random.default_rng(0).normal(size=(50, 4))
    wanted = np.array([quaternion_to_rotation(quaternion) for quaternion in quaternions])
    np.testing.assert_allclose(quaternions_to_rotations(quaternions), wanted, atol=1e-15)


def test_huge_numbers_are_no_rotation_and_no_warning(recwarn):
    poses = np.tile(np.eye(4), (2, 1, 1))
    poses[0, :3, :3] = 1e308
    assert are_rotations(poses).tolist() == [False, True]
    assert not recwarn.list
