# SPDX-License-Identifier: Apache-2.0
"""Split files and the frames that they name."""

import os

import pytest

from monodepth_ros.evaluation import split_file
from monodepth_ros.evaluation.depth_metrics import EvaluationError
from monodepth_ros.evaluation.split_file import read_split

EIGEN = """2011_09_26/2011_09_26_drive_0052_sync 0000000046 l
2011_09_26/2011_09_26_drive_0002_sync 0000000046 l
2011_09_26/2011_09_26_drive_0052_sync 0000000000 l
"""


def test_frames_are_found_by_drive_and_number(tmp_path):
    path = tmp_path / "test_files.txt"
    path.write_text(EIGEN)
    split = read_split(path)
    assert len(split) == 3
    assert split.line_of("/data/2011_09_26/2011_09_26_drive_0052_sync", "0000000046") == 0
    assert split.line_of("/data/2011_09_26/2011_09_26_drive_0002_sync/", "0000000046") == 1
    assert split.line_of("/data/kitti_raw_2011_09_26_drive_0052", "0") == 2
    assert split.line_of("/data/2011_09_26/2011_09_26_drive_0002_sync", "0000000000") is None
    elsewhere = "/data/2011_09_26/2011_09_26_drive_0099_sync"
    assert split.line_of(elsewhere, "0000000046") is None and not split.may_name(elsewhere)
    assert split.may_name("/data/2011_09_26/2011_09_26_drive_0002_sync")


def test_lines_without_a_drive_name_frames_of_any_source(tmp_path):
    path = tmp_path / "frames.txt"
    path.write_text("000004\n\nleft_7.png\n9 12 l\n")
    split = read_split(path)
    assert [split.line_of("/data/bag.mcap", name) for name in ("4", "left_7", "000012", "5")] == [0, 1, 2, None]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("\n", "no lines"),
        ("a b c d\n", "'a b c d', expected 'folder frame side'"),
        ("7\n007\n", "names '007' twice"),
    ],
)
def test_a_malformed_split_is_rejected(tmp_path, text, expected):
    path = tmp_path / "split.txt"
    path.write_text(text)
    with pytest.raises(EvaluationError, match=expected):
        read_split(path)
    with pytest.raises(EvaluationError, match="No such file"):
        read_split(tmp_path / "none.txt")


def test_what_is_no_list_is_refused_before_it_is_opened(tmp_path, monkeypatch):
    os.mkfifo(tmp_path / "pipe")
    for path, words in ((tmp_path / "pipe", "no ordinary file"), ("/dev/zero", "no ordinary file"), ("a\0b", "null")):
        with pytest.raises(EvaluationError, match=words):
            read_split(path)
    (tmp_path / "many.txt").write_text("1\n2\n3\n")
    monkeypatch.setattr(split_file, "MOST_LINES", 2)
    with pytest.raises(EvaluationError, match="has 3 lines, more than the 2"):
        read_split(tmp_path / "many.txt")


def test_a_name_of_thousands_of_digits_is_a_name(tmp_path):
    (tmp_path / "split.txt").write_text("0" * 5000 + "7" * 5000)
    assert read_split(tmp_path / "split.txt").line_of("bag", "7" * 5000) == 0
