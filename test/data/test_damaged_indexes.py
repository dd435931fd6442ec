# SPDX-License-Identifier: Apache-2.0
"""A frame index that is damaged, foreign or lies about itself is made again, and said."""

import io
import zipfile

import numpy as np
import pytest
from small_sources import write_kitti_sequence

from monodepth_ros.data import frame_index
from monodepth_ros.data.frame_index import FrameIndex, index_frames
from monodepth_ros.data.sources.source import SourceOptions

OPTIONS = SourceOptions()


@pytest.fixture
def kept(tmp_path):
    """A folder with its index beside it; (folder, file, arrays of the index)."""
    folder = write_kitti_sequence(tmp_path / "00")
    index_frames(str(folder), OPTIONS, beside=True)
    (file,) = folder.glob(".*.npz")
    with np.load(file) as data:
        return folder, file, dict(data)


def made_again(folder):
    said = []
    index = index_frames(str(folder), OPTIONS, beside=True, remark=said.append)
    assert len(index) == 3 and len(index.cameras) == 1
    return said


def test_a_whole_index_is_used_and_nothing_is_said(kept, monkeypatch):
    monkeypatch.setattr(frame_index, "open_source", lambda *_: pytest.fail("the source was read"))
    assert made_again(kept[0]) == []


def header_of(shape, dtype="<i8", count=24):
    stream = io.BytesIO()
    np.lib.format.write_array_header_1_0(stream, {"descr": dtype, "fortran_order": False, "shape": shape})
    return stream.getvalue() + bytes(count)


def with_entry(name, content):
    def change(file, arrays):
        with zipfile.ZipFile(file, "w") as packed:
            for other, array in arrays.items():
                stream = io.BytesIO()
                np.save(stream, array)
                packed.writestr(f"{other}.npy", content if other == name else stream.getvalue())

    return change


def with_array(name, array):
    return lambda file, arrays: np.savez(file.open("wb"), **{**arrays, name: array})


CHANGES = {
    "cut": lambda file, _: file.write_bytes(file.read_bytes()[:-100]),
    "empty": lambda file, _: file.write_bytes(b""),
    "foreign": lambda file, _: file.write_bytes(b"PK\x03\x04" + bytes(500)),
    "text": lambda file, _: file.write_text("hello"),
    "an array that claims a trillion": with_entry("stamps_ns", header_of((10**12,))),
    "an array that claims a negative size": with_entry("stamps_ns", header_of((-3,))),
    "an array of objects": with_entry("stamps_ns", header_of((3,), "|O")),
    "no array": with_entry("stamps_ns", b"hello"),
    "other lengths": with_array("poses", np.zeros((2, 4, 4))),
    "other kinds": with_array("camera_ids", np.zeros(3)),
    "a camera that is not there": with_array("camera_ids", np.array([0, 5, 0])),
    "times that go back": with_array("stamps_ns", np.array([3, 2, 1])),
    "an impossible camera": with_array("K_0", np.full((3, 3), np.nan)),
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_a_damaged_index_is_made_again_and_said(kept, change):
    folder, file, arrays = kept
    change(file, arrays)
    (said,) = made_again(folder)
    assert str(file) in said and said.endswith("it is made again")
    assert made_again(folder) == []


def test_more_bytes_than_the_limit_are_not_unpacked(kept, monkeypatch):
    folder, file, arrays = kept
    np.savez_compressed(file.open("wb"), **{**arrays, "flow": np.zeros(100_000)})
    monkeypatch.setattr(frame_index, "LARGEST_INDEX", 100_000)
    (said,) = made_again(folder)
    assert "more bytes than there may be" in said


def test_a_missing_index_and_one_of_another_recording_are_no_damage(kept):
    folder, file, _ = kept
    said = []
    assert FrameIndex.load(file, "another key", said.append) is None
    assert FrameIndex.load(folder / "none.npz", "key", said.append) is None
    assert said == []
