# SPDX-License-Identifier: Apache-2.0
"""Foxglove's messages in protobuf and JSON as CDR of ROS 2 types."""

import base64
import json
import subprocess
import sys

import numpy as np
import pytest
from foxglove_messages import json_message, protobuf, schema

from monodepth_ros.data.bags.foxglove import MissingProtobufError, TranslationError, translator
from monodepth_ros.data.bags.types import common_types
from monodepth_ros.data.depth.cloud_depth import cloud_points
from monodepth_ros.data.images.image_codec import decode_compressed, decode_image
from monodepth_ros.geometry.camera import CameraModel

NOW = 1_700_000_000_123_456_789
QUARTER_TURN = {"z": np.sqrt(0.5), "w": np.sqrt(0.5)}  # about z


def read(translation, data, log_time_ns=0):
    """The ROS message that the bytes become."""
    return common_types().deserialize_cdr(translation.to_cdr(data, log_time_ns), translation.type)


def of_protobuf(name, log_time_ns=0, **fields):
    translation = translator("protobuf", "protobuf", f"foxglove.{name}", schema(name))
    return read(translation, protobuf(name, **fields), log_time_ns)


def of_json(name, log_time_ns=0, **fields):
    return read(translator("json", "jsonschema", name, b"{}"), json_message(**fields), log_time_ns)


def stamp_of(header):
    return header.stamp.sec * 10**9 + header.stamp.nanosec


IMAGE = np.arange(4 * 6 * 3, dtype=np.uint8).reshape(4, 6, 3)


@pytest.mark.parametrize("of", [of_protobuf, lambda name, **fields: of_json(f"foxglove.{name}", **fields)])
def test_a_raw_image_keeps_its_pixels_stamp_and_frame(of):
    image = of(
        "RawImage", stamp_ns=NOW, frame_id="camera", width=6, height=4, encoding="rgb8", step=18, data=IMAGE.tobytes()
    )
    assert (stamp_of(image.header), image.header.frame_id) == (NOW, "camera")
    pixels = decode_image(image)
    assert pixels.layout == "rgb"
    np.testing.assert_array_equal(pixels.array, IMAGE)


@pytest.mark.parametrize(
    ("encoding", "size"),
    [("mono8", 1), ("8UC3", 3), ("mono16", 2), ("bgra8", 4), ("bayer_rggb8", 1), ("yuv422_yuy2", 2), ("uyvy", 2)],
)
def test_a_raw_image_without_step_has_rows_without_padding(encoding, size):
    data = bytes(6 * 4 * size)
    image = of_protobuf("RawImage", width=6, height=4, encoding=encoding, data=data)
    assert (image.step, image.is_bigendian) == (6 * size, 0)
    assert decode_image(image).size == (6, 4)


def test_depth_of_32FC1_keeps_its_metres():
    depth = np.linspace(0.5, 20, 24, dtype="<f4").reshape(4, 6)
    image = of_protobuf("RawImage", width=6, height=4, encoding="32FC1", step=24, data=depth.tobytes())
    np.testing.assert_array_equal(image.data.view("<f4").reshape(4, 6), depth)


@pytest.mark.parametrize("of", [of_protobuf, lambda name, **fields: of_json(f"foxglove.{name}", **fields)])
def test_a_compressed_image_keeps_its_file(of):
    import cv2

    png = cv2.imencode(".png", IMAGE)[1].tobytes()
    image = of("CompressedImage", stamp_ns=NOW, frame_id="cam", format="png", data=png)
    assert (stamp_of(image.header), image.header.frame_id, image.format) == (NOW, "cam", "png")
    np.testing.assert_array_equal(decode_compressed(image).array, IMAGE)


@pytest.mark.parametrize("of", [of_protobuf, lambda name, **fields: of_json(f"foxglove.{name}", **fields)])
def test_a_video_packet_keeps_its_bytes_and_format(of):
    packet = of("CompressedVideo", stamp_ns=NOW, frame_id="cam", format="h264", data=b"\0\0\0\1abc")
    assert (packet.timestamp.sec, packet.timestamp.nanosec) == divmod(NOW, 10**9)
    assert (packet.frame_id, packet.format, packet.data.tobytes()) == ("cam", "h264", b"\0\0\0\1abc")


K = [500.0, 0, 320, 0, 510, 240, 0, 0, 1]
P = [400.0, 0, 300, 0, 0, 410, 230, 0, 0, 0, 1, 0]
R = [0.0, -1, 0, 1, 0, 0, 0, 0, 1]


@pytest.mark.parametrize("of", [of_protobuf, lambda name, **fields: of_json(f"foxglove.{name}", **fields)])
def test_a_calibration_keeps_its_matrices(of):
    D = [0.1, -0.2, 0.001, 0.002, 0.05]
    info = of(
        "CameraCalibration", frame_id="cam", width=640, height=480, distortion_model="plumb_bob", D=D, K=K, R=R, P=P
    )
    model = CameraModel.from_camera_info(info)
    assert (model.width, model.height, model.distortion_model) == (640, 480, "plumb_bob")
    for found, expected in ((model.K, K), (model.D, D), (model.R, R), (model.P, P)):
        np.testing.assert_array_equal(found.ravel(), expected)


def test_a_calibration_of_K_alone_is_a_pinhole():
    model = CameraModel.from_camera_info(of_protobuf("CameraCalibration", width=640, height=480, K=K))
    np.testing.assert_array_equal(model.K.ravel(), K)
    np.testing.assert_array_equal(model.P[:, :3], model.K)
    assert not model.D.any()


def test_a_calibration_with_a_wrong_count_of_numbers_is_an_error_of_one_line():
    with pytest.raises(TranslationError, match="field k has 3 values, expected 9"):
        of_protobuf("CameraCalibration", width=640, height=480, K=[500.0, 510, 320])


def test_transforms_keep_parent_child_and_values():
    mount = {"translation": {"x": 1.5, "z": -2.0}, "rotation": QUARTER_TURN}
    names = {"parent_frame_id": "base_link", "child_frame_id": "camera"}
    one = of_protobuf("FrameTransform", stamp_ns=NOW, **names, **mount)
    several = of_protobuf("FrameTransforms", transforms=[{**names, **mount}, {**names, **mount}], log_time_ns=NOW)
    as_json = of_json("foxglove.FrameTransform", stamp_ns=NOW, **names, **mount)
    assert [len(message.transforms) for message in (one, several, as_json)] == [1, 2, 1]
    for message in (one, several, as_json):
        found = message.transforms[-1]
        t, q = found.transform.translation, found.transform.rotation
        assert (found.header.frame_id, found.child_frame_id, stamp_of(found.header)) == ("base_link", "camera", NOW)
        assert (t.x, t.y, t.z) == (1.5, 0, -2)
        np.testing.assert_allclose((q.x, q.y, q.z, q.w), (0, 0, np.sqrt(0.5), np.sqrt(0.5)))


def test_a_transform_without_rotation_does_not_turn():
    q = of_protobuf("FrameTransform", parent_frame_id="a", child_frame_id="b").transforms[0].transform.rotation
    assert (q.x, q.y, q.z, q.w) == (0, 0, 0, 1)


def test_a_turn_by_half_a_circle_is_not_taken_for_a_missing_one():
    rotation = {"x": 1.0}  # w = 0 is not written in protobuf
    message = of_protobuf("FrameTransform", parent_frame_id="a", child_frame_id="b", rotation=rotation)
    q = message.transforms[0].transform.rotation
    assert (q.x, q.y, q.z, q.w) == (1, 0, 0, 0)


def test_poses_become_a_stamped_pose_and_a_pose_array():
    pose = {"position": {"x": 1.0, "y": 2.0}, "orientation": QUARTER_TURN}
    one = of_protobuf("PoseInFrame", stamp_ns=NOW, frame_id="map", pose=pose)
    several = of_protobuf("PosesInFrame", stamp_ns=NOW, frame_id="map", poses=[{}, pose])
    assert (stamp_of(one.header), one.header.frame_id) == (NOW, "map")
    for found in (one.pose, several.poses[1]):
        assert (found.position.x, found.position.y) == (1, 2)
        np.testing.assert_allclose((found.orientation.z, found.orientation.w), np.sqrt(0.5))
    assert several.poses[0].orientation.w == 1


@pytest.mark.parametrize("body", ["body_frame_id", "child_frame_id"])
def test_odometry_keeps_pose_velocity_and_covariance(body):
    message = of_json(
        "foxglove.Odometry",
        stamp_ns=NOW,
        frame_id="odom",
        **{body: "base_link"},
        pose={"position": {"x": 3}},
        linear_velocity={"x": 1.25},
        angular_velocity={"z": 0.5},
        pose_covariance=list(range(36)),
    )
    assert (message.header.frame_id, message.child_frame_id) == ("odom", "base_link")
    assert (message.pose.pose.position.x, message.twist.twist.linear.x, message.twist.twist.angular.z) == (3, 1.25, 0.5)
    np.testing.assert_array_equal(message.pose.covariance, np.arange(36))
    np.testing.assert_array_equal(message.twist.covariance, np.zeros(36))


POINTS = np.array([(1, 2, 3, 7, -5, 200), (4, 5, 6, 8, 5, 100)], "<f4,<f4,<f4,<u2,<i1,<u1")
FIELDS = [
    {"name": "x", "offset": 0, "type": 7},
    {"name": "y", "offset": 4, "type": 7},
    {"name": "z", "offset": 8, "type": 7},
    {"name": "ring", "offset": 12, "type": 3},
    {"name": "change", "offset": 14, "type": 2},
    {"name": "intensity", "offset": 15, "type": 1},
]


@pytest.mark.parametrize("of", [of_protobuf, lambda name, **fields: of_json(f"foxglove.{name}", **fields)])
def test_a_point_cloud_keeps_its_points_and_the_types_of_its_fields(of):
    cloud = of("PointCloud", stamp_ns=NOW, frame_id="lidar", point_stride=16, fields=FIELDS, data=POINTS.tobytes())
    assert (cloud.width, cloud.height, cloud.point_step, cloud.row_step) == (2, 1, 16, 32)
    np.testing.assert_array_equal(cloud_points(cloud), [(1, 2, 3), (4, 5, 6)])
    field = common_types().types["sensor_msgs/msg/PointField"]
    types = {item.name: item.datatype for item in cloud.fields}
    assert types["ring"] == field.UINT16 and types["change"] == field.INT8 and types["intensity"] == field.UINT8


def test_the_pose_of_a_point_cloud_moves_its_points_and_nothing_else():
    pose = {"position": {"x": 10.0}, "orientation": QUARTER_TURN}
    cloud = of_protobuf("PointCloud", pose=pose, point_stride=16, fields=FIELDS, data=POINTS.tobytes())
    np.testing.assert_allclose(cloud_points(cloud), [(8, 1, 3), (5, 4, 6)], atol=1e-6)
    assert [point[12:] for point in (cloud.data[:16].tobytes(), cloud.data[16:].tobytes())] == [
        POINTS[:1].tobytes()[12:],
        POINTS[1:].tobytes()[12:],
    ]


def test_an_incomplete_last_point_is_left_out():
    cloud = of_protobuf("PointCloud", point_stride=16, fields=FIELDS, data=POINTS.tobytes()[:-3])
    np.testing.assert_array_equal(cloud_points(cloud), [(1, 2, 3)])


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"point_stride": 0, "fields": []}, "stride of 0"),
        ({"point_stride": 10, "fields": FIELDS}, "'z' of a point cloud ends outside its point of 10 bytes"),
        (
            {"point_stride": 16, "fields": [{"name": "x", "offset": 0, "type": 0}]},
            "'x' of a point cloud has the unknown",
        ),
    ],
)
def test_an_impossible_point_cloud_is_an_error_of_one_line(fields, reason):
    with pytest.raises(TranslationError, match=reason):
        of_protobuf("PointCloud", data=POINTS.tobytes(), **fields)


@pytest.mark.parametrize(
    ("stamp", "expected"),
    [
        ({"sec": 5, "nsec": 6}, 5_000_000_006),
        ({"sec": 5, "nanosec": 6}, 5_000_000_006),
        ({"secs": 5, "nsecs": 6}, 5_000_000_006),
        ({"seconds": "5", "nanos": 6}, 5_000_000_006),
        ("2023-11-14T22:13:20.123456789Z", NOW),
        ("2023-11-14T23:13:20.123456789+01:00", NOW),
        ("2023-11-14T22:13:20Z", 1_700_000_000_000_000_000),
        (None, 77),
        ("yesterday", 77),
        ({"sec": 1_700_000_000_000, "nsec": 0}, 77),  # milliseconds by mistake: no ROS stamp can hold them
        ({"sec": -1, "nsec": 0}, 77),
    ],
)
def test_stamps_of_every_form_are_read_and_the_log_time_replaces_what_is_none(stamp, expected):
    message = of_json("foxglove.PoseInFrame", timestamp=stamp, log_time_ns=77)
    assert stamp_of(message.header) == expected


def test_a_protobuf_message_without_timestamp_has_the_log_time():
    assert stamp_of(of_protobuf("RawImage", log_time_ns=NOW).header) == NOW


def test_the_json_form_of_protobuf_is_read():
    """Its names are in camel case, its numbers may be text, its enumerations are names."""
    data = json.dumps(
        {
            "timestamp": "2023-11-14T22:13:20.123456789Z",
            "frameId": "lidar",
            "pointStride": "16",
            "fields": [{"name": name, "offset": 4 * i, "type": "FLOAT32"} for i, name in enumerate("xyz")],
            "data": base64.urlsafe_b64encode(POINTS.tobytes()).decode().rstrip("="),
        }
    ).encode()
    cloud = read(translator("json", "jsonschema", "foxglove.PointCloud", b""), data)
    assert (cloud.header.frame_id, stamp_of(cloud.header)) == ("lidar", NOW)
    np.testing.assert_array_equal(cloud_points(cloud), [(1, 2, 3), (4, 5, 6)])


@pytest.mark.parametrize(
    "name", ["foxglove.CompressedImage", "foxglove_msgs/CompressedImage", "foxglove_msgs/msg/CompressedImage"]
)
def test_a_json_schema_is_known_by_each_form_of_its_name(name):
    assert of_json(name, format="jpeg", data=b"abc").format == "jpeg"


@pytest.mark.parametrize(
    "text",
    ["/9j+4GFiYw==", "_9j-4GFiYw", "/9j+4G\\nFiYw==\\n", "data:image/jpeg;base64,/9j+4GFiYw=="],
    ids=["standard", "of URLs, without padding", "in lines", "a data URL"],
)
def test_base64_of_every_form_is_read(text):
    data = f'{{"format": "jpeg", "data": "{text}"}}'.encode()
    image = read(translator("json", "jsonschema", "foxglove.CompressedImage", b""), data)
    assert image.data.tobytes() == b"\xff\xd8\xfe\xe0abc"


def test_a_json_schema_is_known_by_its_title():
    title = json.dumps({"title": "foxglove.CompressedImage", "type": "object"}).encode()
    translation = translator("json", "jsonschema", "Image of the left camera", title)
    assert read(translation, json_message(format="jpeg", data=b"abc")).data.tobytes() == b"abc"


@pytest.mark.parametrize("name", ["sensor_msgs/msg/CompressedImage", "sensor_msgs/CompressedImage"])
@pytest.mark.parametrize("data", [base64.b64encode(b"\xff\xd8abc").decode(), [0xFF, 0xD8, *b"abc"]])
def test_ros_messages_in_json_are_read(name, data):
    message = {
        "header": {"seq": 3, "stamp": {"secs": 5, "nsecs": 6}, "frame_id": "cam"},
        "format": "jpeg",
        "data": data,
    }
    image = read(translator("json", "jsonschema", name, b"{}"), json.dumps(message).encode())
    assert (stamp_of(image.header), image.header.frame_id, image.format) == (5_000_000_006, "cam", "jpeg")
    assert image.data.tobytes() == b"\xff\xd8abc"


def test_a_ros_1_camera_info_in_json_is_read():
    message = {"width": 640, "height": 480, "distortion_model": "plumb_bob", "D": [], "K": K, "R": R, "P": P}
    info = read(translator("json", "", "sensor_msgs/CameraInfo", b""), json.dumps(message).encode(), NOW)
    np.testing.assert_array_equal(CameraModel.from_camera_info(info).P.ravel(), P)
    assert stamp_of(info.header) == NOW


def test_nested_ros_messages_in_json_are_read():
    transform = {"translation": {"x": 1, "y": 2, "z": 3}, "rotation": {"x": 0, "y": 0, "z": 1, "w": 0}}
    message = {"transforms": [{"header": {"frame_id": "a"}, "child_frame_id": "b", "transform": transform}]}
    found = read(translator("json", "jsonschema", "tf/tfMessage", b""), json.dumps(message).encode()).transforms[0]
    assert (found.child_frame_id, found.transform.translation.z, found.transform.rotation.z) == ("b", 3, 1)


def test_null_in_json_is_not_a_number():
    position = of_json("foxglove.PoseInFrame", pose={"position": {"x": None, "y": 1}}).pose.position
    assert np.isnan(position.x) and position.y == 1


@pytest.mark.parametrize(
    "channel",
    [
        ("protobuf", "protobuf", "foxglove.LocationFix", b""),
        ("protobuf", "protobuf", "Note", b"\xff\xfe"),
        ("flatbuffer", "flatbuffer", "foxglove.RawImage", b""),
        ("json", "jsonschema", "IMU", b'{"type": "object"}'),
        ("json", "jsonschema", "my_msgs/msg/Wheels", b"{}"),
        ("json", "", "", b""),
        ("json", "jsonschema", "Note", b"no JSON"),
        ("cdr", "ros2msg", "foxglove_msgs/msg/RawImage", b""),
        ("", "", "", b""),
    ],
)
def test_a_channel_without_counterpart_has_no_translator(channel):
    assert translator(*channel) is None


@pytest.mark.parametrize(
    ("encoding", "data"),
    [
        ("protobuf", b"\x0a\xff\xff\xff\xff\x0fabc"),
        ("protobuf", protobuf("CompressedImage", stamp_ns=NOW, data=b"x" * 500)[:-40]),
        ("protobuf", b"\xff" * 30),
        ("json", b'{"data": "abc'),
        ("json", b"[1, 2]"),
        ("json", b"\xff\xfe\x00"),
        ("json", b'{"data": {"type": "Buffer"}}'),
        ("json", b'{"data": [300]}'),
        ("json", b'{"data": "a"}'),
        ("json", b'{"data": "/9j?4A=="}'),
        ("json", b'{"frame_id": "a", "data": 5}'),
        ("json", b"[" * 100_000),
    ],
)
def test_a_damaged_message_is_an_error_of_one_line(encoding, data):
    schema_data = schema("CompressedImage") if encoding == "protobuf" else b""
    translation = translator(
        encoding, "protobuf" if encoding == "protobuf" else "jsonschema", "foxglove.CompressedImage", schema_data
    )
    with pytest.raises(TranslationError) as error:
        translation.to_cdr(data)
    assert "\n" not in str(error.value) and len(str(error.value)) > 10


@pytest.mark.parametrize(
    ("name", "fields"),
    [
        ("PosesInFrame", {"poses": [None]}),
        ("PosesInFrame", {"poses": {"x": 1}}),
        ("PointCloud", {"point_stride": "many"}),
        ("PointCloud", {"point_stride": 16, "fields": [7], "data": ""}),
        ("FrameTransform", {"translation": [1, 2, 3]}),
        ("FrameTransforms", {"transforms": ["a"]}),
        ("CameraCalibration", {"K": "none"}),
        ("CameraCalibration", {"width": 2**40}),
        ("RawImage", {"width": -1, "encoding": "mono8"}),
        ("RawImage", {"width": 4, "height": 3, "encoding": "secret"}),
    ],
)
def test_json_of_another_form_is_an_error_of_one_line(name, fields):
    with pytest.raises(TranslationError) as error:
        of_json(f"foxglove.{name}", **fields)
    assert "\n" not in str(error.value) and len(str(error.value)) < 250


@pytest.mark.parametrize("data", [b"\xff\xfe\x00", b""])
def test_damaged_descriptors_are_an_error_that_names_the_schema(data):
    with pytest.raises(TranslationError, match="schema of foxglove.RawImage is damaged"):
        translator("protobuf", "protobuf", "foxglove.RawImage", data)


def test_fields_that_a_newer_schema_has_are_ignored():
    extra = ("string uuid 20", "Pose pose 21")
    name = "CompressedImage"
    translation = translator("protobuf", "protobuf", f"foxglove.{name}", schema(name, extra))
    data = protobuf(name, extra, format="jpeg", data=b"abc", uuid="7", pose={"position": {"x": 1}})
    assert read(translation, data).data.tobytes() == b"abc"
    # The message may also be newer than the schema that the file holds.
    older = translator("protobuf", "protobuf", f"foxglove.{name}", schema(name))
    assert read(older, data).data.tobytes() == b"abc"


def test_a_schema_without_the_file_of_the_timestamp_is_read():
    schema_data = schema("RawImage", without_timestamp_file=True)
    translation = translator("protobuf", "protobuf", "foxglove.RawImage", schema_data)
    assert stamp_of(read(translation, protobuf("RawImage", stamp_ns=NOW)).header) == NOW


def test_two_files_may_define_one_message_differently():
    first = translator("protobuf", "protobuf", "foxglove.RawImage", schema("RawImage"))
    other = translator("protobuf", "protobuf", "foxglove.RawImage", schema("RawImage", ("string note 30",)))
    data = protobuf("RawImage", encoding="mono8", width=3)
    assert read(first, data).width == read(other, data).width == 3


def test_a_field_of_bytes_that_occurs_twice_counts_with_its_last_value():
    data = protobuf("CompressedImage", data=b"first", format="png") + protobuf("CompressedImage", data=b"second")
    translation = translator("protobuf", "protobuf", "foxglove.CompressedImage", schema("CompressedImage"))
    image = read(translation, data)
    assert (image.data.tobytes(), image.format) == (b"second", "png")


def test_without_protobuf_the_error_names_what_to_install():
    """Run in a process of its own, in which protobuf cannot be imported; JSON needs no library."""
    code = (
        "import sys; sys.modules['google.protobuf'] = None\n"
        "from monodepth_ros.data.bags.foxglove import MissingProtobufError, translator\n"
        "assert translator('json', 'jsonschema', 'foxglove.RawImage', b'').to_cdr(b'{}')\n"
        "try:\n    translator('protobuf', 'protobuf', 'foxglove.RawImage', b'')\n"
        "except MissingProtobufError as error:\n    print(error)\n"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=120)
    assert result.stdout.strip() == (
        "messages of foxglove.RawImage are in protobuf, which is not installed: pip install 'monodepth_ros[foxglove]'"
    )
    assert issubclass(MissingProtobufError, ValueError)
