# SPDX-License-Identifier: Apache-2.0
"""A folder that holds images of several cameras, depth or masks gives those of one camera, and says so."""

import cv2
import numpy as np
import pytest
from small_sources import picture, read

from monodepth_ros.data.sources.open_source import open_source
from monodepth_ros.data.sources.source import SourceError, SourceOptions
from monodepth_ros.data.sources.stereo_partner import stereo_partner


def write(folder, names):
    for value, name in enumerate(names):
        cv2.imwrite(str(folder / f"{name}.png"), picture(value))


@pytest.mark.parametrize(
    ("names", "left", "right"),
    [
        (["1_left", "1_right", "2_left", "2_right"], [0, 2], [1, 3]),
        (["left0001", "left0002", "right0001", "right0002"], [0, 1], [2, 3]),
        (["a-1-left", "a-1-right", "a-1-disparity", "a-2-left", "a-2-right", "a-2-disparity"], [0, 3], [1, 4]),
        (["000000_image_2", "000000_image_3", "000001_image_2", "000001_image_3"], [0, 2], [1, 3]),
        (["1_rgb", "1_depth", "2_rgb", "2_depth"], [0, 2], None),
        (["1", "1_mask", "2", "2_mask"], [0, 2], None),
    ],
)
def test_pairs_and_depth_in_one_folder_are_told_apart(tmp_path, names, left, right):
    write(tmp_path, names)
    source, frames = read(tmp_path)
    assert [int(f.pixels.array[0, 0, 0]) for f in frames] == left
    assert "images of several kinds" in source.notes[0]
    if right is None:
        assert stereo_partner(str(tmp_path), SourceOptions(), source) is None
        with pytest.raises(SourceError, match="has no images of camera 'right': give --camera"):
            open_source(str(tmp_path), SourceOptions(camera="right"))
    else:
        assert [int(f.pixels.array[0, 0, 0]) for f in read(tmp_path, camera="right")[1]] == right
        assert stereo_partner(str(tmp_path), SourceOptions(), source).camera == "right"


@pytest.mark.parametrize(
    "names",
    [
        ["a", "b"],
        ["turn_left", "turn_right", "stop"],
        ["left_1", "left_2"],
        ["depth_1"],
        [f"{scene}_image_{i}" for scene in "ab" for i in (1, 2, 3)],
    ],
)
def test_other_names_are_one_camera(tmp_path, names):
    write(tmp_path, names)
    source, frames = read(tmp_path)
    assert len(frames) == len(names) and not any("several kinds" in note for note in source.notes)
    assert np.isfinite(frames[0].pixels.array).all()


def test_times_in_names_of_pairs_are_those_of_one_camera(tmp_path):
    names = [f"1557539956{ms}_{side}" for ms in (450, 550, 650) for side in ("left", "right")]
    write(tmp_path, names)
    _, frames = read(tmp_path)
    assert [f.stamp_ns // 10**6 for f in frames] == [1557539956450, 1557539956550, 1557539956650]


def test_a_folder_of_films_opens_the_only_one(tmp_path, monodepth_data):
    with pytest.raises(SourceError, match="holds 2 videos: give one of them, "):
        open_source(str(monodepth_data / "udacity_highway"))
    film = "lanelines_solidWhiteRight_960x540_25fps.mp4"
    (tmp_path / film).symlink_to(monodepth_data / "udacity_highway" / film)
    with open_source(str(tmp_path)) as source:
        assert film in source.description
