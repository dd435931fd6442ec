# SPDX-License-Identifier: Apache-2.0
"""Image folders and films that hold something else: passed over by name, or one line."""

import os
import socket

import cv2
import numpy as np
import pytest
from small_sources import picture, read, write_video

from monodepth_ros.data.images import picture_header
from monodepth_ros.data.sources import film_format, image_listing
from monodepth_ros.data.sources.image_files import matches
from monodepth_ros.data.sources.open_source import open_source
from monodepth_ros.data.sources.source import SourceError


def write_images(folder, count=3):
    folder.mkdir(exist_ok=True)
    for number in range(count):
        cv2.imwrite(str(folder / f"frame_{number}.png"), picture(number))
    return folder


def add_others(folder):
    """What has the name of an image and is none."""
    (folder / "folder.png").mkdir()
    os.mkfifo(folder / "pipe.png")
    (folder / "loop.png").symlink_to(folder / "loop.png")
    (folder / "nowhere.jpg").symlink_to(folder / "gone.jpg")
    with socket.socket(socket.AF_UNIX) as end:
        end.bind(str(folder / "socket.jpg"))


def test_what_is_no_file_is_passed_over_by_name(tmp_path):
    add_others(write_images(tmp_path))
    source, frames = read(tmp_path)
    assert [frame.name for frame in frames] == ["frame_0", "frame_1", "frame_2"]
    (note,) = [note for note in source.notes if "left out" in note]
    assert note.startswith("5 of 8 images were left out: folder.png is a folder, loop.png is unreadable (")
    assert "nowhere.jpg is unreadable" in note and note.endswith(", ...")
    source, frames = read(str(tmp_path / "*.png"))
    assert len(frames) == 3 and any("2 of 5 images were left out" in note for note in source.notes), source.notes


def test_a_folder_with_nothing_but_such_names_is_one_line(tmp_path):
    add_others(tmp_path)
    with pytest.raises(SourceError, match=r"contains no images: expected .png.*\(5 of 5 images were left out: folder"):
        open_source(str(tmp_path))
    with pytest.raises(SourceError, match=r"pipe.png holds no image that can be read: .*pipe.png is a pipe, socket or"):
        open_source(str(tmp_path / "pipe.png"))
    with pytest.raises(SourceError, match=r"loop.png does not exist"):
        open_source(str(tmp_path / "loop.png"))


def test_an_image_that_cannot_be_read_while_frames_are_read_is_left_out_by_name(tmp_path):
    write_images(tmp_path)
    with open_source(str(tmp_path)) as source:
        (tmp_path / "frame_1.png").unlink()
        os.truncate(tmp_path / "frame_2.png", 40)
        assert [frame.name for frame in source.frames()] == ["frame_0"]
        reasons = " ".join(source.left_out)
    assert "frame_1.png cannot be read: No such file" in reasons and "frame_2.png" in reasons and "\n" not in reasons


def test_an_image_file_that_claims_too_much_is_left_out_by_name(tmp_path, monkeypatch):
    write_images(tmp_path)
    cv2.imwrite(str(tmp_path / "frame_3.png"), np.zeros((200, 300), np.uint8))
    monkeypatch.setattr(picture_header, "MOST_PIXELS", 200 * 300 - 1)
    source, frames = read(tmp_path)
    assert len(frames) == 3
    ((reason, count),) = source.left_out.items()
    assert count == 1 and "frame_3.png: " in reason and "claims 300x200 pixels" in reason


@pytest.mark.parametrize(
    "name", ["-rf", "two\nlines", "\x1b[2J", "na\udcffme", "x" * 240, "  spaces", "\u202eleft", "\u00e9t\u00e9"]
)
def test_names_of_all_kinds_are_read_and_give_results_that_can_be_written(tmp_path, name):
    source_folder = tmp_path / "source"
    source_folder.mkdir()
    stored = cv2.imencode(".png", picture(0))[1].tobytes()
    for number in range(2):
        with open(os.fsencode(source_folder / f"{name}{number}.png"), "wb") as file:
            file.write(stored)
    source, frames = read(source_folder)
    assert len(frames) == 2 and not source.left_out
    for frame in frames:
        assert frame.name.isprintable() and len(frame.name.encode()) <= 200
        (tmp_path / f"{frame.name}.depth.npz").write_text("")
    source.description.encode()


def test_descriptions_of_folders_with_control_characters_are_one_line(tmp_path):
    folder = write_images(tmp_path / "a\n\x1b[31mb")
    source, _ = read(folder)
    assert source.description.isprintable()


def test_folders_that_lead_round_in_circles_are_searched_once(tmp_path):
    write_images(tmp_path / "a")
    write_images(tmp_path / "b")
    for place in ("a", "b"):
        for number in range(3):
            (tmp_path / place / f"up{number}").symlink_to(tmp_path)
    (tmp_path / ".hidden").mkdir()
    cv2.imwrite(str(tmp_path / ".hidden" / "x.png"), picture(0))
    found = matches(str(tmp_path / "**" / "*.png"))
    assert len(found) == 6 and len({os.path.realpath(path) for path in found}) == 6


def test_many_links_to_one_image_are_images(tmp_path):
    write_images(tmp_path, 1)
    for number in range(1, 300):
        os.link(tmp_path / "frame_0.png", tmp_path / f"frame_{number}.png")
    assert len(image_listing.image_files(tmp_path)) == 300


def test_a_film_of_larger_pictures_than_videos_have_is_refused_before_it_is_read(tmp_path, monkeypatch):
    path = write_video(tmp_path / "film.avi", [0, 50], 10.0)
    monkeypatch.setattr(film_format, "MOST_VIDEO_PIXELS", 10)
    with pytest.raises(SourceError, match=r"film.avi claims pictures of \d+x\d+ pixels: no more than"):
        open_source(str(path))


@pytest.mark.parametrize("cut", [0, 40, 2000])
def test_a_film_that_is_cut_or_no_film_is_one_line(tmp_path, cut):
    path = write_video(tmp_path / "film.mp4", range(0, 200, 10), 10.0)
    path.write_bytes(path.read_bytes()[:cut] if cut != 2000 else bytes(range(256)) * 8)
    with pytest.raises(SourceError) as caught:
        open_source(str(path))
    assert str(path) in str(caught.value) and "\n" not in str(caught.value)


def test_a_film_that_ends_before_the_end_that_it_states_says_so(tmp_path):
    path = write_video(tmp_path / "film.avi", range(0, 250, 5), rate=10.0)
    content = path.read_bytes()
    _, whole = read(path)
    path.write_bytes(content[: len(content) // 2])
    source, frames = read(path)
    assert len(whole) == 50 and 0 < len(frames) < 45
    ((reason, count),) = source.left_out.items()
    assert reason == f"the video states 50 frames and ends after {len(frames)}: it is cut or damaged"
    assert count == 50 - len(frames)


def test_a_whole_film_has_nothing_left_out(tmp_path):
    path = write_video(tmp_path / "film.avi", range(0, 250, 5), rate=10.0)
    for options in ({}, {"start": 1.0}, {"duration": 2.0}, {"every": 7}, {"rate": 3.0}):
        source, _ = read(path, **options)
        assert not source.left_out, (options, source.left_out)


def test_films_are_opened_by_known_containers_only(tmp_path, monkeypatch):
    path = write_video(tmp_path / "film.avi", [0, 50], 10.0)
    monkeypatch.setattr(film_format, "DEMUXERS", ("mov", "matroska"))
    with pytest.raises(SourceError, match="film.avi cannot be opened as a video: its format is unknown"):
        open_source(str(path))


def test_a_users_options_for_opencv_stay_as_they_are(tmp_path, monkeypatch):
    path = write_video(tmp_path / "film.avi", [0, 50], 10.0)
    for options in (None, "rtsp_transport;udp"):
        monkeypatch.delenv("OPENCV_FFMPEG_CAPTURE_OPTIONS", raising=False)
        if options:
            monkeypatch.setenv("OPENCV_FFMPEG_CAPTURE_OPTIONS", options)
        _, frames = read(path)
        assert len(frames) == 2 and os.environ.get("OPENCV_FFMPEG_CAPTURE_OPTIONS") == options


def test_a_film_whose_name_is_not_utf_8_is_one_line(tmp_path):
    path = write_video(tmp_path / "film.avi", [0, 50], 10.0)
    odd = os.fsdecode(os.fsencode(tmp_path) + b"/fi\xfflm.avi")
    os.rename(path, odd)
    with pytest.raises(SourceError, match="has a name that is not UTF-8"):
        open_source(odd)


def test_an_empty_name_is_not_the_folder_that_this_is(tmp_path, monkeypatch):
    write_images(tmp_path)
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SourceError, match="the source's name is empty"):
        open_source("")
