# SPDX-License-Identifier: Apache-2.0
"""Every kind of source opens by its path and gives its frames again; other paths give an error of one line."""

from pathlib import Path

import cv2
import numpy as np
import pytest
from small_sources import CAMERA, number_in, picture, read, write_bag, write_varying_film, write_video

from monodepth_ros.data.calibration import write_calibration
from monodepth_ros.data.sources.open_source import is_live, open_source
from monodepth_ros.data.sources.read_ahead import read_ahead
from monodepth_ros.data.sources.source import SourceChoiceError, SourceError, SourceOptions
from monodepth_ros.errors import MonodepthError


def test_a_path_that_cannot_be_opened_gives_an_error_of_one_line(tmp_path):
    (tmp_path / "empty").mkdir()
    (tmp_path / "noise.mp4").write_bytes(bytes(1000))
    (tmp_path / "none.mcap").write_bytes(b"")
    cases = {
        "missing": "does not exist: expected a bag",
        "empty": "contains no frames",
        "noise.mp4": "cannot be opened as a video",
        "none.mcap": "is empty",
    }
    for name, expected in cases.items():
        with pytest.raises(MonodepthError, match=expected) as caught:
            open_source(str(tmp_path / name))
        assert "\n" not in str(caught.value)
    if not Path("/dev/video7").exists():
        with pytest.raises(SourceError, match="camera 7 cannot be opened"):
            open_source("7")


def test_reading_ahead_keeps_the_order_passes_errors_on_and_ends_with_its_reader():
    taken = []

    def numbers():
        for i in range(100):
            taken.append(i)
            yield i

    assert list(read_ahead(numbers())) == list(range(100))
    taken.clear()
    for i in read_ahead(numbers(), count=2):
        if i == 3:
            break
    assert len(taken) < 10, f"{len(taken)} taken for 4 items"

    def failing():
        yield 1
        raise SourceError("the disk is gone")

    frames = read_ahead(failing())
    assert next(frames) == 1
    with pytest.raises(SourceError, match="the disk is gone"):
        next(frames)


def test_any_frame_can_be_read_again_in_any_order(tmp_path):
    write_bag(tmp_path / "drive.mcap")
    for i in range(5):
        cv2.imwrite(str(tmp_path / f"{i}.png"), picture(40 * i))
    write_video(tmp_path / "clip.avi", range(0, 250, 50), rate=10.0)
    for path in (tmp_path / "drive.mcap", tmp_path, tmp_path / "clip.avi"):
        with open_source(str(path)) as source:
            frames = list(source.frames())
            assert len(frames) == 5
            for index in (3, 0, 4, 1, 2, 2):
                again = source.read(frames[index].stamp_ns, frames[index].received_ns)
                difference = np.abs(again.array.astype(int) - frames[index].pixels.array).max()
                assert difference == 0 and again.layout == frames[index].pixels.layout, (
                    path.name,
                    index,
                    difference,
                )
            with pytest.raises(SourceError):
                source.read(frames[-1].stamp_ns + 10**10, frames[-1].received_ns + 10**10)


def test_a_film_of_varying_rate_gives_the_same_frames_again(tmp_path):
    film = write_varying_film(tmp_path / "phone.mp4", 120, rate=10.0)
    order = np.random.default_rng(0).permutation(120)
    for options in (SourceOptions(), SourceOptions(rate=7.0)):
        with open_source(str(film), options) as source:
            stamps = [frame.stamp_ns for frame in source.frames()]
            if not options.rate:
                steps = np.diff(stamps) / 1e9
                assert np.allclose(steps[:60], 0.1, atol=1e-3) and np.allclose(steps[60:], 0.05, atol=1e-3)
            shown = [number_in(source.read(stamps[i], stamps[i]).array) for i in order]
        assert shown == order.tolist(), f"{sum(shown != order)} of 120 frames are others than `frames` gave"


def test_text_and_other_files_are_no_videos(tmp_path):
    (tmp_path / "notes.txt").write_text("left camera, 30 Hz, first floor\n" * 200)
    (tmp_path / "notes.mp4").write_text("Ünïcödé, not a film" * 1000)
    (tmp_path / "page.pdf").write_bytes(b"%PDF-1.7\n" + bytes(range(256)) * 20)
    (tmp_path / "none.mp4").write_bytes(b"")
    cases = {
        "notes.txt": "is a text file",
        "notes.mp4": "is a text file",
        "page.pdf": "is no video",
        "none.mp4": "empty",
    }
    for name, reason in cases.items():
        with pytest.raises(SourceError, match=f"{name} {reason}: expected a bag|{name} is {reason}") as caught:
            open_source(str(tmp_path / name))
        assert str(caught.value).count(name) == 1 and "\n" not in str(caught.value)


def test_single_images_patterns_and_several_files_keep_the_times_of_their_folder(tmp_path):
    for i in range(4):
        cv2.imwrite(str(tmp_path / f"frame_{i}.png"), picture(40 * i))
    (tmp_path / "times.txt").write_text("1.0\n1.5\n2.0\n4.0\n")
    write_calibration(tmp_path / "calibration.yaml", CAMERA, "camera")
    places = {
        str(tmp_path / "frame_2.png"): [2.0],
        str(tmp_path / "frame_[13].png"): [1.5, 4.0],
        (str(tmp_path / "frame_3.png"), str(tmp_path / "frame_0.png")): [1.0, 4.0],
    }
    for place, times in places.items():
        with open_source(place) as source:
            frames = list(source.frames())
        assert [frame.stamp_ns * 1e-9 for frame in frames] == times and source.frame_count == len(times)
        assert frames[0].camera.key == CAMERA.key, "the calibration of the folder"
    with pytest.raises(SourceError, match="matches no file"):
        open_source(str(tmp_path / "*.jpg"))


def test_live_sources_are_told_from_files():
    live = ["0", "12", "/dev/video0", "rtsp://camera/live", "http://camera/stream", "http://camera/video?x=1.mp4"]
    assert [place for place in live if not is_live(place)] == []
    films = ["http://server/film.mp4", "https://server/film.webm?key=1", "film.mp4", "drive.mcap"]
    assert [place for place in films if is_live(place)] == []


def test_real_recordings_are_read_with_their_reference(monodepth_data):
    _, frames = read(monodepth_data / "kitti_odom_06_f000-050_gray_stereo", camera="right", start=4.9)
    assert [f.name for f in frames] == ["000048", "000049", "000050"]
    assert frames[-1].pixels.size == (frames[-1].camera.width, frames[-1].camera.height) == (1226, 370)
    assert frames[-1].T_world_camera[2, 3] == pytest.approx(59.84, abs=0.01)
    with pytest.raises(SourceChoiceError):
        open_source(str(monodepth_data / "rosbag2" / "kitti06_stereo_raw_mono8_sqlite3"))
    _, frames = read(monodepth_data / "rosbag2" / "kitti06_stereo_raw_mono8_sqlite3", topic="/stereo/left/image_raw")
    assert len(frames) == 12 and frames[-1].T_world_camera is not None
    _, frames = read(monodepth_data / "kitti_raw_2011_09_26_drive_0052", duration=0.15)
    assert len(frames) == 2 and np.isfinite(frames[0].reference_depth).sum() > 10000
