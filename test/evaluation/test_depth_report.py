# SPDX-License-Identifier: Apache-2.0
"""Errors of many depth images: protocols, means, files."""

import os
import zipfile

import numpy as np
import pytest

from monodepth_ros.evaluation.depth_arrays import DepthPredictions, read_truth_archive
from monodepth_ros.evaluation.depth_metrics import EvaluationError
from monodepth_ros.evaluation.depth_report import IMPROVED, DepthProtocol, DepthReport

PLAIN = DepthProtocol(crop="none")


def row(*values):
    return np.array([values], np.float32)


def test_ratios_are_reported_as_median_and_relative_deviation():
    report = DepthReport(PLAIN)
    for ratio in (10.0, 20.0, 40.0):
        report.add(f"{ratio:g}", row(ratio, ratio), row(1, 1))
    assert report.scale_median == pytest.approx(20)
    assert report.scale_deviation == pytest.approx(np.std([10, 20, 40]) / 20)
    assert report.mean.abs_rel == 0 and [item["image"] for item in report.rows()] == ["10", "20", "40"]
    text = "\n".join(report.lines(per_image=True))
    assert "median 20, std/median 0.624; 3 images" in text and text.count("\n") == 5


def test_the_improved_protocol_keeps_far_ground_truth_and_clamps_predictions():
    truth, prediction = row(10, 100), row(1, 20)
    protocol = DepthProtocol(crop="none", cap_ground_truth=False, scaling="none", factor=10)
    report = DepthReport(protocol)
    report.add("a", truth, prediction)  # 10 and, clamped from 200, 80
    assert report.mean.abs_rel == pytest.approx((0 + 20 / 100) / 2)
    capped = DepthReport(DepthProtocol(crop="none", scaling="none", factor=10))
    capped.add("a", truth, prediction)
    assert capped.mean.abs_rel == 0
    assert IMPROVED.crop == "none" and not IMPROVED.cap_ground_truth


def test_images_without_anything_to_compare_are_left_out_and_counted():
    report = DepthReport(PLAIN)
    report.add("empty", row(0, 0), row(1, 1))
    with pytest.raises(EvaluationError, match="no image could be compared: no pixel has both"):
        report.lines()
    report.add("full", row(5, 5), row(1, 1))
    assert len(report.metrics) == 1 and report.left_out.total() == 1
    assert report.as_dict()["images_left_out"]


@pytest.mark.parametrize("wrong", [{"min_depth": 0.0}, {"min_depth": 90.0}, {"max_depth": np.inf}, {"factor": 0.0}])
def test_impossible_protocols_are_refused(wrong):
    with pytest.raises(EvaluationError, match="expected"):
        DepthProtocol(**wrong)


def test_inverse_depth_is_resized_before_it_is_inverted(tmp_path):
    np.save(tmp_path / "a.npy", np.array([[[0.5, 0.1]]], np.float32))
    middle = DepthPredictions(tmp_path / "a.npy").depth(0, (4, 1))[0]
    np.testing.assert_allclose(1 / middle, [0.5, 0.4, 0.2, 0.1], rtol=1e-5)
    np.save(tmp_path / "b.npy", np.array([[[[2.0, 10.0]]]]))  # (N, 1, h, w), depths
    np.testing.assert_allclose(DepthPredictions(tmp_path / "b.npy", True).depth(0, (4, 1))[0], middle, rtol=1e-5)


@pytest.mark.parametrize(
    ("values", "is_depth", "expected"),
    [
        ([1.0, np.nan], False, "1 values of image 0 are no inverse depth, the first is nan"),
        ([1.0, -3.0], False, "no inverse depth, the first is -3; expected finite numbers from 0.*--depths"),
        ([1.0, -2.0], True, "no depth, the first is -2; expected positive"),
    ],
)
def test_invalid_predictions_are_refused(tmp_path, values, is_depth, expected):
    np.save(tmp_path / "a.npy", np.array([[values]]))
    with pytest.raises(EvaluationError, match=expected):
        DepthPredictions(tmp_path / "a.npy", is_depth).depth(0, (2, 1))


@pytest.mark.parametrize("content", [np.zeros((4, 5)), np.zeros((2, 3, 4), int), np.array([{}], object)])
def test_arrays_of_another_shape_or_type_are_refused(tmp_path, content):
    np.save(tmp_path / "a.npy", content)
    with pytest.raises(EvaluationError, match=r"expected .*\(N, height, width\)"):
        DepthPredictions(tmp_path / "a.npy")
    with pytest.raises(EvaluationError, match="No such file"):
        DepthPredictions(tmp_path / "none.npy")


def ragged(*items):
    array = np.empty(len(items), object)
    array[:] = items
    return array


@pytest.mark.parametrize("save", [np.savez, np.savez_compressed])
def test_ground_truth_of_many_sizes_is_read_as_monodepth2_saves_it(tmp_path, save):
    maps = np.full((3, 4), 2.0, np.float32), np.full((2, 5), 7.0, np.float32)
    save(tmp_path / "gt_depths.npz", data=ragged(*maps))
    found = read_truth_archive(tmp_path / "gt_depths.npz")
    assert [m.shape for m in found] == [(3, 4), (2, 5)] and found[1][0, 0] == 7.0


def test_ground_truth_of_one_size_is_read_from_either_kind_of_file(tmp_path):
    maps = np.arange(24.0).reshape(2, 3, 4)
    np.savez(tmp_path / "a.npz", maps)
    np.save(tmp_path / "a.npy", maps)
    for name in ("a.npz", "a.npy"):
        np.testing.assert_array_equal(np.array(read_truth_archive(tmp_path / name)), maps)


class Evil:
    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return os.mkdir, (self.path,)


def test_nothing_in_a_ground_truth_file_is_executed(tmp_path):
    np.savez(tmp_path / "evil.npz", data=ragged(Evil(str(tmp_path / "made")), np.zeros((2, 2))))
    with pytest.raises(EvaluationError, match="holds posix.mkdir, nothing of it was run"):
        read_truth_archive(tmp_path / "evil.npz")
    assert not (tmp_path / "made").exists()


def test_archives_without_depth_maps_are_refused(tmp_path):
    path = tmp_path / "a.npz"
    np.savez(path, first=np.zeros(3), second=np.zeros(3))
    with pytest.raises(EvaluationError, match="holds first.npy, second.npy; expected an array named data"):
        read_truth_archive(path)
    np.savez(path, data=np.zeros(3))
    with pytest.raises(EvaluationError, match=r"maps \(height, width\), one per image"):
        read_truth_archive(path)
    path.write_bytes(path.read_bytes()[:100])
    with pytest.raises(EvaluationError, match="not an archive of arrays, or damaged"):
        read_truth_archive(path)
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("data.npy", b"no array at all")
    with pytest.raises(EvaluationError, match="data.npy is not an array file"):
        read_truth_archive(path)
