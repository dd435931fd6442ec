# SPDX-License-Identifier: Apache-2.0
"""Files that are written completely or not at all."""

import pytest

from monodepth_ros.atomic_file import atomic_file


def test_the_file_is_replaced_when_the_block_ends(tmp_path):
    path = tmp_path / "a.txt"
    path.write_text("old")
    with atomic_file(path) as partial:
        partial.write_text("new")
        assert path.read_text() == "old"
    assert path.read_text() == "new" and list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("error", [RuntimeError, KeyboardInterrupt, OSError])
def test_an_error_in_the_block_leaves_the_old_file_and_nothing_else(tmp_path, error):
    path = tmp_path / "a.txt"
    path.write_text("old")
    with pytest.raises(error), atomic_file(path) as partial:
        partial.write_text("half of the new")
        raise error
    assert path.read_text() == "old" and list(tmp_path.iterdir()) == [path]


def test_a_folder_that_does_not_exist_is_the_operating_systems_error(tmp_path):
    with pytest.raises(FileNotFoundError), atomic_file(tmp_path / "none" / "a.txt") as partial:
        partial.write_text("new")
