# SPDX-License-Identifier: Apache-2.0
"""nuScenes' tables and PandaSet's JSON files give times, calibration and poses; the sweeps of nuScenes give depth."""

import json

import numpy as np
import pytest
from small_data_sets import stamps, write_nuscenes, write_pandaset
from small_sources import read

from monodepth_ros.data.sources.open_source import open_source
from monodepth_ros.data.sources.source import SourceError, SourceOptions
from monodepth_ros.data.sources.stereo_partner import stereo_partner


@pytest.mark.parametrize("given", ["", "v1.0-mini", "samples", "samples/CAM_FRONT"])
def test_nuscenes_gives_key_frames_and_sweeps_of_one_camera(tmp_path, given):
    write_nuscenes(tmp_path)
    source, frames = read(tmp_path / given)
    assert "CAM_FRONT" in source.description
    assert [f.stamp_ns for f in frames] == [ns // 1000 * 1000 for ns in stamps(3)]
    assert frames[0].camera.fx == 5.0 and frames[0].camera.cx == 3.5
    T = frames[1].T_world_camera
    np.testing.assert_allclose(T[:3, 3], (102, 20, 1.5))
    np.testing.assert_allclose(T[:3, 2], (1, 0, 0), atol=1e-12)  # the camera looks along the road
    depth = frames[1].reference_depth
    assert np.isfinite(depth).sum() == 1 and np.nanmin(depth) == 10.0, "the LiDAR is one metre behind the camera"
    assert stereo_partner(str(tmp_path / given), SourceOptions(), source) is None


def test_nuscenes_cameras_are_named_and_missing_images_counted(tmp_path):
    write_nuscenes(tmp_path)
    _, frames = read(tmp_path, camera="CAM_BACK")
    assert abs(int(frames[1].pixels.array[0, 0, 0]) - 40) < 3
    source, _ = read(tmp_path / "sweeps" / "CAM_BACK")
    assert "CAM_BACK" in source.description
    with pytest.raises(SourceError, match="has no camera 'right': give --camera CAM_BACK, CAM_FRONT"):
        open_source(str(tmp_path), SourceOptions(camera="right"))
    for file in (tmp_path / "sweeps" / "CAM_FRONT").iterdir():
        file.unlink()
    source, frames = read(tmp_path)
    assert len(frames) == 2 and any("1 images that do not exist" in note for note in source.notes)
    (tmp_path / "v1.0-mini" / "ego_pose.json").write_text('[{"token": ')
    with pytest.raises(SourceError, match="ego_pose.json is not JSON: line 1: .*; it is damaged"):
        open_source(str(tmp_path))


@pytest.mark.parametrize("given", ["", "camera", "camera/front_camera"])
def test_pandaset_gives_one_camera_and_leaves_the_pickles_alone(tmp_path, given):
    write_pandaset(tmp_path / "002")
    source, frames = read(tmp_path / "002" / given)
    assert [f.stamp_ns for f in frames] == [ns // 1000 * 1000 for ns in stamps(3)]
    assert [f.T_world_camera[0, 3] for f in frames] == [0, 1, 2] and frames[0].camera.fx == 5.0
    assert any("pickles, which could execute code" in note for note in source.notes)
    assert "front_camera" in source.description
    assert stereo_partner(str(tmp_path / "002" / given), SourceOptions(), source) is None
    assert "right_camera" in read(tmp_path / "002", camera="right_camera")[0].description


def test_a_damaged_pandaset_is_refused_in_one_line(tmp_path):
    write_pandaset(tmp_path)
    (tmp_path / "camera" / "front_camera" / "timestamps.json").write_text("[1557539956.4]")
    with pytest.raises(SourceError, match="1 times for 3 images: expected one for each, increasing"):
        open_source(str(tmp_path))
    (tmp_path / "camera" / "front_camera" / "intrinsics.json").write_text(json.dumps({"fx": 5}))
    (tmp_path / "camera" / "front_camera" / "timestamps.json").write_text("[1.0, 2.0, 3.0]")
    with pytest.raises(SourceError, match="expected fx, fy, cx and cy"):
        open_source(str(tmp_path))
