# SPDX-License-Identifier: Apache-2.0
"""KITTI's object and depth benchmarks are read as single images, each with its own calibration."""

import shutil

import cv2
import numpy as np
import pytest
from small_data_sets import write_kitti_object, write_kitti_selection
from small_sources import picture, read, write_kitti_drive, write_kitti_sequence

from monodepth_ros.data.sources.open_source import open_source
from monodepth_ros.data.sources.source import SourceError, SourceOptions
from monodepth_ros.data.sources.stereo_partner import stereo_partner


@pytest.mark.parametrize("given", ["", "training", "training/image_2"])
def test_images_of_the_object_benchmark_have_their_own_calibration(tmp_path, given):
    write_kitti_object(tmp_path, scan=[[10.0, 0, 0, 0.5], [4.0, 0, 0, 0.5]])
    source, frames = read(tmp_path / given)
    assert [(f.camera.fx, f.camera.width) for f in frames] == [(5.0, 8), (6.0, 9)]
    assert source.is_calibrated and source.left_out.total() == 0
    assert any("single images without motion" in note for note in source.notes)
    assert np.nanmin(frames[0].reference_depth) == 4.0, "the nearest point of a pixel"
    partner = stereo_partner(str(tmp_path / given), SourceOptions(), source)
    _, right = read(tmp_path / given, camera=partner.camera)
    assert [f.camera.baseline for f in right] == [0.5, 0.5]


def test_images_without_a_calibration_file_count_as_not_calibrated(tmp_path):
    root = write_kitti_object(tmp_path)
    (root / "calib" / "000001.txt").unlink()
    source, frames = read(root)
    assert [f.camera.is_calibrated for f in frames] == [True, False]
    assert any("1 of 2 images have no file in calib/" in note for note in source.notes)


@pytest.mark.parametrize("given", ["depth_selection/val_selection_cropped", "depth_selection"])
def test_selections_of_the_depth_benchmark_have_intrinsics_and_depth(tmp_path, given):
    write_kitti_selection(tmp_path / "depth_selection")
    source, frames = read(tmp_path / given)
    assert [f.camera.fx for f in frames] == [5.0, 6.0]
    assert [float(f.reference_depth[0, 0]) for f in frames] == [2.0, 3.0] and source.reference_crop == "none"
    assert stereo_partner(str(tmp_path / given), SourceOptions(), source) is None, "images of different moments"


def test_depth_of_the_benchmark_beside_raw_drives_is_found_from_both_sides(tmp_path):
    drive = write_kitti_drive(tmp_path / "raw" / "2011_09_26")
    annotated = tmp_path / "data_depth_annotated" / "train" / drive.name
    annotated.mkdir(parents=True)
    shutil.move(drive / "proj_depth", annotated / "proj_depth")
    for given in (drive, drive / "image_02", drive / "image_02" / "data", annotated):
        _, frames = read(given)
        assert [f.reference_depth is not None for f in frames] == [False, True], given
        assert frames[0].camera.is_calibrated and frames[1].stamp_ns == 103_000_123
    shutil.rmtree(drive)
    with pytest.raises(SourceError, match="holds depth but no images: put 2011_09_26_drive_0001_sync of KITTI's raw"):
        open_source(str(annotated))


def test_a_part_of_a_sequence_keeps_the_times_and_poses_of_its_frames(tmp_path):
    folder = write_kitti_sequence(tmp_path / "06")
    for number in (0, 1, 2):
        (folder / f"image_{number}" / "000000.png").unlink()
    (folder / "times.txt").write_text("0.0\n0.1\n0.3\n")
    _, frames = read(folder)
    assert [f.stamp_ns for f in frames] == [100_000_000, 300_000_000]
    assert [f.T_world_camera[2, 3] for f in frames] == [1, 2]
    source, frames = read(folder / "image_1")
    assert "image_1" in source.description and frames[0].camera.is_calibrated


def test_folders_above_data_sets_open_the_only_one_and_name_several(tmp_path):
    write_kitti_sequence(tmp_path / "dataset" / "06")
    source, frames = read(tmp_path / "dataset")
    assert len(frames) == 3 and "06" in source.description
    write_kitti_sequence(tmp_path / "dataset" / "07")
    with pytest.raises(SourceError, match="holds 2 recordings: give one of .*06, .*07"):
        open_source(str(tmp_path / "dataset"))
    (tmp_path / "zip" / "__MACOSX").mkdir(parents=True)
    write_kitti_sequence(tmp_path / "zip" / "sequences" / "06")
    assert "06" in read(tmp_path / "zip")[0].description, "two levels below"
    (tmp_path / "mine" / "images").mkdir(parents=True)
    cv2.imwrite(str(tmp_path / "mine" / "images" / "a.png"), picture(1))
    (tmp_path / "mine" / "images" / "._a.png").write_bytes(b"macOS")
    assert len(read(tmp_path / "mine")[1]) == 1
