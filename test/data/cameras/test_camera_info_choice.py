# SPDX-License-Identifier: Apache-2.0
"""Which camera_info belongs to an image topic: by namespace and name, then by the frame if that is unambiguous."""

import numpy as np
import pytest
from camera_topics import CAMERA, COLOUR, METRES, cameras_of, colour, compressed, info, raw, write_topics
from small_sources import read

from monodepth_ros.data.bags.recording import Recording
from monodepth_ros.data.cameras.info_names import Relation, closeness
from monodepth_ros.data.cameras.topics import matching_camera_info
from monodepth_ros.geometry.camera import CameraModel

BESIDE = [
    ("/camera/image_raw", "/camera/camera_info"),
    ("/left/color/rect/image", "/left/color/rect/camera_info"),
    ("/left/color/rect/image", "/left/color/raw/camera_info"),
    ("/device_0/sensor_1/Color_0/image/data", "/device_0/sensor_1/Color_0/info/camera_info"),
    ("/front", "/front/camera_info"),
    ("/cam0/image_raw", "/cam0_info"),
    ("/cam0_image", "/cam0_info"),
    ("/stereo/left_image_raw", "/stereo/left_camera_info"),
    ("/image/left", "/camera_info/left"),
    ("/left/image", "/left/calibration/info"),
    ("/cam0/image_rect/data", "/cam0/camera_info"),
    ("/robot/camera/color/image_raw", "/robot/camera/camera_info"),
]


@pytest.mark.parametrize(("image", "found"), BESIDE)
def test_names_come_before_frames(tmp_path, image, found):
    """The camera_info of another camera has the image's frame, and its own has none."""
    topics = {image: colour("frame"), found: info(frame=""), "/zzz/camera_info": info(frame="frame")}
    (stream,) = cameras_of(write_topics(tmp_path / "bag.mcap", topics))
    assert stream.camera_info == found and not stream.notes and not stream.missing


@pytest.mark.parametrize("transport", ["compressed", "compressedDepth", "ffmpeg"])
def test_the_transport_does_not_matter(tmp_path, transport):
    topic = f"/camera/image_raw/{transport}"
    holder = compressed(COLOUR, "jpeg", suffix=".jpg")
    if transport == "compressedDepth":
        holder = compressed((METRES * 1000).astype(np.uint16), "16UC1; compressedDepth png")
    path = write_topics(tmp_path / "bag.mcap", {topic: holder, "/camera/camera_info": info()})
    with Recording(path) as recording:
        assert matching_camera_info(recording, topic) == "/camera/camera_info"


@pytest.mark.parametrize(
    ("image", "found"),
    [("image_raw_color", "camera_info_raw"), ("image_rect_color", "camera_info"), ("image", "camera_info")],
)
def test_the_words_of_the_image_choose_among_several(tmp_path, image, found):
    topics = {
        f"/left/{image}": colour(),
        "/left/camera_info": info(frame="other"),
        "/left/camera_info_raw": info(CameraModel.pinhole(32, 24, 25.0, 25.0, 15.5, 11.5)),
    }
    (stream,) = cameras_of(write_topics(tmp_path / "bag.mcap", topics))
    assert stream.camera_info == f"/left/{found}"


def test_a_camera_info_of_another_camera_is_not_taken_by_a_common_frame(tmp_path):
    topics = {
        "/narrow/image_raw": colour("link"),
        "/wide/image_raw": colour("link"),
        "/wide/camera_info": info(frame="link"),
    }
    path = write_topics(tmp_path / "bag.mcap", topics)
    assert [stream.camera_info for stream in cameras_of(path)] == ["", "/wide/camera_info"]
    source, frames = read(path, topic="/narrow/image_raw")
    assert not frames[0].camera.is_calibrated
    (note,) = source.notes
    assert note.startswith(
        "no camera_info of /narrow/image_raw in the recording: /wide/camera_info belongs to /wide/image_raw, which has"
        " the same frame_id 'link': assuming"
    )
    source, frames = read(path, topic="/narrow/image_raw", camera_info="/wide/camera_info")
    assert frames[0].camera.fx == CAMERA.fx, "a user may say otherwise"


def test_a_frame_that_two_cameras_share_decides_nothing(tmp_path):
    topics = {"/a/image": colour("link"), "/b/image": colour("link"), "/calib/info": info(frame="link")}
    for stream in cameras_of(write_topics(tmp_path / "bag.mcap", topics)):
        assert stream.camera_info == "" and "--camera-info /calib/info takes one" in stream.missing


def test_the_frame_decides_where_names_do_not(tmp_path):
    topics = {
        "/a/image": colour("a"),
        "/b/image": colour("b"),
        "/c1/info": info(frame="b"),
        "/c2/info": info(frame="a"),
    }
    found = {stream.image: stream.camera_info for stream in cameras_of(write_topics(tmp_path / "bag.mcap", topics))}
    assert found == {"/a/image": "/c2/info", "/b/image": "/c1/info"}


def test_one_camera_and_one_camera_info_without_frames_belong_together(tmp_path):
    (stream,) = cameras_of(write_topics(tmp_path / "a.mcap", {"/usb/image": colour(""), "/x/info": info(frame="y")}))
    assert stream.camera_info == "/x/info"
    (stream,) = cameras_of(write_topics(tmp_path / "b.mcap", {"/usb/image": colour("z"), "/x/info": info(frame="y")}))
    assert stream.camera_info == "" and "there is /x/info (--camera-info TOPIC takes one)" in stream.missing


def test_the_calibration_of_the_depth_camera_is_not_that_of_the_colour_camera(tmp_path):
    topics = {
        "/c/rgb/image": colour("link"),
        "/c/depth/image": raw(METRES, "32FC1", "link"),
        "/c/depth/camera_info": info(frame="link"),
    }
    (stream,) = cameras_of(write_topics(tmp_path / "a.mcap", topics))
    assert stream.camera_info == "" and "/c/depth/camera_info belongs to /c/depth/image" in stream.missing
    registered = {name.replace("depth/", "depth_registered/"): topic for name, topic in topics.items()}
    (stream,) = cameras_of(write_topics(tmp_path / "b.mcap", registered))
    assert stream.camera_info == "/c/depth_registered/camera_info", "registered depth has the calibration of its camera"


def test_a_camera_info_of_another_size_and_aspect_gives_way(tmp_path):
    wide = CameraModel.pinhole(64, 24, 20.0, 20.0, 31.5, 11.5)
    topics = {"/cam/image": colour("f"), "/cam/a_info": info(wide), "/calibration/info": info(frame="f")}
    (stream,) = cameras_of(
        write_topics(tmp_path / "a.mcap", {**topics, "/cam/camera_info": info(wide), "/cam/info": info()})
    )
    assert stream.camera_info == "/cam/info"
    (stream,) = cameras_of(
        write_topics(tmp_path / "b.mcap", {"/cam/image": colour("f"), "/x/info": info(wide, frame="f")})
    )
    assert stream.camera_info == "" and "/x/info is for 64x24, the images are 32x24" in stream.missing


def test_two_that_fit_are_said(tmp_path):
    topics = {"/cam/image": colour("f"), "/cam/camera_info": info(frame="g"), "/cam/info": info(frame="f")}
    source, _ = read(write_topics(tmp_path / "bag.mcap", topics))
    assert source.stream.camera_info == "/cam/info"
    expected = "/cam/info and /cam/camera_info fit /cam/image by their names: /cam/info is used (--camera-info chooses)"
    assert expected in source.notes


def test_one_namespace_of_two_cameras_is_told_apart_by_the_frame(tmp_path):
    topics = {"/s/left": colour("l"), "/s/right": colour("r"), "/s/camera_info": info(frame="r")}
    found = {stream.image: stream.camera_info for stream in cameras_of(write_topics(tmp_path / "bag.mcap", topics))}
    assert found == {"/s/left": "", "/s/right": "/s/camera_info"}


def test_relations_are_ordered_from_one_namespace_to_none():
    infos = ["/a/b/camera_info", "/a/b/camera_info_rect", "/a/b/raw/camera_info", "/b_a_info", "/a/camera_info"]
    found = [closeness("/a/b/image", name, []) for name in infos]
    assert [near.relation for near in found] == list(Relation) and found == sorted(found)
    assert closeness("/a/b/image", "/a/c/camera_info", []) is None
    assert closeness("/a/b/image", "/a/camera_info", ["/a/c/image"]) is None, "another camera is below it"


def test_a_camera_info_without_size_and_intrinsics_is_no_calibration_and_the_images_are_used(tmp_path):
    empty = info(width=0, height=0, k=np.zeros(9), p=np.zeros(12), r=np.zeros(9), d=np.zeros(0), distortion_model="")
    source, frames = read(write_topics(tmp_path / "bag.mcap", {"/c/image": colour(), "/c/camera_info": empty}))
    assert len(frames) == 3 and not source.left_out and not source.is_calibrated
    assert source.notes[0].startswith("/c/camera_info holds no calibration (K[0] is 0): assuming")
