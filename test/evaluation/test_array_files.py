# SPDX-License-Identifier: Apache-2.0
"""Array files whose headers lie: one line, and no memory for what they claim."""

import io
import os
import pickle
import struct
import tracemalloc
import zipfile

import numpy as np
import pytest

from monodepth_ros.evaluation import array_file
from monodepth_ros.evaluation.array_pickle import ArrayUnpickler
from monodepth_ros.evaluation.depth_arrays import DepthPredictions, read_truth_archive
from monodepth_ros.evaluation.depth_metrics import EvaluationError
from monodepth_ros.evaluation.trajectory_file import read_trajectory

VALUES = np.arange(1, 25, dtype=np.float32).reshape(2, 3, 4)


def npy(shape=(2, 3, 4), kind="<f4", order=False, data=VALUES.tobytes(), header=None):
    """A .npy file with any header."""
    text = header if header is not None else repr({"descr": kind, "fortran_order": order, "shape": shape})
    text = text.ljust(117) + "\n"
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(text)) + text.encode("latin1") + data


def npz(member, name="data.npy", packing=zipfile.ZIP_STORED):
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", packing) as archive:
        archive.writestr(name, member)
    return file.getvalue()


READERS = {
    "predictions.npy": (DepthPredictions, lambda content: content),
    "truth.npy": (read_truth_archive, lambda content: content),
    "truth.npz": (read_truth_archive, npz),
    "poses.npy": (read_trajectory, lambda content: content),
}
LIES = {
    "more than the file holds": npy(shape=(200, 3, 4)),
    "more than there is memory": npy(shape=(2**40, 2**10, 4, 4)),
    "more than a number holds": npy(shape=(2**62, 2**62, 4)),
    "a negative side": npy(shape=(-1, 3, 4)),
    "a negative size": npy(shape=(2, -3, -4)),
    "a side that is no number": npy(shape=(True, 3, 4)),
    "a hundred dimensions": npy(shape=(1,) * 100),
    "no dimension": npy(shape=(), data=VALUES.tobytes()[:4]),
    "one dimension": npy(shape=(24,)),
    "no items": npy(shape=(0, 3, 4), data=b""),
    "no pixels": npy(shape=(2, 0, 4), data=b""),
    "complex numbers": npy(shape=(2, 3, 2), kind="<c8"),
    "text": npy(shape=(2, 3), kind="<U4"),
    "bytes": npy(shape=(2, 3), kind="|S16"),
    "times": npy(shape=(2, 3, 2), kind="<M8[ns]"),
    "raw memory": npy(shape=(2, 3), kind="|V16"),
    "named fields": npy(shape=(2, 3, 4), kind=[("x", "<f4")]),
    "an array in each value": npy(shape=(2, 3), kind=("<f4", (4,))),
    "objects without content": npy(kind="|O"),
    "a header that is no dictionary": npy(header="[1, 2, 3]"),
    "a header that is a sum": npy(header="{'descr': '<f4', 'fortran_order': 1 + 1, 'shape': (2, 3, 4)}"),
    "deep brackets": npy(header="(" * 5000),
    "no header": b"\x93NUMPY\x01\x00",
    "a format to come": b"\x93NUMPY\x09\x00" + npy()[8:],
    "nothing": b"",
}


@pytest.mark.parametrize("lie", LIES)
@pytest.mark.parametrize("name", READERS)
def test_a_header_that_lies_is_one_line_with_the_file_and_takes_no_memory(tmp_path, name, lie):
    read, wrapped = READERS[name]
    path = tmp_path / name
    path.write_bytes(wrapped(LIES[lie]))
    tracemalloc.start()
    with pytest.raises(EvaluationError) as caught:
        read(path)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert str(path) in str(caught.value) and "\n" not in str(caught.value) and peak < 3_000_000


def test_arrays_in_either_order_are_read_item_by_item(tmp_path):
    for order in "CF":
        np.save(tmp_path / "a.npy", np.asarray(VALUES, order=order))
        np.testing.assert_array_equal(np.array(list(read_truth_archive(tmp_path / "a.npy"))), VALUES)
        np.testing.assert_allclose(DepthPredictions(tmp_path / "a.npy").depth(1, (4, 3)), 1 / VALUES[1], rtol=1e-6)


def test_a_file_that_shrinks_while_it_is_read_is_one_line(tmp_path):
    np.save(tmp_path / "a.npy", VALUES)
    predictions = DepthPredictions(tmp_path / "a.npy")
    os.truncate(tmp_path / "a.npy", 150)
    with pytest.raises(EvaluationError, match="a.npy ends after 22 of 48 bytes of an array"):
        predictions.depth(0, (4, 3))
    (tmp_path / "a.npy").unlink()
    with pytest.raises(EvaluationError, match="a.npy: No such file"):
        predictions.depth(0, (4, 3))


def test_an_array_larger_than_the_free_memory_is_refused(tmp_path, monkeypatch):
    np.save(tmp_path / "a.npy", VALUES)
    monkeypatch.setattr(array_file, "_free_memory", lambda: 50)
    with pytest.raises(EvaluationError, match=r"a.npy takes 0.0 GB of memory, and 0.0 GB are free"):
        read_truth_archive(tmp_path / "a.npy")


def test_a_member_that_expands_enormously_is_refused_before_it_is_unpacked(tmp_path, monkeypatch):
    path = tmp_path / "a.npz"
    path.write_bytes(npz(npy(shape=(1, 1000, 1000), data=bytes(4_000_000)), packing=zipfile.ZIP_DEFLATED))
    assert read_truth_archive(path)[0].shape == (1000, 1000)
    monkeypatch.setattr(array_file, "FREE_EXPANSION", 1_000_000)
    with pytest.raises(EvaluationError, match=r"a.npz: data.npy expands from \d+ to 4000128 bytes"):
        read_truth_archive(path)


def test_a_pipe_is_no_array(tmp_path):
    os.mkfifo(tmp_path / "a.npy")
    for read in (DepthPredictions, read_truth_archive):
        with pytest.raises(EvaluationError, match="is no ordinary file"):
            read(tmp_path / "a.npy")


def test_predictions_without_a_number_are_named(tmp_path):
    np.save(tmp_path / "a.npy", np.full((1, 3, 4), np.nan, np.float32))
    with pytest.raises(EvaluationError, match="12 values of image 0 are no inverse depth, the first is nan"):
        DepthPredictions(tmp_path / "a.npy").depth(0, (4, 3))


def test_poses_beyond_all_distances_are_refused(tmp_path):
    steps = np.tile(np.eye(4), (3, 1, 1))
    steps[1, 0, 3] = 1e300
    np.save(tmp_path / "a.npy", steps)
    with pytest.raises(EvaluationError, match=r"a.npy: pose 2 moves by more than 1e\+08 m"):
        read_trajectory(tmp_path / "a.npy")


def test_pickled_maps_are_judged_before_numpy_gets_them():
    array, state = VALUES[0], VALUES[0].__reduce__()[2]
    assert state[1] == (3, 4)
    for protocol in (2, 3, 4):
        found = ArrayUnpickler(io.BytesIO(pickle.dumps(array, protocol))).load
        if protocol > 2:  # older ones hold bytes as text
            np.testing.assert_array_equal(found(), array)
    pickled = pickle.dumps(array, 3)
    for was, becomes in ((b"K\x03K\x04\x86", b"K\x7fK\x04\x86"), (b"K\x00\x85", b"K\x09\x85"), (b"f4", b"V4")):
        assert was in pickled
        with pytest.raises(pickle.UnpicklingError, match="holds an array"):
            ArrayUnpickler(io.BytesIO(pickled.replace(was, becomes))).load()
    with pytest.raises(KeyError):
        ArrayUnpickler(io.BytesIO(pickle.dumps(bytearray(5), 5))).load()
