# SPDX-License-Identifier: Apache-2.0
"""Recordings of every format read back message by message; broken ones give an error of one line."""

import sqlite3
from pathlib import Path

import numpy as np
import pytest
from rosbags.rosbag1 import Writer as Ros1Writer
from rosbags.rosbag2 import StoragePlugin, Writer
from rosbags.rosbag2.enums import CompressionFormat, CompressionMode
from rosbags.typesys import Stores, get_types_from_msg, get_typestore

from monodepth_ros.data.bags.recording import Recording, RecordingError
from monodepth_ros.data.bags.writer import BagWriter
from monodepth_ros.data.cameras.topics import choose_image_stream, image_streams
from monodepth_ros.data.sources.reference_topics import ground_truth_depth, ground_truth_odometry

START_NS = 1_700_000_000_000_000_000
STEP_NS = 100_000_000
TYPES = BagWriter.types


def header(index, frame="camera"):
    stamp_ns = START_NS + index * STEP_NS
    time = TYPES["builtin_interfaces/msg/Time"](stamp_ns // 10**9, stamp_ns % 10**9)
    return TYPES["std_msgs/msg/Header"](time, frame)


def image(index, encoding="mono8", channels=1, frame="camera"):
    pixels = np.full(12 * channels, index % 256, np.uint8)
    return TYPES["sensor_msgs/msg/Image"](
        header=header(index, frame),
        height=3,
        width=4,
        encoding=encoding,
        is_bigendian=0,
        step=4 * channels,
        data=pixels,
    )


def camera_info(index, frame="camera"):
    return camera_info_of(TYPES, header(index, frame), 4, 3, "dkrp")


def camera_info_of(types, header, width, height, matrices):
    """sensor_msgs/CameraInfo of a typestore; `matrices`: its names of D, K, R and P."""
    region = types["sensor_msgs/msg/RegionOfInterest"](0, 0, 0, 0, False)
    values = np.zeros(5), np.arange(9.0), np.zeros(9), np.zeros(12)
    return types["sensor_msgs/msg/CameraInfo"](
        header=header,
        height=height,
        width=width,
        distortion_model="plumb_bob",
        binning_x=0,
        binning_y=0,
        roi=region,
        **dict(zip(matrices, values, strict=True)),
    )


def write_bag(path, storage="", compress=False, count=5):
    with BagWriter(path, storage, compress) as bag:
        bag.add_topic("/camera/image_raw", "sensor_msgs/msg/Image")
        bag.add_topic("/camera/camera_info", "sensor_msgs/msg/CameraInfo", latched=True)
        for index in range(count):
            bag.write("/camera/image_raw", START_NS + index * STEP_NS, image(index))
            bag.write("/camera/camera_info", START_NS + index * STEP_NS + 1000, camera_info(index))
    return Path(path)


def write_images(path, topics):
    """A bag with one image of the given encoding per topic, in a frame named like the topic's first part."""
    with BagWriter(path) as bag:
        for topic, encoding in topics.items():
            frame = topic.split("/")[1]
            if encoding == "info":
                bag.add_topic(topic, "sensor_msgs/msg/CameraInfo")
                bag.write(topic, START_NS, camera_info(0, frame))
            elif encoding == "jpeg":
                bag.add_topic(topic, "sensor_msgs/msg/CompressedImage")
                message = TYPES["sensor_msgs/msg/CompressedImage"](header(0, frame), "jpeg", np.zeros(3, np.uint8))
                bag.write(topic, START_NS, message)
            else:
                bag.add_topic(topic, "sensor_msgs/msg/Image")
                bag.write(topic, START_NS, image(0, encoding, 4, frame))
    return path


def error_of(path):
    with pytest.raises(RecordingError) as caught, Recording(path) as recording:
        for _ in recording.messages():
            pass
    text = str(caught.value)
    assert "\n" not in text, f"not one line: {text!r}"
    return text


@pytest.mark.parametrize("name", ["bag", "bag.mcap", "bag.db3"])
@pytest.mark.parametrize("compress", [False, True])
def test_a_written_bag_reads_back_in_every_storage(tmp_path, name, compress):
    storages = ["mcap", "sqlite3"] if name == "bag" else [""]
    if compress and name == "bag.db3":
        storages = []
    for storage in storages:
        path = write_bag(tmp_path / f"{storage}{name}", storage, compress)
        assert path.is_file() == (name != "bag")
        with Recording(path) as recording:
            messages = list(recording.read())
            assert [topic for topic, _, _ in messages] == ["/camera/image_raw", "/camera/camera_info"] * 5
            assert [stamp for _, stamp, _ in messages] == sorted(stamp for _, stamp, _ in messages)
            assert [int(m.data[0]) for t, _, m in messages if t == "/camera/image_raw"] == [0, 1, 2, 3, 4]
            assert recording.duration == pytest.approx(0.400001, abs=1e-9)
            assert recording.topics["/camera/camera_info"].latched
            assert not recording.topics["/camera/image_raw"].latched
            assert recording.message_count == 10


def test_file_compressed_storage_reads_through_its_folder(tmp_path):
    writer = Writer(tmp_path / "bag", version=8, storage_plugin=StoragePlugin.SQLITE3)
    writer.set_compression(CompressionMode.FILE, CompressionFormat.ZSTD)
    store = get_typestore(Stores.ROS2_JAZZY)
    with writer:
        connection = writer.add_connection("/image", "sensor_msgs/msg/Image", typestore=store)
        writer.write(connection, START_NS, store.serialize_cdr(image(7), "sensor_msgs/msg/Image"))
    with Recording(tmp_path / "bag") as recording:
        assert recording.first("/image").data[0] == 7
    with Recording(tmp_path / "bag" / "bag.db3.zstd") as recording:
        assert recording.first("/image").data[0] == 7


def test_message_compressed_storage_reads_through_the_bare_file_too(tmp_path):
    write_bag(tmp_path / "bag", "sqlite3", compress=True)
    with Recording(tmp_path / "bag" / "bag.db3") as recording:
        assert recording.first("/camera/image_raw").data[0] == 0


def test_ros1_bags_give_ros2_messages(tmp_path):
    """Headers lose seq, field and type names become those of ROS 2, custom types keep their definition."""
    ros1 = get_typestore(Stores.ROS1_NOETIC)
    ros1.register(get_types_from_msg("Header header\nfloat64[] values\ntime when\n", "my_msgs/msg/Values"))
    time = ros1.types["builtin_interfaces/msg/Time"](12, 34)
    head = ros1.types["std_msgs/msg/Header"](seq=99, stamp=time, frame_id="cam")
    info = camera_info_of(ros1.types, head, 1242, 375, "DKRP")
    values = ros1.types["my_msgs/msg/Values"](head, np.array([1.0, 2.5]), time)
    with Ros1Writer(tmp_path / "old.bag") as writer:
        for topic, message in (("/info", info), ("/values", values)):
            connection = writer.add_connection(
                topic, message.__msgtype__, typestore=ros1, latching=int(topic == "/info")
            )
            writer.write(connection, START_NS, ros1.serialize_ros1(message, message.__msgtype__))
    with Recording(tmp_path / "old.bag") as recording:
        raw = {message.topic: message for message in recording.messages()}
        assert raw["/info"].type == "sensor_msgs/msg/CameraInfo"
        assert raw["/info"].data[:4] == b"\x00\x01\x00\x00"
        head = TYPES["std_msgs/msg/Header"](TYPES["builtin_interfaces/msg/Time"](12, 34), "cam")
        expected = camera_info_of(TYPES, head, 1242, 375, "dkrp")
        assert raw["/info"].data == bytes(get_typestore(Stores.ROS2_JAZZY).serialize_cdr(expected, raw["/info"].type))
        read = recording.deserialize(raw["/values"])
        assert (read.header.frame_id, read.header.stamp.sec, list(read.values)) == ("cam", 12, [1.0, 2.5])
        assert recording.topics["/info"].latched and not recording.topics["/values"].latched


def test_split_bags_without_metadata_are_merged_by_time(tmp_path):
    folder = tmp_path / "killed"
    folder.mkdir()
    for part, indices in enumerate([(0, 2, 4), (1, 3, 5)]):
        with BagWriter(folder / f"part_{part}.mcap") as bag:
            bag.add_topic("/image", "sensor_msgs/msg/Image")
            for index in indices:
                bag.write("/image", START_NS + index * STEP_NS, image(index))
    with Recording(folder) as recording:
        assert [int(m.data[0]) for _, _, m in recording.read()] == [0, 1, 2, 3, 4, 5]


def test_time_limits_and_topics_select_messages(tmp_path):
    with Recording(write_bag(tmp_path / "bag")) as recording:
        start, stop = START_NS + STEP_NS, START_NS + 3 * STEP_NS
        chosen = list(recording.messages(["/camera/image_raw"], start, stop))
        assert [m.stamp_ns for m in chosen] == [start, START_NS + 2 * STEP_NS]
        assert len(list(recording.messages(["camera/camera_info"]))) == 5
        with pytest.raises(RecordingError, match="/camera/camera_info, /camera/image_raw"):
            recording.messages(["/nope"])


def test_a_broken_type_definition_affects_its_own_topic_only(tmp_path):
    store = get_typestore(Stores.ROS2_JAZZY)
    with Writer(tmp_path / "bag", version=8, storage_plugin=StoragePlugin.MCAP) as writer:
        good = writer.add_connection("/image", "sensor_msgs/msg/Image", typestore=store)
        bad = writer.add_connection("/odd", "odd_msgs/msg/Odd", msgdef="%%% not a definition", rihs01="RIHS01_0")
        writer.write(good, START_NS, store.serialize_cdr(image(3), "sensor_msgs/msg/Image"))
        writer.write(bad, START_NS + 1, b"\0\1\0\0")
    with Recording(tmp_path / "bag") as recording:
        assert recording.first("/image").data[0] == 3
        assert len(list(recording.messages())) == 2
        with pytest.raises(RecordingError, match="odd_msgs/msg/Odd is unknown"):
            recording.first("/odd")


def test_a_bag_of_2019_without_metadata_and_with_old_type_names(monodepth_data):
    with Recording(monodepth_data / "rosbag2_thirdparty" / "klintan_sample") as recording:
        assert {t.type for t in recording.topics.values()} == {
            "std_msgs/msg/String", "sensor_msgs/msg/Image", "sensor_msgs/msg/CompressedImage",
            "sensor_msgs/msg/NavSatFix", "sensor_msgs/msg/Imu",
        }  # fmt: skip
        picture = recording.first("/image")
        assert len(picture.data) == picture.step * picture.height == 921_600
        assert choose_image_stream(recording).image == "/image"


def test_real_bags_of_both_storages(monodepth_data):
    with Recording(monodepth_data / "rosbag2" / "kitti_colour_compressed_mcap") as recording:
        assert [recording.topics[t].count for t in recording.topics] == [24, 24]
        stream = choose_image_stream(recording)
        assert (stream.image, stream.camera_info) == ("/camera/image_raw/compressed", "/camera/camera_info")
    with Recording(monodepth_data / "rosbag2" / "kitti06_stereo_raw_mono8_sqlite3") as recording:
        with pytest.raises(RecordingError, match="--topic /stereo/left/image_raw or --topic /stereo/right/image_raw"):
            choose_image_stream(recording)
        assert choose_image_stream(recording, "/stereo/right/image_raw").camera_info == "/stereo/right/camera_info"
        assert ground_truth_odometry(recording) == "/ground_truth/odometry"
        assert ground_truth_depth(recording) == ""


def test_depth_images_are_not_cameras_and_raw_is_preferred_to_compressed(tmp_path):
    topics = {
        "/cam/image_raw": "mono8", "/cam/image_raw/compressed": "jpeg", "/cam/camera_info": "info",
        "/cam/depth": "32FC1", "/ground_truth/depth": "32FC1", "/range/millimetres": "16UC1",
    }  # fmt: skip
    with Recording(write_images(tmp_path / "bag", topics)) as recording:
        assert [stream.image for stream in image_streams(recording)] == ["/cam/image_raw"]
        assert choose_image_stream(recording, "/cam/image_raw/compressed").compressed
        assert ground_truth_depth(recording) == "/ground_truth/depth"


def test_calibration_under_another_name_is_found_by_its_frame(tmp_path):
    topics = {"/left/image": "mono8", "/left/calibration/info": "info", "/right/calibration/info": "info"}
    with Recording(write_images(tmp_path / "bag", topics)) as recording:
        assert choose_image_stream(recording).camera_info == "/left/calibration/info"
    with Recording(write_images(tmp_path / "other", {"/left/image": "mono8", "/right/info": "info"})) as recording:
        assert choose_image_stream(recording).camera_info == ""
        assert choose_image_stream(recording, camera_info="/right/info").camera_info == "/right/info"
        with pytest.raises(RecordingError, match="/left/image holds sensor_msgs/msg/Image"):
            choose_image_stream(recording, camera_info="/left/image")


def test_broken_recordings_give_an_error_of_one_line(tmp_path):
    whole = write_bag(tmp_path / "whole.mcap", count=200).read_bytes()
    database = write_bag(tmp_path / "whole.db3", count=200).read_bytes()
    cases = {
        "missing.mcap": (None, "does not exist"),
        "empty.mcap": (b"", "empty"),
        "cut.mcap": (whole[: len(whole) * 2 // 3], "truncated"),
        "foreign.mcap": (b"\x89PNG" + bytes(500), "cannot be read"),
        "cut.db3": (database[: len(database) // 2], "read|damaged"),
        "foreign.db3": (b"hello" * 100, "cannot be read"),
        "foreign.bag": (b"hello" * 100, "cannot be read"),
        "video.avi": (b"RIFF", "is not a recording"),
    }
    for name, (content, expected) in cases.items():
        if content is not None:
            (tmp_path / name).write_bytes(content)
        text = error_of(tmp_path / name)
        assert any(word in text for word in expected.split("|")), text
    (tmp_path / "folder").mkdir()
    assert "is empty" in error_of(tmp_path / "folder")
    (tmp_path / "folder" / "metadata.yaml").write_text("rosbag2_bagfile_information: 3")
    assert "copy its .mcap or .db3 there" in error_of(tmp_path / "folder")
    sqlite3.connect(tmp_path / "other.db3").execute("create table things(id integer)").connection.commit()
    assert "cannot be read" in error_of(tmp_path / "other.db3")
    (tmp_path / "noise.db3").write_bytes(bytes(range(256)))
    assert error_of(tmp_path / "noise.db3").count("noise.db3") == 1, error_of(tmp_path / "noise.db3")


def test_bytes_damaged_in_the_middle_give_an_error_of_one_line(tmp_path):
    damaged = bytearray(write_bag(tmp_path / "bag.mcap", compress=True, count=500).read_bytes())
    damaged[100 : len(damaged) // 2] = bytes(len(damaged) // 2 - 100)
    (tmp_path / "damaged.mcap").write_bytes(damaged)
    assert "damaged" in error_of(tmp_path / "damaged.mcap")


def test_the_writer_never_overwrites_and_leaves_nothing_behind_after_an_error(tmp_path):
    path = write_bag(tmp_path / "bag.mcap")
    with pytest.raises(RecordingError, match="exists already"):
        BagWriter(path)
    with pytest.raises(RecordingError, match="does not fit storage sqlite3"):
        BagWriter(tmp_path / "other.mcap", "sqlite3")
    with pytest.raises(ZeroDivisionError), BagWriter(tmp_path / "failed"):
        raise ZeroDivisionError
    assert [entry.name for entry in tmp_path.iterdir()] == ["bag.mcap"]


def test_the_writer_takes_the_name_of_a_new_or_empty_folder_and_no_ros_1_name(tmp_path):
    (tmp_path / "empty").mkdir()
    for name in ("empty", "new/deep"):
        with BagWriter(tmp_path / name) as bag:
            bag.add_topic("/image", "sensor_msgs/msg/Image")
        assert (tmp_path / name / "metadata.yaml").is_file()
    with pytest.raises(RecordingError, match="exists already"):
        BagWriter(tmp_path / "empty")
    with pytest.raises(RecordingError, match="out.bag: ROS 1 bags are not written"):
        BagWriter(tmp_path / "out.bag")


def test_a_recording_without_messages_has_no_duration(tmp_path):
    with BagWriter(tmp_path / "none.mcap") as bag:
        bag.add_topic("/image", "sensor_msgs/msg/Image")
    with Recording(tmp_path / "none.mcap") as recording:
        assert (recording.duration, recording.message_count, list(recording.messages())) == (0.0, 0, [])
        with pytest.raises(RecordingError, match="no camera images"):
            choose_image_stream(recording)
