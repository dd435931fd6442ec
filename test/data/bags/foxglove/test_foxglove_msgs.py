# SPDX-License-Identifier: Apache-2.0
"""Recordings of ROS 2 with the messages of the package foxglove_msgs."""

import cv2
import numpy as np
import pytest
from rosbags.rosbag2 import StoragePlugin, Writer
from rosbags.typesys import Stores, get_types_from_msg, get_typestore
from small_sources import START_NS, TENTH, read

from monodepth_ros.data.bags.recording import Recording

DEFINITIONS = {
    "RawImage": "uint32 width\nuint32 height\nstring encoding\nuint32 step\nuint8[] data\n",
    "CompressedImage": "uint8[] data\nstring format\n",
    "CameraCalibration": "uint32 width\nuint32 height\nstring distortion_model\n"
    "float64[] d\nfloat64[9] k\nfloat64[9] r\nfloat64[12] p\n",
}
K = np.array([20.0, 0, 15.5, 0, 20, 11.5, 0, 0, 1])
PICTURE = np.full((24, 32, 3), 90, np.uint8)


def write(path, storage, image, *fields, damaged=False):
    store = get_typestore(Stores.ROS2_JAZZY)
    for name, text in DEFINITIONS.items():
        text = f"builtin_interfaces/Time timestamp\nstring frame_id\n{text}"
        store.register(get_types_from_msg(text, f"foxglove_msgs/msg/{name}"))
    lens = (
        32,
        24,
        "plumb_bob",
        np.zeros(5),
        K,
        np.eye(3).ravel(),
        np.hstack([K.reshape(3, 3), np.zeros((3, 1))]).ravel(),
    )
    with Writer(path, version=9, storage_plugin=storage) as bag:
        topics = {"/front/image": (image, fields), "/front/calibration": ("CameraCalibration", lens)}
        for topic, (name, values) in topics.items():
            kind = f"foxglove_msgs/msg/{name}"
            connection = bag.add_connection(topic, kind, typestore=store)
            for i in range(3):
                at = START_NS + i * TENTH
                stamp = store.types["builtin_interfaces/msg/Time"](*divmod(at, 10**9))
                data = bytes(store.serialize_cdr(store.types[kind](stamp, "cam", *values), kind))
                bag.write(connection, at + 5, data[:20] if damaged and i == 1 else data)
    return path


@pytest.mark.parametrize("storage", [StoragePlugin.MCAP, StoragePlugin.SQLITE3])
@pytest.mark.parametrize("image", ["RawImage", "CompressedImage"])
def test_foxglove_msgs_are_read_as_the_types_of_ros(tmp_path, storage, image):
    jpeg = np.frombuffer(cv2.imencode(".jpg", PICTURE)[1].tobytes(), np.uint8)
    fields = (32, 24, "rgb8", 96, PICTURE.ravel()) if image == "RawImage" else (jpeg, "jpeg")
    path = write(tmp_path / "bag", storage, image, *fields)
    with Recording(path) as recording:
        expected = {"RawImage": "Image"}.get(image, image)
        assert recording.topics["/front/image"].type == f"sensor_msgs/msg/{expected}"
    source, frames = read(path)
    assert source.stream.camera_info == "/front/calibration" and source.frame_id == "cam"
    assert [frame.stamp_ns for frame in frames] == [START_NS + i * TENTH for i in range(3)]
    assert abs(float(frames[0].pixels.array.mean()) - 90) < 2
    np.testing.assert_array_equal(frames[0].camera.K.ravel(), K)


def test_a_damaged_message_of_foxglove_msgs_is_left_out_and_counted(tmp_path):
    fields = (32, 24, "rgb8", 96, PICTURE.ravel())
    source, frames = read(write(tmp_path / "bag", StoragePlugin.MCAP, "RawImage", *fields, damaged=True))
    assert len(frames) == 2 and sum(source.left_out.values()) == 1
