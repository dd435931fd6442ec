# SPDX-License-Identifier: Apache-2.0
"""A long MCAP recording whose images are holes: its size is that of a real one, its place on disk is not."""

from pathlib import Path
from struct import Struct
from typing import BinaryIO

import numpy as np
from mcap.data_stream import RecordBuilder
from mcap.opcode import Opcode
from mcap.records import Channel, ChunkIndex, DataEnd, Footer, Header, Schema, Statistics
from rosbags.typesys import Stores, get_typestore

from monodepth_ros.data.bags import messages
from monodepth_ros.geometry.camera import CameraModel

MAGIC = b"\x89MCAP0\r\n"
SIZE = (640, 480)
CAMERA = (0.9, 1.2, 0.5, 0.5)  # normalised intrinsics
START_NS, PERIOD_NS = 1_750_000_000_000_000_000, 33_333_333
IMAGE, INFO, IMU = "sensor_msgs/msg/Image", "sensor_msgs/msg/CameraInfo", "sensor_msgs/msg/Imu"
_RECORD, _MESSAGE = Struct("<BQ"), Struct("<HIQQ")
_CHUNK = Struct("<QQQII")
_INDEX = Struct("<BQHIQQ")


class SparseRecording:
    """Writes the recording: a camera, its calibration and IMUs, one message of each topic in every chunk.

    As recorders do by default, chunks are not compressed and have message indexes.
    """

    def __init__(self, path: Path, topics: int, size: int) -> None:
        self._store = get_typestore(Stores.ROS2_JAZZY)
        self._names = ["/camera/image_raw", "/camera/camera_info", *(f"/imu_{i}" for i in range(topics - 2))]
        self._types = [IMAGE, INFO] + [IMU] * (topics - 2)
        template, self._times, self._hole = self._template()
        with path.open("wb") as file:
            self._write(file, template, size)

    def _template(self) -> tuple[bytearray, list[int], int]:
        """A chunk's content up to the image's pixels, the places of its messages in it, the bytes of the pixels."""
        header = messages.header(START_NS, "camera")
        camera = CameraModel.from_normalized(*SIZE, CAMERA)
        hole = SIZE[0] * SIZE[1] * 3
        pixels = np.zeros((SIZE[1], SIZE[0], 3), np.uint8)
        image = self._bytes(messages.image(header, pixels, "rgb8"), IMAGE)
        others = [self._bytes(messages.camera_info(header, camera, True), INFO)]
        others += [self._bytes(messages.imu(header, (0.0, 0.0, 0.0), 0.1), IMU)] * (len(self._names) - 2)
        content, places = bytearray(), []
        for channel, data in [*enumerate(others, 1), (0, image)]:
            places.append(len(content))
            content += _RECORD.pack(Opcode.MESSAGE, _MESSAGE.size + len(data)) + _MESSAGE.pack(channel, 0, 0, 0) + data
        return content[: len(content) - hole], places, hole

    def _bytes(self, message: object, kind: str) -> bytes:
        return bytes(self._store.serialize_cdr(message, kind))

    def _write(self, file: BinaryIO, template: bytearray, size: int) -> None:
        file.write(MAGIC + _built(Header("ros2", "bench")) + self._definitions())
        indexes, length, time = [], len(template) + self._hole, START_NS
        while file.tell() < size:
            for place in self._times:
                _MESSAGE.pack_into(template, place + _RECORD.size, self._channel(template, place), 0, time, time)
            start = file.tell()
            file.write(_RECORD.pack(Opcode.CHUNK, _CHUNK.size + 8 + length))
            file.write(_CHUNK.pack(time, time, length, 0, 0) + length.to_bytes(8, "little") + template)
            file.seek(self._hole, 1)
            index_start, offsets, block = file.tell(), {}, bytearray()
            for place in self._times:
                channel = self._channel(template, place)
                offsets[channel] = index_start + len(block)
                block += _INDEX.pack(Opcode.MESSAGE_INDEX, 22, channel, 16, time, place)
            file.write(block)
            index = ChunkIndex(
                chunk_length=index_start - start, chunk_start_offset=start, compression="", compressed_size=length,
                message_end_time=time, message_index_length=len(block), message_index_offsets=offsets,
                message_start_time=time, uncompressed_size=length,
            )  # fmt: skip
            indexes.append(index)
            time += PERIOD_NS
        self._close(file, indexes, time - PERIOD_NS)

    def _close(self, file: BinaryIO, indexes: list[ChunkIndex], last: int) -> None:
        file.write(_built(DataEnd(0)))
        start, count, topics = file.tell(), len(indexes), len(self._names)
        counts = dict.fromkeys(range(topics), count)
        file.write(self._definitions())
        for index in indexes:
            file.write(_built(index))
        statistics = Statistics(
            attachment_count=0, channel_count=topics, channel_message_counts=counts, chunk_count=count,
            message_count=count * topics, message_end_time=last, message_start_time=START_NS, metadata_count=0,
            schema_count=3,
        )  # fmt: skip
        file.write(_built(statistics))
        file.write(_built(Footer(start, 0, 0)) + MAGIC)

    def _definitions(self) -> bytes:
        kinds = [IMAGE, INFO, IMU]
        texts = [self._store.generate_msgdef(kind, ros_version=2)[0].encode() for kind in kinds]
        records = [Schema(i, text, "ros2msg", kind) for i, (kind, text) in enumerate(zip(kinds, texts), 1)]
        schema = {kind: i for i, kind in enumerate(kinds, 1)}
        channels = [
            Channel(i, name, "cdr", {"offered_qos_profiles": ""}, schema[kind])
            for i, (name, kind) in enumerate(zip(self._names, self._types))
        ]
        return b"".join(map(_built, [*records, *channels]))

    @staticmethod
    def _channel(template: bytearray, place: int) -> int:
        return int.from_bytes(template[place + _RECORD.size : place + _RECORD.size + 2], "little")


def _built(record: object) -> bytes:
    builder = RecordBuilder()
    record.write(builder)
    return builder.end()
