# SPDX-License-Identifier: Apache-2.0
"""Frames of image folders, videos and local cameras have times and calibration."""

import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import cv2
import numpy as np
import pytest
from small_sources import CAMERA, TENTH, picture, read, write_video

from monodepth_ros.data.calibration import write_calibration
from monodepth_ros.data.sources.open_source import open_source
from monodepth_ros.data.sources.source import SourceError


def test_images_of_a_folder_are_in_natural_order_with_the_times_of_times_txt(tmp_path):
    for i in (1, 2, 10):
        cv2.imwrite(str(tmp_path / f"frame_{i}.png"), picture(i))
    _, frames = read(tmp_path)
    assert [f.name for f in frames] == ["frame_1", "frame_2", "frame_10"]
    assert [f.stamp_ns for f in frames] == [1, TENTH, 2 * TENTH], "10 Hz; 0 would mean that there is no stamp"
    assert not frames[0].camera.is_calibrated
    _, frames = read(tmp_path, rate=5.0)
    assert frames[1].stamp_ns == 2 * TENTH
    (tmp_path / "times.txt").write_text("100.0\n100.5\n100.75\n")
    write_calibration(tmp_path / "calibration.yaml", CAMERA, "camera")
    _, frames = read(tmp_path, start=0.4)
    assert [f.stamp_ns for f in frames] == [100_500_000_000, 100_750_000_000]
    assert frames[0].camera.key == CAMERA.key


def test_broken_images_of_a_folder_are_left_out(tmp_path):
    cv2.imwrite(str(tmp_path / "a.png"), picture(1))
    (tmp_path / "b.png").write_bytes(b"no image")
    (tmp_path / "c.png").write_bytes(b"")
    source, frames = read(tmp_path)
    assert len(frames) == 1 and source.left_out.total() == 2


def test_grey_images_stay_grey_and_16_bits_become_8(tmp_path):
    cv2.imwrite(str(tmp_path / "a.png"), np.full((6, 8), 200, np.uint8))
    cv2.imwrite(str(tmp_path / "b.png"), np.full((6, 8), 51400, np.uint16))
    _, frames = read(tmp_path)
    assert [(f.pixels.layout, f.pixels.array.dtype, f.pixels.array[0, 0]) for f in frames] == [
        ("mono", np.uint8, 200)
    ] * 2


def test_frames_of_a_video_have_the_times_of_the_file(tmp_path):
    path = write_video(tmp_path / "film.avi", range(0, 200, 20), rate=5.0)
    source, frames = read(path)
    assert source.frame_count == len(frames) == 10
    assert [f.stamp_ns for f in frames[:3]] == [1, 200_000_000, 400_000_000]
    assert abs(int(frames[5].pixels.array[0, 0, 0]) - 100) < 4
    source, frames = read(path, start=0.5, duration=1.0)
    assert [f.name for f in frames] == ["000003", "000004", "000005", "000006", "000007"]


class Pictures(BaseHTTPRequestHandler):
    """A network camera: JPEG images, one after the other, as cheap IP cameras send them."""

    def do_GET(self):
        self.send_response(200)
        self.send_header("Content-Type", "multipart/x-mixed-replace; boundary=next")
        self.end_headers()
        for value in range(0, 240, 12):
            data = cv2.imencode(".jpg", picture(value, 64, 48))[1].tobytes()
            self.wfile.write(b"--next\r\nContent-Type: image/jpeg\r\n\r\n" + data + b"\r\n")
            time.sleep(0.02)

    def log_message(self, *_):
        pass


def test_a_stream_gives_its_newest_images_stamped_on_arrival():
    with ThreadingHTTPServer(("127.0.0.1", 0), Pictures) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        before, found = time.time_ns(), []
        with open_source(f"http://user:secret@127.0.0.1:{server.server_port}/stream") as source:
            assert "secret" not in source.description and source.frame_count is None
            assert "no calibration" in source.notes[0]
            for frame in source.frames():
                found.append(frame)
                time.sleep(0.1 if len(found) == 1 else 0.0)  # as if the networks were slow
        server.shutdown()
    stamps = [before, *(frame.stamp_ns for frame in found), time.time_ns()]
    assert stamps == sorted(stamps) and found[0].pixels.size == (64, 48), stamps
    dropped = source.left_out.total()
    assert 2 <= len(found) < 20 and dropped >= 1, f"{len(found)} frames, {dropped} dropped"


def test_a_local_camera_that_is_not_there_is_named():
    for place, name in (("77", "camera 77"), ("/dev/video77", "/dev/video77")):
        with pytest.raises(SourceError, match=f"{name} cannot be opened: there is no /dev/video77"):
            open_source(place)
