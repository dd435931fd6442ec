# SPDX-License-Identifier: Apache-2.0
"""Small storage files of every kind, written by the tests of recordings: each message is a number as text."""

from contextlib import contextmanager

from mcap.writer import CompressionType, Writer
from rosbags.typesys import Stores, get_typestore

from monodepth_ros.data.bags.recording import Recording
from monodepth_ros.data.bags.writer import BagWriter

START_NS = 1_700_000_000_000_000_000
TENTH = 100_000_000
STRING = "std_msgs/msg/String"
ROS2, ROS1 = get_typestore(Stores.ROS2_JAZZY), get_typestore(Stores.ROS1_NOETIC)
TYPES = BagWriter.types


def cdr(number):
    return bytes(ROS2.serialize_cdr(TYPES[STRING](str(number)), STRING))


def ros1(number):
    return bytes(ROS1.serialize_ros1(ROS1.types[STRING](str(number)), STRING))


class Mcap:
    """A writer of channels with any encoding. `add` takes a topic, the tenth of a second and the message."""

    def __init__(self, writer):
        self._writer, self._channels, self._schemas = writer, {}, {}

    def channel(self, topic, encoding="cdr", schema=("ros2msg", STRING, b"string data\n"), metadata=None):
        number = 0
        if schema is not None:
            format, name, data = schema
            if schema not in self._schemas:
                self._schemas[schema] = self._writer.register_schema(name, format, data)
            number = self._schemas[schema]
        self._channels[topic] = self._writer.register_channel(topic, encoding, number, metadata or {})

    def add(self, topic, tenth, data):
        if topic not in self._channels:
            self.channel(topic)
        stamp_ns = START_NS + tenth * TENTH
        self._writer.add_message(self._channels[topic], stamp_ns, data, stamp_ns)


@contextmanager
def mcap(path, profile="ros2", **options):
    """An open Mcap; without compression and with chunks of one or two messages unless told otherwise."""
    with path.open("wb") as file:
        writer = Writer(file, **{"chunk_size": 60, "compression": CompressionType.NONE, **options})
        writer.start(profile=profile, library="test")
        yield Mcap(writer)
        writer.finish()


def write_mcap(path, tenths=range(10), topics=("/numbers",), **options):
    """A recording with the number of its tenth of a second in every message."""
    with mcap(path, **options) as file:
        for tenth in tenths:
            for topic in topics:
                file.add(topic, tenth, cdr(tenth))
    return path


def write_bag(path, tenths=range(10), topics=("/numbers",), storage="", compress=False):
    """The same as a bag of rosbags."""
    with BagWriter(path, storage, compress) as bag:
        for topic in topics:
            bag.add_topic(topic, STRING)
        for tenth in tenths:
            for topic in topics:
                bag.write_raw(topic, START_NS + tenth * TENTH, cdr(tenth))
    return path


def numbers(path, *topics):
    """The numbers in a recording, in the order that they are read in."""
    with Recording(path) as recording:
        return [int(message.data) for _, _, message in recording.read(topics or None)]


def notes(path):
    """The recording's notes as one text."""
    with Recording(path) as recording:
        return "\n".join(recording.notes)


def state(folder):
    """What is in a folder, to find out whether anything has changed it."""
    files = sorted(folder.rglob("*"))
    return [(file, file.stat().st_size, file.stat().st_mtime_ns) for file in files if file.is_file()]
