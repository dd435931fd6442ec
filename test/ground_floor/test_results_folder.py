# SPDX-License-Identifier: Apache-2.0
"""Folders for results."""

import pytest

from monodepth_ros.errors import MonodepthError
from monodepth_ros.results_folder import new_results_folder


def test_every_run_has_a_folder_and_latest_is_the_last(tmp_path):
    folders = [new_results_folder(tmp_path / "results") for _ in range(3)]
    assert len(set(folders)) == 3 and all(folder.is_dir() for folder in folders)
    assert (tmp_path / "results" / "latest").resolve() == folders[-1]


def test_a_file_called_latest_is_left_alone(tmp_path):
    (tmp_path / "latest").write_text("a note")
    assert new_results_folder(tmp_path).is_dir()
    assert (tmp_path / "latest").read_text() == "a note"


def test_a_root_that_cannot_be_created_is_refused_in_one_line(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(MonodepthError, match=r"results cannot be written to .*file: (Not a directory|File exists)"):
        new_results_folder(tmp_path / "file")
