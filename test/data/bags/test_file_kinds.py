# SPDX-License-Identifier: Apache-2.0
"""What a storage file is: its content counts, whatever its name says."""

import bz2
import gzip
import lzma
import shutil
import zipfile

import pytest
from rosbags.rosbag1 import Writer
from small_storage import ROS1, START_NS, STRING, notes, numbers, ros1, write_bag, write_mcap

from monodepth_ros.data.bags.recording import Recording, RecordingError
from monodepth_ros.data.sources.open_source import open_source
from monodepth_ros.data.sources.source import SourceError


def write_ros1(path):
    with Writer(path) as bag:
        connection = bag.add_connection("/numbers", STRING, typestore=ROS1)
        for number in range(3):
            bag.write(connection, START_NS + number, ros1(number))
    return path


def stored(tmp_path, kind):
    """A storage file of a kind with the numbers 0 to 2."""
    if kind == ".bag":
        return write_ros1(tmp_path / "whole.bag")
    if kind == ".mcap":
        write_mcap(tmp_path / "whole.mcap", range(3))
        return tmp_path / "whole.mcap"
    return write_bag(tmp_path / "whole", range(3), storage="sqlite3") / "whole.db3"


@pytest.mark.parametrize(
    ("kind", "name"),
    [
        (".mcap", "drive.db3"),
        (".mcap", "DRIVE.MCAP"),
        (".mcap", "drive"),
        (".mcap", "drive.mcap.part"),
        (".db3", "drive.mcap"),
        (".db3", "drive.sqlite3"),
        (".bag", "drive.mcap"),
        (".bag", "DRIVE.BAG"),
        (".bag", "drive.orig"),
    ],
)
def test_a_file_is_read_as_what_it_is_under_any_name(tmp_path, kind, name):
    file = tmp_path / name
    shutil.move(stored(tmp_path, kind), file)
    assert numbers(file) == [0, 1, 2]
    is_said = name.endswith((".db3", ".mcap"))
    assert ("by its content" in notes(file)) == is_said
    with pytest.raises(RecordingError, match="has no camera images"):
        open_source(str(file))


@pytest.mark.parametrize(("suffix", "pack"), [(".gz", gzip.compress), (".bz2", bz2.compress), (".xz", lzma.compress)])
def test_files_packed_by_common_tools_are_read(tmp_path, suffix, pack):
    whole = stored(tmp_path, ".mcap")
    file = tmp_path / f"drive.mcap{suffix}"
    file.write_bytes(pack(whole.read_bytes()))
    assert numbers(file) == [0, 1, 2]
    assert "is unpacked into a temporary file" in notes(file)


def test_archives_and_pointers_of_git_lfs_name_the_command(tmp_path):
    archive = tmp_path / "drive.zip"
    with zipfile.ZipFile(archive, "w") as content:
        content.writestr("drive.mcap", b"")
    pointer = tmp_path / "drive.mcap"
    pointer.write_text("version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 5\n")
    for file, command in ((archive, "unzip drive.zip"), (pointer, "git lfs pull")):
        for opening in (Recording, open_source):
            with pytest.raises(RecordingError, match=f"`{command}`") as caught:
                opening(str(file))
            assert "\n" not in str(caught.value)


def test_the_log_of_a_database_names_the_database(tmp_path):
    log = tmp_path / "bag_0.db3-wal"
    log.write_bytes(b"")
    with pytest.raises(SourceError, match=r"a part of the database bag_0\.db3: give that"):
        open_source(str(log))
