# SPDX-License-Identifier: Apache-2.0
"""Foxglove's MCAP files as sources: cameras, calibration, mounts, LiDAR depth and poses."""

import numpy as np
import pytest
from foxglove_files import HEIGHT, START_NS, TENTH, WIDTH, FoxgloveFile, K, picture, write_vehicle
from small_sources import read

from monodepth_ros.data.bags.recording import Recording
from monodepth_ros.data.sources.open_source import open_source
from monodepth_ros.data.sources.source import SourceChoiceError, SourceOptions
from monodepth_ros.errors import MonodepthError

FRONT = "/cam_front/image_rect_compressed"


@pytest.fixture(params=["protobuf", "json"])
def vehicle(request, tmp_path):
    return write_vehicle(tmp_path / "vehicle.mcap", request.param)


def test_topics_have_the_types_of_ros(vehicle):
    with Recording(vehicle) as recording:
        types = {name: topic.type for name, topic in recording.topics.items()}
    assert types[FRONT] == "sensor_msgs/msg/CompressedImage"
    assert types["/cam_front/camera_info"] == "sensor_msgs/msg/CameraInfo"
    assert types["/lidar_top"] == "sensor_msgs/msg/PointCloud2"
    assert types["/tf"] == "tf2_msgs/msg/TFMessage"
    assert types["/pose"] == "geometry_msgs/msg/PoseStamped"


def test_several_cameras_are_offered(vehicle):
    with pytest.raises(SourceChoiceError, match="2 cameras") as error:
        open_source(str(vehicle))
    assert ["--topic", FRONT] in error.value.choices


def test_a_camera_of_a_foxglove_recording_has_images_calibration_and_stamps(vehicle):
    source, frames = read(vehicle, topic=FRONT)
    assert source.frame_id == "cam_front" and source.is_calibrated and not source.left_out
    assert [round(float(frame.pixels.array.mean())) for frame in frames] == [0, 20, 40, 60, 80, 100]
    assert [frame.stamp_ns for frame in frames] == [START_NS + i * TENTH for i in range(6)]
    np.testing.assert_array_equal(frames[0].camera.K.ravel(), K)


def test_the_lidar_gives_reference_depth_through_mounts_that_repeat_on_tf(vehicle):
    source, frames = read(vehicle, topic=FRONT)
    assert source.transforms.parent_of("cam_front") == "base_link"
    assert source.transforms.parent_of("base_link") == ""
    assert any("/tf that never change count as static: base_link -> lidar_top" in note for note in source.notes)
    for frame in frames:
        assert frame.reference_depth[24, 32] == pytest.approx(10.0)
        assert np.isfinite(frame.reference_depth).sum() == 1


def test_the_poses_of_the_vehicle_on_tf_move_the_camera(vehicle):
    _, frames = read(vehicle, topic=FRONT, odometry_topic="/tf")
    positions = np.array([frame.T_world_camera[:3, 3] for frame in frames])
    np.testing.assert_allclose(positions, [(1.5 + 0.5 * i, 0, 1.6) for i in range(6)], atol=1e-9)
    np.testing.assert_allclose(frames[0].T_world_camera[:3, 2], (1, 0, 0), atol=1e-9)  # it looks along x


def test_a_pose_of_the_vehicle_in_its_own_frame_is_not_offered_as_a_reference(vehicle):
    source, _ = read(vehicle, topic=FRONT)
    assert not any("/pose" in text for _, text in source.references)
    with pytest.raises(MonodepthError, match="/pose gives one pose throughout, in a frame of the robot itself"):
        read(vehicle, topic=FRONT, odometry_topic="/pose")


def test_what_has_no_counterpart_in_ros_is_named_and_left_out(vehicle):
    with Recording(vehicle) as recording:
        assert not {"/gps", "/imu", "/map"} & set(recording.topics)
        assert any("/gps" in note and "/imu" in note for note in recording.notes)


@pytest.mark.parametrize("encoding", ["protobuf", "json"])
def test_a_raw_image_without_timestamp_or_frame_is_read_by_its_log_time(tmp_path, encoding):
    path = tmp_path / "raw.mcap"
    with FoxgloveFile(path, encoding) as file:
        for i in range(3):
            data = np.full((HEIGHT, WIDTH), 50 * i, np.uint8).tobytes()
            image = {"width": WIDTH, "height": HEIGHT, "encoding": "mono8", "step": WIDTH, "data": data}
            file.add("/camera", "RawImage", START_NS + i * TENTH, **image)
    source, frames = read(path)
    assert [frame.stamp_ns for frame in frames] == [START_NS + i * TENTH for i in range(3)]
    assert not any("stamp" in note for note in source.notes)
    assert [int(frame.pixels.array[0, 0]) for frame in frames] == [0, 50, 100]


def test_an_image_can_be_read_again_by_its_times(vehicle):
    with open_source(str(vehicle), SourceOptions(topic=FRONT)) as source:
        frame = list(source.frames())[3]
        np.testing.assert_array_equal(source.read(frame.stamp_ns, frame.received_ns).array, frame.pixels.array)


def test_ros_images_in_json_are_a_camera(tmp_path):
    path = tmp_path / "rosbridge.mcap"
    with FoxgloveFile(path) as file:
        for i in range(3):
            ns = START_NS + i * TENTH
            stamp = f'{{"sec": {ns // 10**9}, "nanosec": {ns % 10**9}}}'
            pixels = list(picture(60 * i))
            message = f'{{"header": {{"stamp": {stamp}, "frame_id": "cam"}}, "format": "jpeg", "data": {pixels}}}'
            described = ("sensor_msgs/msg/CompressedImage", "jsonschema", b"{}")
            file.add_raw("/camera/compressed", ns, described, message.encode())
    source, frames = read(path)
    assert source.frame_id == "cam"
    assert [round(float(frame.pixels.array.mean())) for frame in frames] == [0, 60, 120]


@pytest.mark.parametrize("encoding", ["protobuf", "json"])
def test_a_damaged_message_is_left_out_and_counted(tmp_path, encoding):
    path = tmp_path / "damaged.mcap"
    with FoxgloveFile(path, encoding) as file:
        for i in range(4):
            ns = START_NS + i * TENTH
            if i in (0, 2):
                file.add_raw("/camera", ns, file.described("CompressedImage"), b"\x0a\xff")
            else:
                file.add("/camera", "CompressedImage", ns, stamp_ns=ns, format="jpeg", data=picture(60 * i))
    source, frames = read(path)
    assert [round(float(frame.pixels.array.mean())) for frame in frames] == [60, 180]
    assert sum(source.left_out.values()) == 2 and "a damaged message: its" in next(iter(source.left_out))


def test_a_recording_of_damaged_messages_alone_says_so(tmp_path):
    path = tmp_path / "damaged.mcap"
    with FoxgloveFile(path) as file:
        file.add_raw("/camera", START_NS, file.described("CompressedImage"), b"\x0a\xff")
    with pytest.raises(MonodepthError, match="nothing but damaged messages there, such as a damaged message"):
        read(path)
