# SPDX-License-Identifier: Apache-2.0
"""Storage files compressed as a whole are unpacked into temporary ones, with and without metadata.yaml."""

import tempfile

import lz4.frame
import pytest
import zstandard
from small_storage import notes, numbers, state, write_bag

from monodepth_ros.data.bags.recording import Recording, RecordingError

PACK = {".zstd": zstandard.compress, ".zst": zstandard.compress, ".lz4": lz4.frame.compress}


@pytest.fixture(autouse=True)
def temporary_folder(tmp_path, monkeypatch):
    folder = tmp_path / "temporary"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    return folder


def packed_bag(folder, storage="mcap", suffix=".zstd", tenths=range(10)):
    """A bag of one compressed file without metadata.yaml; the file."""
    write_bag(folder, tenths, storage=storage)
    (folder / "metadata.yaml").unlink()
    (file,) = folder.iterdir()
    packed = file.with_name(file.name + suffix)
    packed.write_bytes(PACK[suffix](file.read_bytes()))
    file.unlink()
    return packed


@pytest.mark.parametrize("suffix", PACK)
@pytest.mark.parametrize("storage", ["mcap", "sqlite3"])
def test_the_folder_and_the_file_are_read_and_the_temporary_file_goes(tmp_path, temporary_folder, storage, suffix):
    file = packed_bag(tmp_path / "bag", storage, suffix)
    before = state(file.parent)
    assert numbers(file) == numbers(file.parent) == list(range(10))
    command = "lz4 -d" if suffix == ".lz4" else "zstd -d"
    assert f"`{command} {file.name}` does it once" in notes(file)
    assert state(file.parent) == before
    assert list(temporary_folder.iterdir()) == []


def test_recordings_of_one_file_share_what_is_unpacked(tmp_path, temporary_folder):
    file = packed_bag(tmp_path / "bag")
    first, second = Recording(file), Recording(file.parent)
    assert len(list(temporary_folder.iterdir())) == 1
    first.close()
    assert len(list(second.messages())) == 10
    second.close()
    del first, second
    assert list(temporary_folder.iterdir()) == []


def test_what_was_unpacked_beside_the_compressed_file_is_read_once(tmp_path):
    file = packed_bag(tmp_path / "bag")
    (file.parent / file.stem).write_bytes(zstandard.decompress(file.read_bytes()))
    assert numbers(file.parent) == list(range(10))
    assert notes(file.parent) == ""


def test_metadata_that_lists_the_other_form_of_the_file_is_no_reason_to_miss_it(tmp_path):
    for listed, given in (("bag.mcap", "bag.mcap.zstd"), ("bag.mcap.zstd", "bag.mcap")):
        folder = tmp_path / listed
        write_bag(folder / "bag")
        metadata = (folder / "bag" / "metadata.yaml").read_text().replace("bag.mcap", listed)
        (folder / "bag" / "metadata.yaml").write_text(metadata)
        content = (folder / "bag" / "bag.mcap").read_bytes()
        (folder / "bag" / "bag.mcap").unlink()
        (folder / "bag" / given).write_bytes(zstandard.compress(content) if given.endswith("zstd") else content)
        assert numbers(folder / "bag") == list(range(10))
        assert "missing" not in notes(folder / "bag") and "does not list" not in notes(folder / "bag")


def test_several_frames_in_one_file_are_unpacked(tmp_path):
    file = packed_bag(tmp_path / "bag")
    content = zstandard.decompress(file.read_bytes())
    file.write_bytes(b"".join(zstandard.compress(content[i : i + 300]) for i in range(0, len(content), 300)))
    assert numbers(file) == list(range(10))


def test_a_compressed_file_that_is_cut_off_is_read_as_far_as_it_goes(tmp_path):
    """Blocks of 1000 bytes, each flushed: as a recorder that is killed while it compresses leaves them."""
    file = packed_bag(tmp_path / "bag", tenths=range(40_000))
    content = zstandard.decompress(file.read_bytes())
    file.write_bytes(zstandard.compress(content)[: -(len(file.read_bytes()) // 3)])
    found = numbers(file)
    assert 0 < len(found) < 40_000 and found == list(range(len(found)))
    assert "it is cut off" in notes(file)


def test_a_full_disk_and_damage_give_one_line(tmp_path, monkeypatch):
    file = packed_bag(tmp_path / "bag")
    whole = file.read_bytes()
    file.write_bytes(whole[:40] + bytes(40) + whole[80:])
    with pytest.raises(RecordingError, match="cannot be unpacked") as caught:
        Recording(file)
    assert "\n" not in str(caught.value)
    file.write_bytes(whole)
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "missing"))
    with pytest.raises(RecordingError, match=r"unpack it with `zstd -d bag\.mcap\.zstd`") as caught:
        Recording(file)
    assert "\n" not in str(caught.value)
