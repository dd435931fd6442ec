# SPDX-License-Identifier: Apache-2.0
"""Folders of data sets whose files hold nonsense are read for what is whole, or refused in one line with the file."""

import os

import numpy as np
import pytest
from small_data_sets import (
    write_euroc,
    write_kitti_object,
    write_kitti_selection,
    write_nuscenes,
    write_pandaset,
    write_tum,
)
from small_sources import read, write_kitti_drive, write_kitti_sequence

from monodepth_ros.data.sources.image_sequence import read_image
from monodepth_ros.errors import MonodepthError
from monodepth_ros.pictures.html_page import html_page

SCAN = np.array([[5, 0.1, 0.1, 0], [6, -0.1, 0.2, 0]], np.float32)


def refused(path, words, **options):
    with pytest.raises(MonodepthError, match=words) as caught:
        read(path, **options)
    assert str(caught.value).isprintable()


@pytest.mark.parametrize(
    "row", ["nan " * 12, "inf " + "0 " * 11, "0 " * 12, "5 0 3 1e300 0 5 2 0 0 0 1 0", "x " * 12, "1 2", ""]
)
@pytest.mark.parametrize("name", ["P2", "P0"])
def test_a_projection_of_kitti_that_is_none_is_named_with_its_file(tmp_path, name, row):
    folder = write_kitti_sequence(tmp_path / "00")
    (folder / "calib.txt").write_text(f"{name}: {row}\n")
    refused(folder, f"calib.txt.*{name if name == 'P2' else 'P2'}", camera="2")
    drive = write_kitti_drive(tmp_path / "raw")
    (tmp_path / "raw" / "calib_cam_to_cam.txt").write_text(f"P_rect_02: {row}\n")
    refused(drive, "calib_cam_to_cam.txt.*P_rect_02")


@pytest.mark.parametrize("name", ["P2", "R0_rect", "Tr_velo_to_cam"])
@pytest.mark.parametrize("value", ["0", "nan", "1e300", "7"])
def test_an_image_of_the_object_benchmark_with_a_wrong_calibration_is_noted_and_the_others_are_read(
    tmp_path, name, value
):
    write_kitti_object(tmp_path / "training", scan=SCAN)
    (file, *_) = sorted(tmp_path.rglob("calib/*.txt"))
    lines = file.read_text().splitlines()
    count = {"P2": 12, "R0_rect": 9, "Tr_velo_to_cam": 12}[name]
    lines = [f"{name}: {' '.join([value] * count)}" if line.startswith(name) else line for line in lines]
    file.write_text("\n".join(lines))
    source, frames = read(file.parents[1])
    assert len(frames) == (1 if name == "P2" else 2)
    assert any("1 of 2 images have no reference depth" in note and file.name in note for note in source.notes)
    assert any(frame.reference_depth is not None for frame in frames)


def test_points_of_odd_length_and_of_too_many_bytes_are_noted(tmp_path, monkeypatch):
    write_kitti_object(tmp_path / "training", scan=SCAN)
    (scan, *_) = sorted(tmp_path.rglob("velodyne/*.bin"))
    scan.write_bytes(scan.read_bytes() + b"\0")
    root = scan.parents[1]
    source, frames = read(root)
    assert len(frames) == 2 and any("bytes, expected 16 for each point" in note for note in source.notes)
    with scan.open("wb") as file:
        file.truncate(1 << 33)
    source, _ = read(root)
    assert any("more than the 268 MB that such a file can have" in note for note in source.notes)


@pytest.mark.parametrize("text", ["nan nan", "", "x", "5 0 3 0 5 2 1 1 1", "1j " * 9, "nan " * 9, "\0"])
def test_intrinsics_of_the_depth_benchmark_that_are_none_leave_out_their_image(tmp_path, text):
    write_kitti_selection(tmp_path)
    (file, *_) = sorted(tmp_path.rglob("intrinsics/*.txt"))
    count = len(read(tmp_path)[1])
    file.write_text(text)
    source, frames = read(tmp_path)
    assert len(frames) == count - 1
    assert any(file.name in reason for reason in source.left_out)


@pytest.mark.parametrize(
    "name, text, words",
    [
        ("times.txt", "0\n1e300\n2\n", "times.txt is not a list of times"),
        ("times.txt", "0\n1e999999999\n2\n", "times.txt is not a list of times"),
        ("times.txt", "nan\nnan\nnan\n", "times.txt is not a list of times"),
        ("times.txt", "2\n1\n0\n", "do not increase"),
        ("times.txt", "\0\0\0", "times.txt is not a list of times"),
        ("poses.txt", "1 2 3\n", "poses.txt: 3 numbers per line"),
        ("poses.txt", "2 0 0 0 0 1 0 0 0 0 1 0\n" * 3, "poses.txt: line 1 is no pose"),
        ("poses.txt", "1 0 0 1e300 0 1 0 0 0 0 1 0\n" * 3, "poses.txt: line 1 is no pose"),
        ("poses.txt", "1 0 0 0 0 1 0 0 0 0 1 0\n0x1 0 0 0 0 1 0 0 0 0 1 0\n", "line 2 holds more than numbers"),
    ],
)
def test_times_and_poses_of_kitti_that_are_none_are_named(tmp_path, name, text, words):
    folder = write_kitti_sequence(tmp_path / "00")
    (folder / name).write_text(text)
    refused(folder, words)


def test_unknown_poses_of_kitti_stay_unknown(tmp_path):
    folder = write_kitti_sequence(tmp_path / "00")
    (folder / "poses.txt").write_text("1 0 0 0 0 1 0 0 0 0 1 0\n" + "nan " * 12 + "\n")
    assert [frame.T_world_camera is not None for frame in read(folder)[1]] == [True, False, False]


@pytest.mark.parametrize("text", ["2011-09-26 13:02:26.5\n2011-09-26 13:02:25.6\n", "0000-00-00\n", "9" * 500, "\0"])
def test_times_of_a_raw_drive_that_go_back_or_are_none_are_named(tmp_path, text):
    drive = write_kitti_drive(tmp_path)
    (drive / "image_02" / "timestamps.txt").write_text(text)
    refused(drive, "timestamps.txt")


def test_lists_with_more_lines_than_the_limit_are_refused(tmp_path, monkeypatch):
    folder = write_kitti_sequence(tmp_path / "00")
    monkeypatch.setattr("monodepth_ros.data.sources.image_times.MOST_LINES", 2)
    refused(folder, "times.txt has 3 lines, more than 2")


def test_lists_of_images_lead_to_no_file_outside_of_the_folder(tmp_path):
    write_tum(tmp_path / "tum")
    files = sorted((tmp_path / "tum" / "rgb").iterdir())
    outside = tmp_path / "outside.png"
    outside.write_bytes(files[0].read_bytes())
    lines = [f"{file.stem} rgb/{file.name}" for file in files]
    for number, name in enumerate((str(outside), "../outside.png", "rgb/../../outside.png", "n" * 300 + ".png")):
        changed = [f"{files[1].stem} {name}" if at == 1 else line for at, line in enumerate(lines)]
        (tmp_path / "tum" / "rgb.txt").write_text("\n".join(changed) + "\n")
        source, frames = read(tmp_path / "tum")
        assert len(frames) == len(files) - 1, number
        assert any("names 1 images that do not exist" in note for note in source.notes)


def test_a_transform_of_euroc_that_is_none_is_noted_with_its_file(tmp_path):
    write_euroc(tmp_path / "mav0", cameras=1)
    (sensor, *_) = sorted(tmp_path.rglob("cam0/sensor.yaml"))
    text = sensor.read_text()
    for wrong in ("[" + "9" * 400 + "]", "[1, 2]", "nan", "[[[[1]]]]", "{a: 1}"):
        start = text.index("data:")
        sensor.write_text(text[:start] + f"data: {wrong}" + text[text.index("]", start) + 1 :])
        source, _ = read(tmp_path / "mav0")
        assert any("sensor.yaml" in note for note in source.notes), wrong


@pytest.mark.parametrize(
    "table, text",
    [
        ("ego_pose.json", "[" * 5000),
        ("ego_pose.json", "[5]"),
        ("ego_pose.json", "{}"),
        ("sensor.json", '[{"token": [1], "channel": {}, "modality": 5}]'),
        ("calibrated_sensor.json", "[]"),
        ("sample_data.json", '[{"token": 1e400}]'),
        ("sample_data.json", "9" * 5000),
    ],
)
def test_tables_of_nuscenes_of_wrong_kinds_are_refused(tmp_path, table, text):
    write_nuscenes(tmp_path)
    (tmp_path / "v1.0-mini" / table).write_text(text)
    refused(tmp_path, "v1.0-mini")


@pytest.mark.parametrize(
    "name, text",
    [
        ("intrinsics.json", '{"fx": -1, "fy": 5, "cx": 1, "cy": 1}'),
        ("intrinsics.json", '{"fx": 1e400, "fy": 5, "cx": 1, "cy": 1}'),
        ("intrinsics.json", "[5]"),
        ("timestamps.json", "[1e999999999, 2, 3]"),
        ("timestamps.json", "[3, 2, 1]"),
        ("timestamps.json", "[null, {}, []]"),
        ("poses.json", '[{"position": {"x": 1e400}}]'),
        ("poses.json", "[[]]"),
    ],
)
def test_files_of_pandaset_of_wrong_kinds_are_refused(tmp_path, name, text):
    write_pandaset(tmp_path)
    (file, *_) = sorted(tmp_path.rglob(name))
    file.write_text(text)
    refused(tmp_path, "front_camera|" + name)


def test_images_that_cannot_be_opened_are_left_out(tmp_path, monkeypatch):
    folder = write_kitti_sequence(tmp_path / "00") / "image_2"
    (file, *_) = sorted(folder.iterdir())
    monkeypatch.setattr("monodepth_ros.data.images.picture_file.LARGEST_PICTURE", file.stat().st_size - 1)
    with pytest.raises(MonodepthError, match="more than the 0 MB that such a file can have"):
        read_image(file)
    with pytest.raises(MonodepthError, match="No such file"):
        read_image(folder / "none.png")
    os.mkfifo(folder / "pipe.png")
    with pytest.raises(MonodepthError, match="is no ordinary file"):
        read_image(folder / "pipe.png")


def test_a_page_holds_no_control_characters_and_no_halves_of_names():
    page = html_page("a\x1b[2J\udce9", "", "<p>b\0\n\tc</p>")
    assert "a?[2J?" in page and "b?\n\tc" in page
    page.encode()
