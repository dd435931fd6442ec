# SPDX-License-Identifier: Apache-2.0
"""MCAP files as Foxglove's tools write them: no profile, zstd chunks, protobuf or JSON."""

import json

import cv2
import numpy as np
from foxglove_messages import json_message, protobuf, schema
from mcap.writer import CompressionType, Writer

START_NS, TENTH = 1_700_000_000_000_000_000, 100_000_000
WIDTH, HEIGHT = 64, 48
K = [50.0, 0, 32, 0, 50, 24, 0, 0, 1]
P = [50.0, 0, 32, 0, 0, 50, 24, 0, 0, 0, 1, 0]
# The optical frame of a camera that looks along x of base_link, as a quaternion.
FORWARD = {"x": -0.5, "y": 0.5, "z": -0.5, "w": 0.5}
MOUNT = {"x": 1.5, "z": 1.6}


class FoxgloveFile:
    """A new MCAP file: `with FoxgloveFile(path) as file: file.add(...)`. encoding: protobuf or json."""

    def __init__(self, path, encoding="protobuf"):
        self.path, self.encoding = path, encoding
        self._channels = {}

    def __enter__(self):
        self._stream = open(self.path, "wb")
        self._writer = Writer(self._stream, chunk_size=20_000, compression=CompressionType.ZSTD)
        self._writer.start(profile="", library="test")
        return self

    def __exit__(self, *_):
        self._writer.finish()
        self._stream.close()

    def add(self, topic, name, log_time_ns, **fields):
        """Append a message of a Foxglove schema. fields: as for `foxglove_messages.protobuf`."""
        make = {"protobuf": lambda: protobuf(name, **fields), "json": lambda: json_message(**fields)}
        self.add_raw(topic, log_time_ns, self.described(name), make[self.encoding]())

    def described(self, name):
        """Name, encoding and content of a schema."""
        if self.encoding == "protobuf":
            return f"foxglove.{name}", "protobuf", schema(name)
        return f"foxglove.{name}", "jsonschema", json.dumps({"title": f"foxglove.{name}", "type": "object"}).encode()

    def add_raw(self, topic, log_time_ns, described, data):
        """Append bytes. described: name, encoding and content of the schema."""
        if topic not in self._channels:
            name, encoding, content = described
            schema_id = self._writer.register_schema(name, encoding, content)
            kind = "json" if encoding == "jsonschema" else "protobuf"
            self._channels[topic] = self._writer.register_channel(topic, kind, schema_id)
        self._writer.add_message(self._channels[topic], log_time_ns, data, publish_time=log_time_ns)


def picture(value):
    """A grey image (H, W, 3) as the bytes of a JPEG file."""
    return cv2.imencode(".jpg", np.full((HEIGHT, WIDTH, 3), value, np.uint8))[1].tobytes()


def write_vehicle(path, encoding="protobuf", count=6, cameras=("cam_front", "cam_back")):
    """A vehicle at 5 m/s, like nuScenes' scenes in MCAP: cameras, LiDAR and radar at 10 Hz, all transforms on /tf.

    The LiDAR is in base_link's place and sees one point 10 m before cam_front. Image i is grey of 20 i. What they
    hold beside these has no counterpart in ROS: a map, a place on earth, an IMU in JSON.
    """
    points = np.array([(11.5, 0.0, 1.6, 7.0), (-20.0, 3.0, 1.0, 3.0)], "<f4")
    fields = [{"name": name, "offset": 4 * i, "type": 7} for i, name in enumerate(("x", "y", "z", "intensity"))]
    with FoxgloveFile(path, encoding) as file:
        file.add_raw("/map", START_NS, ("foxglove.SceneUpdate", "protobuf", b""), b"")
        for i in range(count):
            ns = START_NS + i * TENTH
            ego = {"parent_frame_id": "map", "child_frame_id": "base_link", "translation": {"x": 0.5 * i}}
            file.add("/tf", "FrameTransform", ns, stamp_ns=ns, **ego)
            for name in ("lidar_top", "radar_front"):
                mount = {"parent_frame_id": "base_link", "child_frame_id": name}
                file.add("/tf", "FrameTransform", ns, stamp_ns=ns, **mount)
                cloud = {"point_stride": 16, "fields": fields, "data": points.tobytes()}
                file.add(f"/{name}", "PointCloud", ns, stamp_ns=ns, frame_id=name, **cloud)
            for name in cameras:
                mount = {"parent_frame_id": "base_link", "child_frame_id": name, "translation": MOUNT}
                file.add("/tf", "FrameTransform", ns, stamp_ns=ns, rotation=FORWARD, **mount)
                image = {"frame_id": name, "format": "jpeg", "data": picture(20 * i % 256)}
                file.add(f"/{name}/image_rect_compressed", "CompressedImage", ns, stamp_ns=ns, **image)
                info = {"frame_id": name, "width": WIDTH, "height": HEIGHT, "K": K, "P": P}
                file.add(f"/{name}/camera_info", "CameraCalibration", ns, stamp_ns=ns, **info)
            pose = {"orientation": {"w": 1.0}}
            file.add("/pose", "PoseInFrame", ns, stamp_ns=ns, frame_id="base_link", pose=pose)
            file.add("/gps", "LocationFix", ns, latitude=1.3, longitude=103.8)
            file.add_raw("/imu", ns, ("IMU", "jsonschema", b'{"type": "object"}'), b'{"linear_accel": {"x": 0}}')
    return path
