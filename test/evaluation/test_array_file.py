# SPDX-License-Identifier: Apache-2.0
"""Headers of array files are judged before anything is allocated for them."""

import io
import os
import zipfile

import numpy as np
import pytest

from monodepth_ros.evaluation import array_file
from monodepth_ros.evaluation.array_file import ArrayHeaderError, array_of, map_array
from monodepth_ros.evaluation.depth_arrays import DepthPredictions, EvaluationError, read_truth_archive
from monodepth_ros.evaluation.trajectory_file import read_trajectory


def npy(header, values=bytes(96)):
    text = header.ljust(117) + "\n"
    return b"\x93NUMPY\x01\x00" + len(text).to_bytes(2, "little") + text.encode() + values


def header(shape="(2, 3, 4)", descr="'<f4'"):
    return f"{{'descr': {descr}, 'fortran_order': False, 'shape': {shape}, }}"


BAD = {
    "claims a terabyte": header("(1000, 1000, 250000)"),
    "claims more than any machine has": header("(4611686018427387904, 2, 2)"),
    "a side below 0": header("(-1, 3, 4)"),
    "one value too many": header("(25,)"),
    "a side that is no number": header("('a', 3)"),
    "a side that is a truth value": header("(True, 3)"),
    "an open bracket": header("(2, 3"),
    "an open string": header()[:20],
    "no mapping": "[1, 2]",
    "an unknown type": header(descr="'<q9'"),
    "an object": header(descr="'|O'"),
    "nested deeply": header("(" * 60),
}


@pytest.mark.parametrize("text", BAD.values(), ids=BAD)
def test_an_array_that_cannot_be_is_refused_in_one_line_by_every_reader(tmp_path, text):
    file, archive = tmp_path / "a.npy", tmp_path / "a.npz"
    file.write_bytes(npy(text))
    with zipfile.ZipFile(archive, "w") as members:
        members.writestr("data.npy", npy(text))
    for read in (map_array, lambda path: array_of(path.read_bytes())):
        with pytest.raises(ArrayHeaderError):
            read(file)
    for read, path in (
        (DepthPredictions, file),
        (read_truth_archive, file),
        (read_truth_archive, archive),
        (read_trajectory, file),
    ):
        with pytest.raises(EvaluationError) as error:
            read(path)
        assert path.name in str(error.value) and len(str(error.value)) < 500, error.value


@pytest.mark.parametrize("array", [np.arange(24.0).reshape(2, 3, 4), np.zeros((0, 3)), np.asfortranarray(np.eye(3, 5))])
def test_arrays_are_read_as_numpy_reads_them(tmp_path, array):
    path, stream = tmp_path / "a.npy", io.BytesIO()
    np.save(path, array)
    np.save(stream, array)
    for found in (map_array(path), array_of(stream.getvalue())):
        np.testing.assert_array_equal(found, array)
        assert found.dtype == array.dtype


def test_an_archive_that_expands_beyond_the_limit_is_refused_unread(tmp_path, monkeypatch):
    from monodepth_ros.evaluation import depth_arrays

    path = tmp_path / "truth.npz"
    np.savez_compressed(path, data=np.zeros((2, 100, 100), np.float32))
    monkeypatch.setattr(depth_arrays, "LARGEST_ARRAY", 50_000)
    monkeypatch.setattr(array_file, "LARGEST_ARRAY", 50_000)
    with pytest.raises(EvaluationError, match="data.npy has 80128 bytes, more than 50000"):
        read_truth_archive(path)


def test_a_pipe_is_refused_instead_of_waited_for(tmp_path):
    path = tmp_path / "a.npy"
    os.mkfifo(path)
    for read in (DepthPredictions, read_truth_archive):
        with pytest.raises(EvaluationError, match="pipe"):
            read(path)
