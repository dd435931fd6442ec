# SPDX-License-Identifier: Apache-2.0
"""The results of an offline run, read back."""

import json
import os
import re
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest

from monodepth_ros.data.depth.depth_codec import KITTI_COUNTS_PER_METRE, read_depth_png
from monodepth_ros.geometry.motion import (
    R_BODY_OPTICAL,
    exp_se3,
    invert,
    make_transform,
    quaternion_to_rotation,
)
from monodepth_ros.odometry.base_frame import express_in_base
from monodepth_ros.odometry.visual_odometry import VisualOdometry
from monodepth_ros.offline.results.cloud_map import PLY_DTYPE, CloudMap, thinned, write_ply
from monodepth_ros.offline.results.depth_files import DepthFiles
from monodepth_ros.offline.results.frame_pictures import MOST, FramePictures, PictureSampler
from monodepth_ros.offline.results.reserve import SIZES, Reserve
from monodepth_ros.offline.results.trajectory_record import TrajectoryRecord
from monodepth_ros.pictures.map_picture import map_picture
from monodepth_ros.pictures.svg_chart import Curve, svg_chart, ticks
from monodepth_ros.pipeline.point_cloud import CLOUD_DTYPE
from monodepth_ros.results_folder import new_results_folder

SECOND, TENTH = 10**9, 10**8
STEP = exp_se3(np.array([0.0, 0, 1.0, 0, 0.02, 0]))
T_ODOM_START = make_transform(R_BODY_OPTICAL, np.zeros(3))


def estimates(stamps, step=STEP):
    odometry = VisualOdometry()
    return [odometry.update(stamp, step) for stamp in stamps]


def test_depth_as_16_bit_png_has_kittis_format_and_states_it(tmp_path):
    depth = np.array([[1.5, 80.0, np.nan, np.inf, -np.inf, 300.0]], np.float32)
    DepthFiles(tmp_path / "depth", "png", "m").write("000000", depth)
    np.testing.assert_array_equal(
        read_depth_png(tmp_path / "depth" / "000000.png", KITTI_COUNTS_PER_METRE), [[1.5, 80.0, *[np.nan] * 4]]
    )
    facts = json.loads((tmp_path / "depth" / "format.json").read_text())
    assert (facts["counts_per_unit"], facts["unit"]) == (256.0, "m")


def test_depth_as_npz_is_exact_and_none_is_none(tmp_path):
    depth = np.array([[1.2345, np.nan, np.inf]], np.float32)
    DepthFiles(tmp_path / "depth", "npz", "m").write("a", depth)
    np.testing.assert_array_equal(np.load(tmp_path / "depth" / "a.npz")["depth"], depth)
    DepthFiles(tmp_path / "nothing", "none", "m").write("a", depth)
    assert not (tmp_path / "nothing").exists()


def cloud_at(*points):
    cloud = np.zeros((1, len(points)), CLOUD_DTYPE)
    for i, (x, y, z) in enumerate(points):
        cloud[0, i] = (x, y, z, 0)
    cloud.view(np.uint32).reshape(1, -1, 4)[..., 3] = 0x102030
    return cloud


def test_clouds_of_a_path_become_one_map():
    """A wall seen from every metre of the path to it keeps its position, with one point per voxel."""
    cloud_map = CloudMap(0.1, T_ODOM_START)
    straight = exp_se3(np.array([0.0, 0, 1.0, 0, 0, 0]))
    for i, estimate in enumerate(estimates([SECOND + i * TENTH for i in range(5)], straight)):
        cloud_map.add(cloud_at((0.05, 0.05, 10.05 - i), (np.nan, 0, np.nan), (0, 0, 90.0)), estimate)
    points, frame, count = cloud_map.result()
    assert (len(points), frame, count) == (1, "odometry frame", 5), "far points are left out of a map"
    assert [points[name][0] for name in "xyz"] == pytest.approx([10.05, -0.05, -0.05], abs=1e-4)
    assert (points["red"][0], points["green"][0], points["blue"][0]) == (0x10, 0x20, 0x30)


def test_the_longest_of_several_trajectories_gives_the_map():
    cloud_map = CloudMap(0.1, T_ODOM_START)
    stamps = [SECOND, SECOND + TENTH, *(10 * SECOND + i * TENTH for i in range(4)), 30 * SECOND]
    for estimate in estimates(stamps):
        cloud_map.add(cloud_at((0, 0, 5)), estimate)
    assert cloud_map.result()[2] == 4


def test_without_odometry_one_cloud_is_kept_with_z_up():
    cloud_map = CloudMap(0.1, T_ODOM_START)
    cloud_map.add(cloud_at((1, 2, 30)), None)
    points, _, count = cloud_map.result()
    assert count == 1 and [float(points[name][0]) for name in "xyz"] == [30, -1, -2]


def test_a_ply_file_describes_its_content(tmp_path):
    points = np.zeros(3, PLY_DTYPE)
    points["z"], points["green"] = (1, 2, 3), 200
    write_ply(tmp_path / "cloud.ply", points, "three points, größer")
    head, _, body = (tmp_path / "cloud.ply").read_bytes().partition(b"end_header\n")
    assert b"element vertex 3" in head and b"property uchar green" in head and head.isascii()
    np.testing.assert_array_equal(np.frombuffer(body, PLY_DTYPE), points)
    assert len(thinned(points, 10.0)) == 1 and len(thinned(points, 0.5)) == 3


def test_trajectories_are_written_in_both_formats_and_parts(tmp_path):
    record = TrajectoryRecord()
    stamps = [SECOND + i * TENTH for i in range(4)] + [20 * SECOND + i * TENTH for i in range(3)]
    true = [np.linalg.matrix_power(STEP, i) for i in range(4)] + [None] * 3
    T_base_camera = make_transform(R_BODY_OPTICAL, (1, 0, 2))
    for estimate, T_world_camera in zip(estimates(stamps), true):
        record.add(estimate, express_in_base(estimate, T_base_camera, T_base_camera), T_world_camera)
    names = [path.name for path in record.write(tmp_path)]
    assert names == [f"trajectory_{i}_{kind}.txt" for i in (1, 2) for kind in ("tum", "kitti")]
    tum = np.loadtxt(tmp_path / "trajectory_1_tum.txt")
    np.testing.assert_allclose(tum[:, 0], [1.0, 1.1, 1.2, 1.3])
    expected = T_base_camera @ np.linalg.matrix_power(STEP, 3) @ invert(T_base_camera)
    np.testing.assert_allclose(tum[3, 1:4], expected[:3, 3], atol=1e-7)
    np.testing.assert_allclose(quaternion_to_rotation(tum[3, 4:]), expected[:3, :3], atol=1e-7)
    kitti = np.loadtxt(tmp_path / "trajectory_1_kitti.txt").reshape(-1, 3, 4)
    np.testing.assert_allclose(kitti[3], np.linalg.matrix_power(STEP, 3)[:3], atol=1e-8)
    metrics = record.metrics(is_metric=True)
    assert metrics.frames == 4 and metrics.drift == pytest.approx(0, abs=1e-9)


def test_lost_frames_hold_their_pose_in_kittis_format_and_are_left_out_of_tums(tmp_path):
    odometry, record = VisualOdometry(), TrajectoryRecord()
    for i, motion in enumerate((None, STEP, None, STEP)):
        estimate = odometry.update(SECOND + i * TENTH, motion)
        record.add(estimate, express_in_base(estimate, T_ODOM_START, np.eye(4)), None)
    record.write(tmp_path)
    assert len(np.loadtxt(tmp_path / "trajectory_tum.txt")) == 3
    assert len(np.loadtxt(tmp_path / "trajectory_kitti.txt")) == 4
    assert record.metrics(is_metric=True) is None


@pytest.mark.parametrize("count", [1, 5, 100, 1000])
def test_pictures_are_spread_over_a_run_of_any_length(count):
    sampler = PictureSampler()
    kept = 0
    for i in range(count):
        if sampler.wants(i):
            sampler.add(i, FramePictures(str(i), float(i), {}))
            kept += 1
    chosen = [int(item.name) for item in sampler.chosen()]
    assert len(chosen) == min(count, MOST) and chosen[0] == 0
    assert chosen[-1] >= 0.85 * (count - 1), f"{chosen} of {count}"
    gaps = np.diff(chosen)
    assert count < MOST or gaps.max() <= 2.5 * gaps.min(), f"{chosen} of {count}"


def test_a_chart_is_valid_xml_within_its_frame_and_breaks_at_nan():
    y = [1.0, 2.0, float("nan"), 3.0, float("inf"), 5.0, 4.0]
    text = svg_chart("a < b & c", "time [s]", "m", [Curve("one", range(7), y), Curve("two", range(7), [0.5] * 7)])
    root = ElementTree.fromstring(text)
    lines = [e for e in root.iter() if e.tag.endswith("polyline")]
    points = [[tuple(map(float, p.split(","))) for p in e.get("points").split()] for e in lines]
    assert sorted(len(p) for p in points) == [1, 2, 2, 7]
    assert all(0 <= u <= 560 and 0 <= v <= 240 for run in points for u, v in run)
    assert svg_chart("nothing", "x", "y", [Curve("none", [0, 1], [np.nan] * 2)]) == ""


@pytest.mark.parametrize("value", [0.0, 3.0])
def test_curves_that_do_not_move_are_drawn(value):
    still = Curve("still", [value] * 3, [value] * 3)
    for equal in (True, False):
        root = ElementTree.fromstring(svg_chart("still", "x", "y", [still], equal=equal))
        assert "nan" not in next(e for e in root.iter() if e.tag.endswith("polyline")).get("points")


def test_a_map_has_one_scale_for_both_axes():
    square = Curve("square", [0, 10, 10, 0, 0], [0, 0, 10, 10, 0])
    points = re.search(r'<polyline points="([^"]*)"', svg_chart("map", "x", "y", [square], equal=True)).group(1)
    corners = np.array([[float(value) for value in point.split(",")] for point in points.split()])
    width, height = np.ptp(corners, axis=0)
    assert width == pytest.approx(height, abs=0.2)


def test_ticks_are_round_numbers():
    assert ticks(0, 10) == [0, 2, 4, 6, 8, 10]
    assert ticks(-0.013, 0.021) == [-0.01, 0.0, 0.01, 0.02]


def test_the_map_shows_points_and_path():
    points = np.zeros(400, PLY_DTYPE)
    points["x"], points["y"], points["red"] = np.repeat(np.arange(20), 20), np.tile(np.arange(20), 20), 255
    picture = map_picture(points, np.array([[0.0, 10, 0], [19, 10, 0]]), "m")
    assert ((picture == (0, 0, 255)).all(axis=-1)).sum() > 300
    assert ((picture == (80, 200, 255)).all(axis=-1)).sum() > 300


def test_each_run_gets_a_folder_and_latest_points_to_the_last(tmp_path):
    folders = [new_results_folder(tmp_path / "results") for _ in range(3)]
    assert len(set(folders)) == 3
    assert (tmp_path / "results" / "latest").resolve() == folders[-1].resolve()
    assert Path(tmp_path / "results" / "latest").is_symlink()


def test_the_space_kept_for_a_report_has_no_name(tmp_path):
    free = os.statvfs(tmp_path).f_bavail
    reserve = Reserve(tmp_path)
    assert not list(tmp_path.iterdir()), "a killed run leaves nothing"
    assert os.fstat(reserve._file).st_blocks * 512 >= SIZES[0] or free < SIZES[0]
    reserve.release()
    reserve.release()
