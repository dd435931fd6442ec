# SPDX-License-Identifier: Apache-2.0
"""The video of a run: every frame at the recording's rate, in a format that browsers play, with a scale."""

import os
import re
from pathlib import Path
from types import SimpleNamespace

import cv2
import numpy as np
import pytest

from monodepth_ros.cli.main import main
from monodepth_ros.data.images.image_codec import Pixels
from monodepth_ros.data.sources.source import SourceFrame
from monodepth_ros.errors import MonodepthError
from monodepth_ros.geometry.camera import CameraModel
from monodepth_ros.offline.frames import RunFrame
from monodepth_ros.offline.results import video_file
from monodepth_ros.offline.results.depth_video import DepthVideo
from monodepth_ros.offline.results.ffmpeg_writer import FfmpegWriter, has_ffmpeg
from monodepth_ros.offline.results.frame_view import panel_size
from monodepth_ros.offline.results.video_file import VideoFile, set_webm_rate
from monodepth_ros.pictures.depth_scale import SCALE_HEIGHT

SECOND = 10**9


def frame(index, width=128, height=40, rate=5.0, unit="m"):
    """A frame whose image has the grey value 10 * index, seen by a network of a quarter of its size."""
    camera = CameraModel.pinhole(width, height, fx=width / 2, fy=width / 2, cx=width / 2 - 0.5, cy=height / 2 - 0.5)
    depth_camera = camera.resized(width // 4, height // 4)
    pixels = Pixels(np.full((height, width, 3), 10 * index, np.uint8), "rgb")
    stamp = SECOND + round(index * SECOND / rate)
    view = SimpleNamespace(is_calibrated=True, image_camera=camera)
    result = SimpleNamespace(view=view, camera=depth_camera, has_new_view=index == 0, unit=unit)
    return RunFrame(SourceFrame(f"{index}", stamp, stamp, pixels, camera), result, None)


def depth_of(frame):
    camera = frame.result.camera
    return np.tile(np.linspace(30, 2, camera.height, dtype=np.float32)[:, None], (1, camera.width))


def video_of(folder, frames):
    video = DepthVideo(folder)
    for item in frames:
        video.add(item, depth_of(item))
    video.close()
    capture = cv2.VideoCapture(str(video.path))
    pictures, times = [], []
    while (read := capture.read())[0]:
        pictures.append(read[1])
        times.append(capture.get(cv2.CAP_PROP_POS_MSEC) / 1000)
    return video, pictures, times, capture.get(cv2.CAP_PROP_FPS)


@pytest.mark.parametrize(("count", "rate"), [(3, 5.0), (20, 29.97), (12, 1.0)])
def test_every_frame_is_there_at_the_recordings_rate(tmp_path, count, rate):
    video, pictures, times, stated = video_of(tmp_path, [frame(i, rate=rate) for i in range(count)])
    assert len(pictures) == count and stated == pytest.approx(rate, rel=1e-3)
    assert times[-1] == pytest.approx((count - 1) / rate, abs=2e-3), "time of the last picture"
    assert abs(int(pictures[2][30, 100, 0]) - 20) < 12, pictures[2][30, 100]
    assert video.plays_in_browsers and video.path.suffix in (".webm", ".mp4")


def test_ffmpeg_writes_the_video_where_it_is_installed(tmp_path):
    video, pictures, *_ = video_of(tmp_path, [frame(i) for i in range(3)])
    if not has_ffmpeg():
        assert video.path.suffix == ".webm", "OpenCV's wheels write VP8"
        pytest.skip("no ffmpeg with libx264")
    assert video.path.name == "depth.mp4" and len(pictures) == 3
    broken = FfmpegWriter(tmp_path / "no" / "folder.mp4", 10.0, (64, 64))
    with pytest.raises(MonodepthError, match="ffmpeg cannot write"):
        for _ in range(100):
            broken.write(np.zeros((64, 64, 3), np.uint8))
        broken.release()


def test_image_and_depth_have_the_images_width_and_a_scale(tmp_path):
    _, wide, *_ = video_of(tmp_path, [frame(0)])
    assert wide[0].shape == (2 * 40 + SCALE_HEIGHT, 128, 3), "a wide image: above the depth"
    (tmp_path / "narrow").mkdir()
    _, narrow, *_ = video_of(tmp_path / "narrow", [frame(0, 128, 96)])
    assert narrow[0].shape == (96 + SCALE_HEIGHT, 2 * 128, 3), "a narrow one: beside it"
    bar = wide[0][80 + 6].astype(int)
    assert bar[20].sum() > bar[64].sum() > bar[100].sum(), "near is bright"


def test_large_images_are_shrunk_and_a_crop_keeps_its_pixels():
    camera = CameraModel.pinhole(3840, 2160, fx=2000, fy=2000, cx=1919.5, cy=1079.5)
    width, height = panel_size(camera, camera.resized(640, 192))
    assert width * height <= 1_001_000 and width / height == pytest.approx(16 / 9, rel=0.01)
    small = camera.resized(640, 360)
    assert panel_size(small, small.cropped(100, 100, 320, 96).resized(160, 48)) == (320, 96)


def test_writing_a_video_prints_nothing(tmp_path, capfd):
    video_of(tmp_path, [frame(0), frame(1)])
    written = capfd.readouterr()
    assert not written.err and not written.out, written


def test_an_error_in_making_a_picture_is_raised_when_the_video_is_closed(tmp_path):
    def fails():
        raise ValueError("no such picture")

    file = VideoFile(tmp_path / "film", 20.0, (64, 64))
    for _ in range(20):  # more than may wait
        file.write(fails)
    with pytest.raises(ValueError, match="no such picture"):
        file.close()


def test_a_webm_without_a_time_scale_is_an_error(tmp_path):
    path = tmp_path / "a.webm"
    path.write_bytes(bytes(100))
    with pytest.raises(MonodepthError, match="no time scale"):
        set_webm_rate(path, 10.0)


def test_the_stated_length_is_the_videos(tmp_path):
    file = VideoFile(tmp_path / "film", 20.0, (64, 64))
    if file.path.suffix != ".webm":
        pytest.skip("this OpenCV writes no WebM")
    for _ in range(10):
        file.write(lambda: np.zeros((64, 64, 3), np.uint8))
    file.close()
    (text,) = re.findall(rb"00:00:\d\d\.\d{9}", file.path.read_bytes())
    assert float(text[6:]) == pytest.approx(0.5, abs=0.06), text


def test_a_video_that_cannot_be_finished_costs_no_other_result(tmp_path, monkeypatch, capsys):
    def fails(self):
        raise MonodepthError("the disk is full")

    drive, results = tmp_path / "drive.mcap", tmp_path / "results"
    assert main(["synth", "--out", str(drive), "--seconds", "0.4", "--width", "320", "--height", "96"]) == 0
    monkeypatch.setattr(DepthVideo, "close", fails)
    assert main(["run", str(drive), "--results", str(results), "--depth", "none"]) == 2
    assert "the disk is full" in capsys.readouterr().err
    assert {"report.html", "run.json", "trajectory_tum.txt"} <= {path.name for path in (results / "latest").iterdir()}


def test_a_name_that_is_not_utf8_is_refused_before_opencv_gets_it(tmp_path, monkeypatch):
    monkeypatch.setattr(video_file, "has_ffmpeg", lambda: False)
    folder = Path(os.fsdecode(os.fsencode(tmp_path) + b"/\xff"))
    folder.mkdir()
    with pytest.raises(MonodepthError, match="is not UTF-8, which OpenCV's videos need"):
        VideoFile(folder / "depth", 5.0, (64, 48))
    assert list(folder.iterdir()) == []
