# SPDX-License-Identifier: Apache-2.0
"""Recordings of chosen image and camera_info topics, with tiny pictures, written by the tests of cameras."""

import cv2
import numpy as np
from small_sources import START_NS, TENTH

from monodepth_ros.data.bags import messages
from monodepth_ros.data.bags.recording import Recording
from monodepth_ros.data.bags.writer import BagWriter
from monodepth_ros.data.cameras.topics import image_streams
from monodepth_ros.geometry.camera import CameraModel

WIDTH, HEIGHT = 32, 24
CAMERA = CameraModel.pinhole(WIDTH, HEIGHT, 20.0, 20.0, 15.5, 11.5)
RANDOM = np.random.default_rng(3)
COLOUR = RANDOM.integers(0, 255, (HEIGHT, WIDTH, 3), np.uint8)
MILLIMETRES = (1000 + 20 * np.arange(WIDTH * HEIGHT)).astype(np.uint16).reshape(HEIGHT, WIDTH)
MILLIMETRES[3:6, 4:9] = 0
THERMAL = RANDOM.integers(7000, 9000, (HEIGHT, WIDTH)).astype(np.uint16)
METRES = (MILLIMETRES / 1000).astype(np.float32)


def raw(values, encoding, frame="camera"):
    """A topic of sensor_msgs/Image."""
    return "sensor_msgs/msg/Image", lambda at: messages.image(messages.header(at, frame), values, encoding)


def compressed(values, format, frame="camera", suffix=".png"):
    """A topic of sensor_msgs/CompressedImage; values: array to encode, or the bytes."""
    data = values if isinstance(values, bytes) else cv2.imencode(suffix, values)[1].tobytes()
    content = np.frombuffer(data, np.uint8)
    return "sensor_msgs/msg/CompressedImage", lambda at: messages.compressed_image(
        messages.header(at, frame), format, content
    )


def info(camera=CAMERA, frame="camera", **changes):
    """A topic of sensor_msgs/CameraInfo; changes: of its fields."""

    def make(at):
        message = messages.camera_info(messages.header(at, frame), camera)
        for name, value in changes.items():
            setattr(message, name, np.asarray(value, float).ravel() if name in "kdrp" else value)
        return message

    return "sensor_msgs/msg/CameraInfo", make


def colour(frame="camera"):
    return raw(COLOUR, "rgb8", frame)


def region(x, y, width, height):
    """sensor_msgs/RegionOfInterest."""
    return BagWriter.types["sensor_msgs/msg/RegionOfInterest"](x, y, height, width, False)


def write_topics(path, topics, count=3):
    """A recording of `count` messages at 10 Hz on each topic, or of another number: (type, make, number)."""
    with BagWriter(path) as bag:
        for name, (kind, *_) in topics.items():
            bag.add_topic(name, kind)
        for i in range(max([count, *(rest[0] for _, _, *rest in topics.values() if rest)])):
            at = START_NS + i * TENTH
            for name, (_, make, *number) in topics.items():
                if i < (number or [count])[0]:
                    bag.write(name, at, make(at))
    return str(path)


def cameras_of(path):
    """The streams of the cameras of a recording."""
    with Recording(path) as recording:
        return image_streams(recording)
