# SPDX-License-Identifier: Apache-2.0
"""Archives are unpacked into their folder or refused."""

import stat
import zipfile

import pytest

from monodepth_ros.downloads import archive
from monodepth_ros.downloads.archive import ArchiveError, unpack_zip


def make_zip(path, members):
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as target:
        for name, content in members.items():
            target.writestr(name, content)
    return path


def test_files_are_unpacked_unchanged(tmp_path):
    source = make_zip(tmp_path / "a.zip", {"encoder.pth": b"1", "sub/depth.pth": b"2" * 5000})
    found = unpack_zip(source, tmp_path / "out")
    assert {p.relative_to(tmp_path / "out").as_posix(): p.read_bytes() for p in found} == {
        "encoder.pth": b"1",
        "sub/depth.pth": b"2" * 5000,
    }


def test_a_folder_around_all_files_is_omitted(tmp_path):
    source = make_zip(tmp_path / "a.zip", {"weights/encoder.pth": b"1", "weights/depth.pth": b"2"})
    assert sorted(path.name for path in unpack_zip(source, tmp_path / "out")) == ["depth.pth", "encoder.pth"]
    assert (tmp_path / "out/depth.pth").read_bytes() == b"2"


@pytest.mark.parametrize("name", ["../evil", "/etc/evil", "a/../../evil", "..\\evil", "C:evil"])
def test_paths_out_of_the_folder_are_refused_before_anything_is_written(tmp_path, name):
    source = make_zip(tmp_path / "a.zip", {"good": b"1", name: b"2"})
    with pytest.raises(ArchiveError, match="would leave the folder"):
        unpack_zip(source, tmp_path / "deep/out")
    assert [path.name for path in tmp_path.rglob("*")] == ["a.zip"]


def test_links_are_refused(tmp_path):
    link = zipfile.ZipInfo("link")
    link.external_attr = (stat.S_IFLNK | 0o777) << 16
    source = make_zip(tmp_path / "a.zip", {link: b"/etc/passwd", "b": b""})
    with pytest.raises(ArchiveError, match="not a plain file"):
        unpack_zip(source, tmp_path / "out")


def test_an_archive_that_unpacks_to_too_much_is_stopped(tmp_path):
    source = make_zip(tmp_path / "a.zip", {"zeros": bytes(5_000_000), "b": b"1"})
    assert source.stat().st_size < 10_000
    with pytest.raises(ArchiveError, match="more than 1000000 bytes"):
        unpack_zip(source, tmp_path / "out", max_bytes=1_000_000)
    assert sum(path.stat().st_size for path in (tmp_path / "out").rglob("*")) <= 2_000_000


def test_too_many_files_and_damaged_archives_are_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(archive, "MAX_FILES", 3)
    many = make_zip(tmp_path / "a.zip", {str(i): b"" for i in range(4)})
    with pytest.raises(ArchiveError, match="4 files"):
        unpack_zip(many, tmp_path / "out")
    whole = make_zip(tmp_path / "b.zip", {"a": bytes(range(256)) * 100})
    for cut in (whole.stat().st_size // 2, 10, 0):
        (tmp_path / "c.zip").write_bytes(whole.read_bytes()[:cut])
        with pytest.raises(ArchiveError, match="not a valid zip"):
            unpack_zip(tmp_path / "c.zip", tmp_path / "out")
    damaged = bytearray(whole.read_bytes())
    damaged[60] ^= 0xFF
    (tmp_path / "d.zip").write_bytes(damaged)
    with pytest.raises(ArchiveError, match="not a valid zip"):
        unpack_zip(tmp_path / "d.zip", tmp_path / "out2")
