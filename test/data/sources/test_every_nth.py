# SPDX-License-Identifier: Apache-2.0
"""Every n-th image of each kind of source."""

import cv2
import numpy as np
import pytest
from small_sources import picture, read, write_bag, write_kitti_sequence, write_video

from monodepth_ros.data.sources import live_camera


@pytest.fixture
def paths(tmp_path, monkeypatch):
    """A source of each kind, by name, with at least three images whose grey level tells their number."""
    (tmp_path / "folder").mkdir()
    for i in range(5):
        cv2.imwrite(str(tmp_path / "folder" / f"{i}.png"), picture(20 * i))
    film = write_video(tmp_path / "film.avi", [20 * i for i in range(5)], 10)
    monkeypatch.setattr(live_camera, "open_camera", lambda number: cv2.VideoCapture(str(film)))
    return {
        "bag": write_bag(tmp_path / "bag.mcap"),
        "folder": tmp_path / "folder",
        "kitti": write_kitti_sequence(tmp_path / "00"),
        "video": film,
        "camera": "7",
    }


@pytest.mark.parametrize("kind", ["bag", "folder", "kitti", "video"])
def test_every_second_image_is_read_with_its_own_name_and_time(paths, kind):
    _, all_frames = read(paths[kind])
    source, found = read(paths[kind], every=2)
    assert len(found) == -(-len(all_frames) // 2) and source.frame_count in (len(found), None)
    for frame, same in zip(found, all_frames[::2], strict=True):
        assert frame.name == same.name and np.array_equal(frame.pixels.array, same.pixels.array)
        assert frame.stamp_ns == same.stamp_ns


def test_of_a_camera_every_second_image_that_is_in_time_is_read(paths):
    _, found = read(paths["camera"], every=2)
    assert found and all(int(frame.name) % 2 == 0 for frame in found), [frame.name for frame in found]


@pytest.mark.parametrize("kind", ["bag", "folder", "video"])
def test_it_counts_from_the_start_of_what_is_read(paths, kind):
    _, found = read(paths[kind], start=0.1, every=3)
    assert [frame.name.lstrip("0") for frame in found] == ["1", "4"] or (kind == "bag" and len(found) == 2)
