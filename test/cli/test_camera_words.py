# SPDX-License-Identifier: Apache-2.0
"""Every verb chooses the same camera of a recording, reads it alike and says so in the same words."""

import cv2
import numpy as np
import pytest

from monodepth_ros.cli.main import main
from monodepth_ros.data.bags import messages
from monodepth_ros.data.bags.writer import BagWriter
from monodepth_ros.geometry.camera import CameraModel

START_NS, TENTH = 1_700_000_000_000_000_000, 100_000_000
LATE_NS = 4_000_000
CAMERA = CameraModel.pinhole(96, 64, 70.0, 70.0, 47.5, 31.5)
RAW = CameraModel(96, 64, CAMERA.K, (-0.2, 0.05, 0.0, 0.0, 0.0), P=CAMERA.P)
PICTURE = cv2.GaussianBlur(np.random.default_rng(1).integers(0, 255, (64, 160, 3)).astype(np.uint8), (5, 5), 1)
SAID = "images on /camera/image_rect_color/compressed are taken as rectified (by the topic's name)"


def rgbd(path, clock_ns=0, depth_frame="rgb"):
    """Ten JPEG images named rectified, and depth as PNG by the same transport, 4 ms after each.

    clock_ns: by which the depth camera's clock is ahead.
    """
    image, depth = "/camera/image_rect_color/compressed", "/camera/depth_registered/image_raw/compressed"
    counts = cv2.imencode(".png", np.full((64, 96), 2500, np.uint16))[1].ravel()
    with BagWriter(path) as bag:
        for topic in (image, depth):
            bag.add_topic(topic, "sensor_msgs/msg/CompressedImage")
        bag.add_topic("/camera/camera_info", "sensor_msgs/msg/CameraInfo")
        for i in range(10):
            at = START_NS + i * TENTH
            header, later = messages.header(at, "rgb"), messages.header(at + LATE_NS + clock_ns, depth_frame)
            data = cv2.imencode(".jpg", PICTURE[:, 4 * i : 4 * i + 96])[1].ravel()
            bag.write("/camera/camera_info", at, messages.camera_info(header, RAW))
            bag.write(image, at, messages.compressed_image(header, "bgr8; jpeg compressed bgr8", data))
            bag.write(depth, at + LATE_NS, messages.compressed_image(later, "16UC1; png compressed ", counts))
    return str(path)


WORDS = {
    "inspect": ["--results", "R"],
    "run": ["--results", "R", "--no-video", "--depth", "none", "--frames", "2"],
    "extract": ["--out", "X", "--frames", "2"],
    "evaluate depth": ["--engine", "pytorch", "--frames", "2"],
}


@pytest.mark.parametrize("verb", WORDS)
def test_every_verb_takes_the_colour_images_and_says_that_they_are_rectified(tmp_path, monkeypatch, capsys, verb):
    monkeypatch.chdir(tmp_path)
    main([*verb.split(), rgbd(tmp_path / "bag.mcap"), *WORDS[verb]])
    printed = capsys.readouterr()
    text = printed.out + printed.err
    assert "(/camera/image_rect_color/compressed, /camera/camera_info)" in text, text
    assert text.count(SAID) == 1, text
    assert "/camera/depth_registered/image_raw/compressed (registered, 10 images)" in text, text


def test_evaluation_takes_registered_depth_by_the_nearest_stamp(tmp_path, capsys):
    assert main(["evaluate", "depth", rgbd(tmp_path / "bag.mcap"), "--engine", "pytorch", "--frames", "3"]) == 0
    text = capsys.readouterr().out
    assert "3 images, predicted" in text and "reference     depth /camera/depth_registered" in text


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        (
            {"clock_ns": 1_200_000_000},
            "the stamps of /camera/depth_registered/image_raw/compressed are 304 ms or more from those of the images,"
            " and at most 50 ms (half the period of the images) is taken",
        ),
        (
            {"depth_frame": "other"},
            "depth topic /camera/depth_registered/image_raw/compressed is in frame 'other', the image in 'rgb', and no"
            " transform joins them",
        ),
    ],
)
def test_evaluation_says_which_rule_the_depth_misses(tmp_path, capsys, changes, reason):
    assert main(["evaluate", "depth", rgbd(tmp_path / "bag.mcap", **changes), "--engine", "pytorch"]) != 0
    text = capsys.readouterr().err
    assert "no ground-truth depth in 10 frames" in text and reason in text, text


def test_a_user_may_say_that_images_are_not_rectified(tmp_path, capsys):
    words = ["inspect", rgbd(tmp_path / "bag.mcap"), "--results", str(tmp_path / "r"), "--unrectified"]
    main(words)
    text = capsys.readouterr().out
    assert "plumb_bob (-0.2, 0.05, 0, 0, 0), rectified when read" in text and "taken as rectified" not in text
    with pytest.raises(SystemExit):
        main([*words, "--rectified"])
    assert "not allowed with argument" in capsys.readouterr().err
