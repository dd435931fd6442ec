# SPDX-License-Identifier: Apache-2.0
"""Topics that are read along with the frames of a recording."""

import numpy as np
import pytest

from monodepth_ros.data.bags import messages
from monodepth_ros.data.bags.writer import BagWriter
from monodepth_ros.data.sources.open_source import open_source
from monodepth_ros.offline.recorded_topic import RecordedTopic
from monodepth_ros.stamps import nanoseconds

START_NS, TENTH = 1_700_000_000 * 10**9, 100_000_000


def write(path, gyro_stamp):
    """Images and rates at 10 Hz; the rates are received 50 ms after the images."""
    with BagWriter(path) as bag:
        bag.add_topic("/camera/image_raw", "sensor_msgs/msg/Image")
        bag.add_topic("/imu", "sensor_msgs/msg/Imu")
        for i in range(10):
            time_ns = START_NS + i * TENTH
            picture = np.full((6, 8, 3), i, np.uint8)
            bag.write("/camera/image_raw", time_ns, messages.image(messages.header(time_ns, "camera"), picture, "rgb8"))
            header = messages.header(gyro_stamp(i, time_ns), "imu")
            bag.write("/imu", time_ns + TENTH // 2, messages.imu(header, (0, 0, 0.1 * i), 1e-4))
    return path


@pytest.mark.parametrize(
    ("gyro_stamp", "delay"),
    [(lambda i, time_ns: 0, 0), (lambda i, time_ns: time_ns if i % 2 else 0, TENTH // 2)],
    ids=["all", "every other"],
)
def test_messages_without_a_stamp_get_their_receive_time(tmp_path, gyro_stamp, delay):
    path = write(tmp_path / "bag", gyro_stamp)
    topic = RecordedTopic(path, "/imu", "/camera/image_raw")
    with open_source(str(path)) as source:
        found = [nanoseconds(message.header.stamp) for frame in source.frames() for message in topic.until(frame)]
    topic.close()
    assert found == [START_NS + i * TENTH + TENTH // 2 - delay for i in range(10)]


def test_a_topic_whose_stamps_are_seconds_off_is_doubted(tmp_path):
    path = write(tmp_path / "bag", lambda i, time_ns: time_ns + 3 * 10**9)
    topic = RecordedTopic(path, "/imu", "/camera/image_raw")
    topic.close()
    assert "3.0 s ahead of those of the images" in topic.doubt
