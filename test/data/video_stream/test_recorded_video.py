# SPDX-License-Identifier: Apache-2.0
"""Recordings of video as a source: message types, losses, reading again in any order, and what is kept."""

import json
import os
import struct
import sys
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from coded_streams import (
    START_NS,
    TENTH,
    TRANSPORTS,
    WIDTH,
    Coded,
    encode,
    message,
    number_in,
    picture,
    topic_of,
    write_stream,
)

from monodepth_ros import cache_folder
from monodepth_ros.data.bags import messages
from monodepth_ros.data.bags.recording import Recording
from monodepth_ros.data.bags.writer import BagWriter
from monodepth_ros.data.cameras.topics import VIDEO, image_streams
from monodepth_ros.data.frame_index import index_frames
from monodepth_ros.data.sources.open_source import open_source
from monodepth_ros.data.sources.source import SourceError, SourceOptions
from monodepth_ros.data.video_stream import frame_store
from monodepth_ros.data.video_stream.frame_store import decoded_folder


@pytest.fixture(autouse=True)
def empty_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))


def read(path, **options):
    with open_source(str(path), SourceOptions(**options)) as source:
        return source, list(source.frames())


def numbers(frames):
    return [number_in(frame.pixels.array) for frame in frames]


def stored():
    return sorted(path for path in decoded_folder().rglob("*") if path.is_file())


@pytest.mark.parametrize("transport", TRANSPORTS)
def test_every_message_with_video_is_a_source_with_its_calibration(tmp_path, transport):
    path = write_stream(tmp_path / "drive.mcap", encode("h264"), transport)
    source, frames = read(path)
    assert numbers(frames) == list(range(20))
    assert [frame.stamp_ns for frame in frames] == [START_NS + i * TENTH for i in range(20)]
    assert source.frame_id == "camera_optical" and source.is_calibrated and source.frame_count == 20
    assert source.topics == [topic_of(transport), "/camera/camera_info"]
    assert not source.left_out


@pytest.mark.parametrize("name, form", [("hevc", "h265"), ("av1", "av1"), ("vp9", "vp9")])
def test_other_codecs_are_sources_too(tmp_path, name, form):
    _, frames = read(write_stream(tmp_path / "drive.mcap", encode(name, 10), "compressed", form))
    assert numbers(frames) == list(range(10))


def test_frames_after_a_lost_packet_are_left_out_and_counted(tmp_path):
    source, frames = read(write_stream(tmp_path / "drive.mcap", encode("h264"), lost=(7,)))
    assert numbers(frames) == [*range(7), *range(10, 20)]
    assert source.left_out == {"H.264 video after a lost packet, up to the next key frame": 2}


def test_pictures_out_of_order_come_in_order_with_their_own_times(tmp_path):
    packets = encode("h264 out of order")
    _, frames = read(write_stream(tmp_path / "drive.mcap", packets))
    assert numbers(frames) == list(range(20))
    assert [frame.stamp_ns for frame in frames] == [START_NS + i * TENTH for i in range(20)]
    order = [coded.number for coded in packets]
    assert [frame.received_ns for frame in frames] == [START_NS + order.index(i) * TENTH + 1000 for i in range(20)]


def test_a_part_begins_within_a_group_with_the_picture_asked_for(tmp_path):
    path = write_stream(tmp_path / "drive.mcap", encode("h264"))
    source, frames = read(path, start=0.75, duration=0.5)
    assert numbers(frames) == [8, 9, 10, 11, 12]
    assert not source.left_out


def test_every_nth_picture_is_read_of_a_stream_that_needs_them_all(tmp_path):
    _, frames = read(write_stream(tmp_path / "drive.mcap", encode("h264")), every=3)
    assert numbers(frames) == [0, 3, 6, 9, 12, 15, 18]


@pytest.mark.parametrize("name", ["h264", "h264 out of order", "hevc out of order"])
def test_any_picture_is_read_again_just_as_it_was(tmp_path, name):
    form = name.split()[0]
    path = write_stream(tmp_path / "drive.mcap", encode(name), "compressed", form)
    with open_source(str(path)) as source:
        frames = list(source.frames())
        for i in np.random.default_rng(1).permutation(len(frames)):
            again = source.read(frames[i].stamp_ns, frames[i].received_ns)
            assert again.layout == "rgb"
            assert np.array_equal(again.array, frames[i].pixels.array), i


def test_several_threads_read_at_once(tmp_path):
    path = write_stream(tmp_path / "drive.mcap", encode("h264", 40, 10))
    with open_source(str(path)) as source:
        times = [(frame.stamp_ns, frame.received_ns) for frame in source.frames()]
        with ThreadPoolExecutor(4) as pool:
            found = list(pool.map(lambda one: number_in(source.read(*one).array), times[::-1]))
    assert found == list(range(40))[::-1]


def test_a_picture_after_a_loss_is_not_read_again_either(tmp_path):
    path = write_stream(tmp_path / "drive.mcap", encode("h264"), lost=(7,))
    with open_source(str(path)) as source, pytest.raises(SourceError, match="has no image of stamp"):
        source.read(START_NS + 8 * TENTH, START_NS + 8 * TENTH + 1000)


def test_the_index_keeps_the_decoded_pictures_and_reading_decodes_no_video(tmp_path, monkeypatch):
    path = write_stream(tmp_path / "drive.mcap", encode("h264", 40, 40))
    index = index_frames(str(path), SourceOptions())
    assert stored() and all(file.suffix == ".frames" for file in stored())
    times = list(zip(index.stamps_ns.tolist(), index.received_ns.tolist()))
    _, frames = read(path)
    with open_source(str(path)) as source:
        monkeypatch.setattr("monodepth_ros.data.video_stream.stream_reader.StreamDecoder", None)
        for i in (31, 3, 39, 0):
            assert np.array_equal(source.read(*times[i]).array, frames[i].pixels.array)


def test_reading_keeps_what_it_decodes(tmp_path, monkeypatch):
    path = write_stream(tmp_path / "drive.mcap", encode("h264"))
    with open_source(str(path)) as source:
        assert number_in(source.read(START_NS + 7 * TENTH, START_NS + 7 * TENTH + 1000).array) == 7
    assert len(stored()) == 1
    with open_source(str(path)) as source:
        monkeypatch.setattr("monodepth_ros.data.video_stream.stream_reader.StreamDecoder", None)
        assert number_in(source.read(START_NS + 5 * TENTH, START_NS + 5 * TENTH + 1000).array) == 5


def test_a_changed_recording_loses_what_was_kept_of_it(tmp_path):
    path = write_stream(tmp_path / "drive.mcap", encode("h264", 10))
    index_frames(str(path), SourceOptions())
    before = stored()
    path.unlink()
    write_stream(path, encode("h264", 15))
    index_frames(str(path), SourceOptions())
    assert before and not set(before) & set(stored())


def test_what_is_kept_has_a_limit_and_the_longest_unused_recording_goes_first(tmp_path, monkeypatch):
    paths = [write_stream(tmp_path / f"{name}.mcap", encode("h264", 10)) for name in "abc"]
    folders = []
    for path in paths:
        index_frames(str(path), SourceOptions())
        (new,) = {file.parent for file in stored()} - set(folders)
        folders.append(new)
        if len(folders) == 2:
            used = sum(file.stat().st_size for file in stored())
            monkeypatch.setattr(frame_store, "LIMIT", used + used // 4)
            for age, folder in zip((200, 100), folders):
                os.utime(folder, (START_NS / 1e9 - age,) * 2)
    assert [folder.exists() for folder in folders] == [False, True, True]


def test_a_full_disk_costs_time_but_no_picture(tmp_path, monkeypatch):
    monkeypatch.setattr(frame_store, "LIMIT", 0)
    path = write_stream(tmp_path / "drive.mcap", encode("h264"))
    index = index_frames(str(path), SourceOptions())
    assert not stored()
    with open_source(str(path)) as source:
        for i in (13, 4, 5, 19):
            assert number_in(source.read(int(index.stamps_ns[i]), int(index.received_ns[i])).array) == i


def test_several_threads_may_want_the_same_picture_at_once(tmp_path, monkeypatch):
    monkeypatch.setattr(frame_store, "LIMIT", 0)  # so that they share it in memory
    large = [np.kron(picture(i), np.ones((8, 8, 1), np.uint8)) for i in range(3)]
    path = write_stream(tmp_path / "drive.mcap", encode("h264", pictures=large))
    with open_source(str(path)) as source, ThreadPoolExecutor(4) as pool:
        times = START_NS + TENTH, START_NS + TENTH + 1000
        first = source.read(*times).array
        assert all(np.array_equal(found.array, first) for found in pool.map(lambda _: source.read(*times), range(200)))


def test_a_damaged_file_of_the_cache_is_decoded_anew(tmp_path):
    path = write_stream(tmp_path / "drive.mcap", encode("h264", 10))
    index = index_frames(str(path), SourceOptions())
    (file,) = stored()
    file.write_bytes(file.read_bytes()[:700])
    with open_source(str(path)) as source:
        assert number_in(source.read(int(index.stamps_ns[9]), int(index.received_ns[9])).array) == 9


@pytest.mark.parametrize(
    "change",
    [
        {"pictures": [[0, 0, 1 << 60, 5]]},
        {"pictures": [[0, 0, -9, 5]]},
        {"pictures": [[0, 0, 0, 1 << 40]]},
        {"pictures": [[0, 0, "0", 5]]},
        {"pictures": 3},
        {"format": {"name": "yuv420p", "width": 1 << 40, "height": 1, "matrix": 1, "range": 1}},
        {"format": {"name": "none", "width": 64, "height": 64, "matrix": 1, "range": 1}},
        {"format": {"name": ["gray"], "width": 64.0, "height": 64, "matrix": 1, "range": 1}},
        {"format": {"other": 1}},
        {"format": []},
    ],
)
def test_a_file_of_the_cache_that_states_impossible_things_holds_nothing(tmp_path, change):
    form = {"name": "gray", "width": 64, "height": 64, "matrix": 1, "range": 1}
    header = json.dumps({"format": form, "pictures": [[0, 0, 0, 5]], **change}).encode()
    (tmp_path / "a.frames").write_bytes(struct.pack("<I", len(header)) + header + b"x" * 5)
    assert frame_store._places_in(tmp_path / "a.frames") == {}


def test_a_cache_that_cannot_be_written_is_said_once_and_costs_no_picture(tmp_path, monkeypatch, caplog):
    monkeypatch.setattr(cache_folder, "_said", set())
    (tmp_path / "cache").write_text("a file")
    path = write_stream(tmp_path / "drive\udce9.mcap", encode("h264", 10))  # a name that is no UTF-8
    for _ in range(2):
        index = index_frames(str(path), SourceOptions())
    assert len(index) == 10
    assert sorted(line.split(" cannot")[0] for line in caplog.messages) == ["decoded video", "frame indices"]


def test_parameter_sets_at_the_start_of_a_recording_serve_its_later_key_frames(tmp_path):
    packets = [
        coded._replace(data=coded.data[coded.data.rindex(b"\x00\x00\x01\x65") :]) if coded.is_key and i else coded
        for i, coded in enumerate(encode("h264"))
    ]
    path = write_stream(tmp_path / "drive.mcap", packets)
    _, frames = read(path, start=1.0)
    assert numbers(frames) == list(range(10, 20))


def test_bytes_that_only_look_like_video_give_one_line(tmp_path):
    unit = b"\0\0\0\1\x67\x42\xc0\x1e" + bytes(range(200)) + b"\0\0\0\1\x65" + bytes(range(255))
    path = write_stream(tmp_path / "drive.mcap", [Coded(i, i == 0, unit) for i in range(4)])
    with pytest.raises(SourceError, match=r"no usable images \(4 left out: H\.264 video that cannot be decoded.*JPEG"):
        index_frames(str(path), SourceOptions())


def test_without_pyav_one_line_says_what_the_topic_holds_and_what_to_install(tmp_path, monkeypatch):
    path = write_stream(tmp_path / "drive.mcap", encode("h264", 5))
    monkeypatch.setitem(sys.modules, "av", None)
    with pytest.raises(SourceError, match=r"image_raw/ffmpeg of .*drive\.mcap holds H\.264 video.*pip install av"):
        read(path)


def test_a_raw_or_jpeg_topic_of_the_same_camera_is_preferred(tmp_path):
    with BagWriter(tmp_path / "drive.mcap") as bag:
        for name, kind in (("ffmpeg", "ffmpeg"), ("", "image")):
            sent = message(kind, "h264", encode("h264", 1)[0])
            if not name:
                sent = messages.image(messages.header(START_NS, "camera_optical"), picture(0), "rgb8")
            topic = f"/camera/image_raw/{name}".rstrip("/")
            bag.add_topic(topic, sent.__msgtype__)
            bag.write(topic, START_NS, sent)
    with Recording(tmp_path / "drive.mcap") as recording:
        (stream,) = image_streams(recording)
    assert (stream.image, stream.kind) == ("/camera/image_raw", "raw")
    _, frames = read(tmp_path / "drive.mcap", topic="/camera/image_raw/ffmpeg")
    assert len(frames) == 1


def test_depth_that_was_sent_as_video_is_no_camera(tmp_path):
    sent = message("ffmpeg", "hevc", encode("h264", 1)[0])
    sent.encoding = "hevc;gray10le;16UC1"
    with BagWriter(tmp_path / "drive.mcap") as bag:
        bag.add_topic("/camera/aligned/ffmpeg", sent.__msgtype__)
        bag.write("/camera/aligned/ffmpeg", START_NS, sent)
    with Recording(tmp_path / "drive.mcap") as recording:
        assert image_streams(recording) == []


def test_a_stream_of_video_has_its_kind_and_its_size(tmp_path):
    path = write_stream(tmp_path / "drive.mcap", encode("h264", 5))
    with Recording(path) as recording:
        (stream,) = image_streams(recording)
    assert stream.kind == VIDEO and stream.camera_info == "/camera/camera_info"
    assert read(path)[1][0].pixels.size[0] == WIDTH
