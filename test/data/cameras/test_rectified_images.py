# SPDX-License-Identifier: Apache-2.0
"""Images that are rectified already are not rectified again, and what was decided is said."""

import numpy as np
import pytest
from camera_topics import CAMERA, COLOUR, METRES, colour, compressed, info, raw, write_topics
from small_sources import read

from monodepth_ros.data.calibration import write_calibration
from monodepth_ros.data.cameras.image_names import is_rectified_name
from monodepth_ros.geometry.camera import CameraModel

K = np.array([[22.0, 0, 15.0], [0, 22.0, 12.0], [0, 0, 1]])
D = np.array([-0.31, 0.11, 0.0, 0.0, -0.02])
LENS = CameraModel(32, 24, K, D, P=CAMERA.P)


@pytest.mark.parametrize(
    ("topic", "is_rectified"),
    [
        ("/camera/image_rect", True),
        ("/camera/image_rect_color", True),
        ("/left/color/rect/image", True),
        ("/camera/rectified/image/compressed", True),
        ("/camera/image_raw", False),
        ("/camera/unrectified/image", False),
        ("/direct/rectangle", False),
        ("/rect_arm/camera/front/image_raw", False),
    ],
)
def test_the_name_of_the_topic_says_whether_images_are_rectified(tmp_path, topic, is_rectified):
    assert is_rectified_name(topic) == is_rectified
    holder = compressed(COLOUR, "jpeg", suffix=".jpg") if topic.endswith("compressed") else colour()
    info_topic = topic.removesuffix("/compressed").rpartition("/")[0] + "/camera_info"
    source, frames = read(write_topics(tmp_path / "bag.mcap", {topic: holder, info_topic: info(LENS)}))
    camera = frames[0].camera
    assert (camera.fx, camera.is_distorted) == ((20.0, False) if is_rectified else (22.0, True))
    notes = [note for note in source.notes if "taken as rectified" in note]
    assert len(notes) == is_rectified
    if is_rectified:
        assert "by the topic's name" in notes[0] and "--unrectified overrules it" in notes[0]


def test_a_user_may_say_that_they_are_not(tmp_path):
    path = write_topics(tmp_path / "bag.mcap", {"/c/image_rect": colour(), "/c/camera_info": info(LENS)})
    source, frames = read(path, unrectified=True)
    assert frames[0].camera.is_distorted and not source.notes
    _, frames = read(path, rectified=True)
    assert frames[0].camera.key == LENS.rectified().key


def test_nothing_is_said_where_it_makes_no_difference(tmp_path):
    source, _ = read(write_topics(tmp_path / "bag.mcap", {"/c/image_rect": colour(), "/c/camera_info": info()}))
    assert not source.notes


def test_p_that_fits_the_images_is_used_where_k_does_not(tmp_path):
    large = K @ np.diag([4.0, 4.0, 1.0]) + np.array([[0, 0, 45.0], [0, 0, 36.0], [0, 0, 0]])
    path = write_topics(tmp_path / "bag.mcap", {"/c/image": colour(), "/c/camera_info": info(LENS, k=large)})
    source, frames = read(path)
    assert frames[0].camera.key == LENS.rectified().key
    assert any("taken as rectified (P fits the images and K does not)" in note for note in source.notes)


@pytest.mark.parametrize("options", [{}, {"rectified": True}])
def test_p_alone_is_a_calibration_of_rectified_images(tmp_path, options):
    only_p = info(k=np.zeros(9), r=np.zeros(9), d=np.zeros(0), distortion_model="")
    source, frames = read(
        write_topics(tmp_path / "bag.mcap", {"/c/image": colour(), "/c/camera_info": only_p}), **options
    )
    assert source.is_calibrated and frames[0].camera.key == CAMERA.key
    assert any("/c/camera_info: it holds P alone (K is zero)" in note for note in source.notes)


def test_a_calibration_file_for_images_named_rectified_is_used_as_it_is_and_said(tmp_path):
    path = write_topics(tmp_path / "bag.mcap", {"/c/image_rect": colour(), "/c/camera_info": info(LENS)})
    file = str(tmp_path / "camera.yaml")
    write_calibration(file, LENS, "camera")
    source, frames = read(path, calibration_file=file)
    assert frames[0].camera.is_distorted
    assert any("--rectified takes P of the file instead" in note for note in source.notes)
    source, frames = read(path, calibration_file=file, rectified=True)
    assert not frames[0].camera.is_distorted and not source.notes


def test_rectified_depth_beside_raw_intrinsics_is_of_the_camera_of_p(tmp_path):
    topics = {
        "/c/rgb/image": colour("rgb"),
        "/c/rgb/camera_info": info(),
        "/c/depth/image_rect": raw(METRES, "32FC1", "rgb"),
        "/c/depth/camera_info": info(LENS, frame="rgb"),
    }
    source, _ = read(write_topics(tmp_path / "bag.mcap", topics))
    assert source.references[0][1].startswith("/c/depth/image_rect (registered"), source.references
