# SPDX-License-Identifier: Apache-2.0
"""Real folders of several data sets give their times, cameras and reference, from each of their folders."""

import pytest
from small_sources import read

from monodepth_ros.data.sources.open_source import open_source
from monodepth_ros.data.sources.source import SourceError


def test_real_folders_are_told_apart(monodepth_data):
    source, frames = read(monodepth_data / "pandaset_002" / "front_camera" / "image_2", duration=0.35)
    assert [f.stamp_ns for f in frames] == [1, 100_004_000, 200_022_000, 300_046_000]
    assert frames[0].camera.fx == pytest.approx(985.0, abs=0.1) and frames[2].T_world_camera is not None
    assert frames[0].reference_depth is not None and frames[1].reference_depth is None
    with pytest.raises(SourceError, match="holds 6 recordings: give one of .*back_camera"):
        open_source(str(monodepth_data / "pandaset_002"))
    source, frames = read(monodepth_data / "drivingstereo_4pairs")
    assert [f.name[-4:] for f in frames] == ["left"] * 4
    assert frames[0].stamp_ns == 1_531_152_716_702_000_000 and "(0.013 Hz)" in source.notes[1]
    _, frames = read(monodepth_data / "kitti_raw_2011_09_26_drive_0052" / "image_02" / "data", duration=0.15)
    assert len(frames) == 2 and frames[0].camera.is_calibrated and frames[0].reference_depth is not None
