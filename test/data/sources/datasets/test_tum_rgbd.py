# SPDX-License-Identifier: Apache-2.0
"""Folders in the layout of TUM RGB-D give times, depth, poses and the calibration of the data set."""

import cv2
import numpy as np
import pytest
from small_data_sets import BEGIN_NS, STEP_NS, seconds, stamps, write_tum
from small_sources import CAMERA, picture, read

from monodepth_ros.data.calibration import write_calibration
from monodepth_ros.data.sources.open_source import open_source
from monodepth_ros.data.sources.source import SourceError


@pytest.mark.parametrize("given", ["", "rgb"])
def test_tum_images_have_times_depth_and_poses_from_the_folder_and_from_rgb(tmp_path, given):
    write_tum(tmp_path / "fr1")
    write_calibration(tmp_path / "fr1" / "calibration.yaml", CAMERA, "camera")
    source, frames = read(tmp_path / "fr1" / given)
    assert [f.stamp_ns for f in frames] == [ns - ns % 1000 for ns in stamps(4)]
    assert frames[0].camera.key == CAMERA.key and source.has_measured_depth
    assert [float(f.reference_depth[3, 3]) for f in frames] == [1.0, 2.0, 3.0, 4.0]
    assert np.isnan(frames[0].reference_depth[0, 0]), "0 is unknown"
    np.testing.assert_allclose([f.T_world_camera[0, 3] for f in frames], [0, 0.05, 0.1, 0.15], atol=1e-4)
    with open_source(str(tmp_path / "fr1" / given)) as again:
        assert np.array_equal(again.read(frames[2].stamp_ns, frames[2].received_ns).array, frames[2].pixels.array)
        depth = again.reference_depth(frames[2].stamp_ns, frames[2].received_ns, frames[2].camera)
        assert float(depth[3, 3]) == 3.0


def test_tum_recordings_without_lists_take_times_from_the_names(tmp_path):
    write_tum(tmp_path / "drive", lists=False)
    source, frames = read(tmp_path / "drive")
    assert [f.stamp_ns for f in frames] == [ns - ns % 1000 for ns in stamps(4)]
    assert "times are read from the file names (20.0 Hz)" in source.notes
    assert float(frames[1].reference_depth[3, 3]) == 2.0


@pytest.mark.parametrize(
    ("folder", "focal", "said"),
    [
        ("rgbd_dataset_freiburg1_xyz", 517.3, "freiburg1"),
        ("rgbd_dataset_freiburg2_desk", 520.9, "freiburg2"),
        ("fr3_office", 535.4, "freiburg3"),
        ("kitchen", 525.0, "default calibration is taken"),
    ],
)
def test_tum_calibrations_go_by_the_name_of_the_folder(tmp_path, folder, focal, said):
    write_tum(tmp_path / folder, count=1, size=(640, 480))
    source, frames = read(tmp_path / folder)
    assert frames[0].camera.fx == focal and any(said in note for note in source.notes), source.notes
    assert frames[0].camera.is_distorted == (focal in (517.3, 520.9))


def test_tum_images_of_another_size_have_no_calibration_of_the_data_set(tmp_path):
    source, frames = read(write_tum(tmp_path / "freiburg1"))
    assert not frames[0].camera.is_calibrated
    assert any("8x6, so the data set's calibration (640x480) does not hold" in note for note in source.notes)


def test_depth_far_from_every_image_is_left_out_and_counted(tmp_path):
    folder = write_tum(tmp_path / "a")
    lines = (folder / "depth.txt").read_text().splitlines()
    (folder / "depth.txt").write_text("\n".join(lines[:3]) + "\n")
    source, frames = read(folder)
    assert [f.reference_depth is None for f in frames] == [False, True, True, True]
    assert "3 of 4 images have no depth within half their period" in source.notes


def test_pairs_in_associations_txt_serve_as_lists(tmp_path):
    folder = write_tum(tmp_path / "a")
    rows = []
    for ns in stamps(4):
        color, depth = seconds(ns), seconds(ns + 5_000_000)
        rows.append(f"{depth} depth/{depth}.png {color} rgb/{color}.png")
    for name in ("rgb.txt", "depth.txt"):
        (folder / name).unlink()
    (folder / "associations.txt").write_text("\n".join(rows) + "\n")
    _, frames = read(folder)
    assert [f.stamp_ns for f in frames] == [ns - ns % 1000 for ns in stamps(4)]
    assert float(frames[3].reference_depth[3, 3]) == 4.0


def test_a_list_that_counts_its_images_states_no_times(tmp_path):
    for name in ("rgb", "depth"):
        (tmp_path / name).mkdir()
    for i in range(3):
        cv2.imwrite(str(tmp_path / "rgb" / f"{i}.png"), picture(i))
        cv2.imwrite(str(tmp_path / "depth" / f"{i}.png"), np.full((6, 8), 5000 * (i + 1), np.uint16))
    (tmp_path / "associations.txt").write_text("".join(f"{i} depth/{i}.png {i} rgb/{i}.png\n" for i in range(3)))
    source, frames = read(tmp_path)
    assert [f.stamp_ns for f in frames] == [1, 100_000_000, 200_000_000]
    assert any("counts images: 10 Hz is assumed, --rate HZ" in note for note in source.notes)
    assert [float(f.reference_depth[3, 3]) for f in frames] == [1.0, 2.0, 3.0]
    _, frames = read(tmp_path, rate=30.0)
    assert frames[2].stamp_ns == 66_666_667 and float(frames[2].reference_depth[3, 3]) == 3.0


def test_depth_of_unknown_unit_is_not_used(tmp_path):
    folder = write_tum(tmp_path / "mine", lists=False)
    (folder / "groundtruth.txt").unlink()
    source, frames = read(folder)
    assert frames[0].reference_depth is None
    assert any("counts per metre of depth/ are unknown" in note for note in source.notes)


def test_the_depth_folder_is_no_camera(tmp_path):
    write_tum(tmp_path / "a")
    with pytest.raises(SourceError, match="holds the depth of a TUM RGB-D recording: give "):
        open_source(str(tmp_path / "a" / "depth"))


def test_listed_images_that_are_not_there_are_counted(tmp_path):
    folder = write_tum(tmp_path / "a")
    missing = seconds(BEGIN_NS + STEP_NS)
    (folder / "rgb" / f"{missing}.png").unlink()
    source, frames = read(folder)
    assert len(frames) == 3
    assert f"rgb.txt names 1 images that do not exist, {missing}.png first: left out" in source.notes
    (folder / "rgb.txt").write_text("hello world\n")
    with pytest.raises(SourceError, match=r"rgb.txt cannot be read \(another form\): expected a time and a file name"):
        read(folder)
