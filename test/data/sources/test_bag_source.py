# SPDX-License-Identifier: Apache-2.0
"""Frames of a recording have its times, calibration and reference."""

import numpy as np
import pytest
from small_sources import CAMERA, START_NS, TENTH, picture, read, write_bag

from monodepth_ros.data.bags import messages
from monodepth_ros.data.bags.writer import BagWriter
from monodepth_ros.data.calibration import write_calibration
from monodepth_ros.data.sources.open_source import open_source
from monodepth_ros.data.sources.source import SourceChoiceError
from monodepth_ros.errors import MonodepthError
from monodepth_ros.geometry.motion import make_transform


def test_a_bag_gives_images_calibration_and_reference(tmp_path):
    source, frames = read(write_bag(tmp_path / "bag.mcap"))
    assert (source.frame_id, source.frame_count, len(frames)) == ("camera_optical", 5, 5)
    for i, frame in enumerate(frames):
        assert (frame.name, frame.stamp_ns, frame.received_ns) == (
            f"{i:06d}",
            START_NS + i * TENTH,
            START_NS + i * TENTH + 1000,
        )
        assert frame.pixels.array[0, 0, 0] == i and frame.camera.key == CAMERA.key
        assert (frame.reference_depth == 1.0 + i).all()
        # Interpolated between two poses, at the camera: 1 m above the base.
        np.testing.assert_allclose(frame.T_world_camera[:3, 3], (0.1 * i, 0, 1), atol=1e-6)
    assert source.transforms.parent_of("camera_optical") == "base_link"


def test_an_odometry_topic_gives_the_poses_if_it_is_selected(tmp_path):
    path = tmp_path / "bag.mcap"
    with BagWriter(path) as bag:
        for topic, kind in {"/image": "sensor_msgs/msg/Image", "/odom": "nav_msgs/msg/Odometry"}.items():
            bag.add_topic(topic, kind)
        header, zero = messages.header(START_NS, "base_link"), np.zeros((6, 6))
        bag.write("/image", START_NS, messages.image(header, picture(1), "rgb8"))
        pose = make_transform(np.eye(3), (1, 2, 3))
        bag.write(
            "/odom",
            START_NS,
            messages.odometry(messages.header(START_NS, "odom"), "base_link", pose, zero, zero[0], zero),
        )
    _, frames = read(path)
    assert frames[0].T_world_camera is None, "a robot's odometry is not the reference unless a user selects it"
    _, frames = read(path, odometry_topic="/odom")
    np.testing.assert_allclose(frames[0].T_world_camera, pose)
    with pytest.raises(
        MonodepthError, match=r"/image holds 1 sensor_msgs/msg/Image, expected nav_msgs/Odometry, .*\(there: /odom\)"
    ):
        read(path, odometry_topic="/image")


def test_start_and_duration_select_a_part_of_a_bag(tmp_path):
    _, frames = read(write_bag(tmp_path / "bag.mcap", count=10), start=0.25, duration=0.4)
    assert [int(f.pixels.array[0, 0, 0]) for f in frames] == [3, 4, 5, 6]
    assert [f.reference_depth[0, 0] for f in frames] == [4, 5, 6, 7]


def test_several_cameras_are_listed_as_arguments_to_paste(tmp_path):
    path = write_bag(tmp_path / "bag", cameras=("left", "right"))
    with pytest.raises(SourceChoiceError, match="2 cameras") as caught:
        open_source(str(path))
    assert caught.value.choices == [["--topic", "/left/image_raw"], ["--topic", "/right/image_raw"]]
    _, frames = read(path, topic="/right/image_raw")
    assert frames[0].reference_depth is None, "the depth belongs to the other camera"
    assert frames[0].T_world_camera is not None


def test_images_that_cannot_be_used_are_left_out_with_a_reason(tmp_path):
    path = tmp_path / "bag.mcap"
    with BagWriter(path) as bag:
        bag.add_topic("/image", "sensor_msgs/msg/Image")
        bag.add_topic("/camera_info", "sensor_msgs/msg/CameraInfo")
        header = messages.header(START_NS, "camera")
        bag.write("/camera_info", START_NS, messages.camera_info(header, CAMERA))
        bag.write("/image", START_NS + 1, messages.image(header, picture(1), "rgb8"))
        bag.write("/image", START_NS + 2, messages.image(header, picture(2), "rgb23"))
        bag.write("/image", START_NS + 3, messages.image(header, picture(3, width=10), "rgb8"))
    source, frames = read(path)
    assert len(frames) == 1 and source.left_out.total() == 2
    assert any("rgb23" in reason for reason in source.left_out) and any("10x6" in reason for reason in source.left_out)


def test_a_bag_without_calibration_is_uncalibrated_or_takes_a_file(tmp_path):
    path = write_bag(tmp_path / "bag.mcap", info=False)
    source, frames = read(path)
    assert not frames[0].camera.is_calibrated and not source.is_calibrated and "no camera_info" in source.notes[0]
    assert "60 degrees" in source.notes[0] and "monodepth calibrate" in source.notes[0]
    write_calibration(tmp_path / "camera.yaml", CAMERA, "camera")
    source, frames = read(path, calibration_file=str(tmp_path / "camera.yaml"))
    assert frames[0].camera.key == CAMERA.key and source.is_calibrated and not source.notes


@pytest.mark.parametrize("size", [(8, 6), (0, 0)], ids=["with the size", "all zero"])
def test_the_camera_info_of_an_uncalibrated_camera_holds_no_calibration(tmp_path, size):
    with BagWriter(tmp_path / "bag.mcap") as bag:
        bag.add_topic("/image", "sensor_msgs/msg/Image")
        bag.add_topic("/camera_info", "sensor_msgs/msg/CameraInfo")
        header = messages.header(START_NS, "camera_optical")
        info = messages.camera_info(header, CAMERA, is_calibrated=False)
        info.width, info.height = size
        bag.write("/camera_info", START_NS, info)
        bag.write("/image", START_NS + 1, messages.image(header, picture(1), "rgb8"))
    source, (frame,) = read(tmp_path / "bag.mcap", field_of_view=80.0)
    assert not frame.camera.is_calibrated and frame.camera.field_of_view == 80 and not source.left_out
    (note,) = source.notes
    assert "/camera_info holds no calibration (K[0] is 0)" in note and "80 degrees (as stated)" in note
