# SPDX-License-Identifier: Apache-2.0
"""Which image topics of a recording are cameras: depth and masks never are, and one camera counts once."""

import numpy as np
import pytest
from camera_topics import (
    COLOUR,
    METRES,
    MILLIMETRES,
    THERMAL,
    cameras_of,
    colour,
    compressed,
    info,
    raw,
    write_topics,
)
from rosbags.rosbag2 import StoragePlugin, Writer
from rosbags.typesys import Stores, get_types_from_msg, get_typestore
from small_sources import START_NS, read

from monodepth_ros.data.bags import depth_status, messages
from monodepth_ros.data.bags.recording import Recording, RecordingError
from monodepth_ros.data.bags.writer import BagWriter
from monodepth_ros.data.cameras.image_names import base_name, camera_key, name_says
from monodepth_ros.data.cameras.topics import choose_image_stream, image_streams
from monodepth_ros.data.sources.open_source import open_source
from monodepth_ros.data.sources.reference_topics import depth_topics
from monodepth_ros.data.sources.source import SourceChoiceError, SourceOptions
from monodepth_ros.data.sources.stereo_partner import one_camera

DEPTH = {
    "16UC1 by the compressed transport": ("/c/aligned_depth_to_color/image_raw/compressed", "16UC1; png compressed "),
    "a bare PNG of 16 bits": ("/depth_camera/image/compressed", "png"),
    "compressedDepth": ("/c/depth/image_raw/compressedDepth", "16UC1; compressedDepth png"),
    "mono16 of a PNG": ("/c/Depth/data/compressed", "mono16; png compressed "),
    "float TIFF": ("/c/distances/compressed", "32FC1; tiff compressed "),
}
RAW_DEPTH = {
    "16UC1": ("/camera/depth/image_rect_raw", MILLIMETRES, "16UC1"),
    "mono16 of the RealSense recorder": ("/device_0/sensor_0/Depth_0/image/data", MILLIMETRES, "mono16"),
    "32FC1 under an odd name": ("/points/projected", METRES, "32FC1"),
    "mono16 without a name, by its holes": ("/sensor/data", MILLIMETRES, "mono16"),
    "registered": ("/camera/rgb/registered", MILLIMETRES, "16UC1"),
    "Z16": ("/azure/depth/image", MILLIMETRES, "Z16"),
}


@pytest.mark.parametrize("name", DEPTH)
def test_compressed_depth_is_never_the_camera(tmp_path, name):
    topic, form = DEPTH[name]
    holder = compressed(MILLIMETRES, form, "color")
    path = write_topics(tmp_path / "a.mcap", {"/c/color/image_raw/compressed": jpeg("color"), topic: holder})
    assert [stream.image for stream in cameras_of(path)] == ["/c/color/image_raw/compressed"]
    alone = write_topics(tmp_path / "b.mcap", {topic: holder})
    with pytest.raises(RecordingError, match=f"no camera images: {topic} is depth"), Recording(alone) as recording:
        choose_image_stream(recording)


@pytest.mark.parametrize("name", RAW_DEPTH)
def test_raw_depth_is_never_the_camera(tmp_path, name):
    topic, values, encoding = RAW_DEPTH[name]
    path = write_topics(tmp_path / "a.mcap", {topic: raw(values, encoding), "/z/image_raw": colour()})
    assert [stream.image for stream in cameras_of(path)] == ["/z/image_raw"]
    alone = write_topics(tmp_path / "b.mcap", {topic: raw(values, encoding)})
    assert cameras_of(alone) == []
    with Recording(alone) as recording:
        assert depth_topics(recording) == [topic]


def jpeg(frame="camera"):
    return compressed(COLOUR, "rgb8; jpeg compressed bgr8", frame, ".jpg")


@pytest.mark.parametrize(
    ("topic", "encoding", "is_said"),
    [
        ("/thermal/image_raw", "16UC1", False),
        ("/camera/infra1/image", "mono16", False),
        ("/camera/image_raw", "mono16", True),
    ],
)
def test_the_only_16_bit_camera_is_the_camera(tmp_path, topic, encoding, is_said):
    path = write_topics(tmp_path / "bag.mcap", {topic: raw(THERMAL, encoding), "/d/depth": raw(METRES, "32FC1")})
    assert [stream.image for stream in cameras_of(path)] == [topic]
    source, frames = read(path)
    assert len(frames) == 3
    notes = [note for note in source.notes if "16-bit images that do not look like depth" in note]
    assert bool(notes) == is_said, source.notes


def test_16_bit_images_beside_a_colour_camera_are_no_second_camera(tmp_path):
    topics = {"/cam/image_raw": colour(), "/cam/counts": raw(THERMAL, "mono16"), "/other/data": raw(THERMAL, "16UC1")}
    assert [stream.image for stream in cameras_of(write_topics(tmp_path / "bag.mcap", topics))] == ["/cam/image_raw"]


@pytest.mark.parametrize(
    ("topic", "holder"),
    [
        ("/stereo/disparity", raw(COLOUR[..., 0], "mono8")),
        ("/stereo/disparity_float", raw(METRES, "32FC1")),
        ("/camera/confidence/image", raw(METRES, "32FC1")),
        ("/camera/depth/color", raw(COLOUR, "rgb8")),
        ("/net/segmentation/image", raw(COLOUR[..., 0], "mono8")),
        ("/net/labels", raw(COLOUR, "bgr8")),
        ("/net/mask/compressed", compressed(COLOUR[..., 0], "mono8; png compressed ")),
        ("/detections/image", raw(COLOUR, "rgb8")),
        ("/oak/rgb/preview/image_raw", raw(COLOUR, "bgr8")),
    ],
)
def test_pictures_that_are_no_cameras_ask_no_question(tmp_path, topic, holder):
    path = write_topics(tmp_path / "bag.mcap", {"/z/image_raw": colour("z"), topic: holder})
    assert [stream.image for stream in cameras_of(path)] == ["/z/image_raw"]
    with Recording(path) as recording:
        assert depth_topics(recording) == []


def test_a_drawing_is_taken_for_want_of_a_camera_and_said_so(tmp_path):
    path = write_topics(tmp_path / "a.mcap", {"/detections/image": colour(), "/stereo/disparity": raw(METRES, "32FC1")})
    source, frames = read(path)
    assert source.stream.image == "/detections/image" and len(frames) == 3
    assert any("/detections/image: taken as the camera for want of another one" in note for note in source.notes)
    alone = write_topics(tmp_path / "b.mcap", {"/stereo/disparity": raw(COLOUR[..., 0], "mono8")})
    with pytest.raises(RecordingError, match="/stereo/disparity is none by its name"):
        read(alone)
    _, frames = read(alone, topic="/stereo/disparity")
    assert len(frames) == 3, "a named topic is taken all the same"


def test_colour_in_the_view_of_the_depth_camera_is_a_camera(tmp_path):
    path = write_topics(
        tmp_path / "bag.mcap", {"/rgb_to_depth/image_raw": raw(np.dstack([COLOUR, COLOUR[..., :1]]), "bgra8")}
    )
    assert [stream.image for stream in cameras_of(path)] == ["/rgb_to_depth/image_raw"]


def test_one_camera_under_several_names_is_asked_for_once(tmp_path):
    names = ("image_raw", "image_color", "image_mono", "image_rect", "image_rect_color")
    topics = {f"/camera/{name}": raw(COLOUR, "rgb8") for name in names}
    topics |= {"/camera/image_raw/compressed": jpeg(), "/camera/camera_info": info()}
    source, frames = read(write_topics(tmp_path / "bag.mcap", topics))
    assert source.stream.image == "/camera/image_raw" and len(frames) == 3
    (note,) = [note for note in source.notes if "of the same camera" in note]
    assert note.startswith("/camera/image_raw is used; /camera/image_color, ") and "/camera/image_mono" in note


def test_the_topic_with_the_images_is_preferred_to_one_with_a_few(tmp_path):
    topics = {"/camera/image_raw": (*colour(), 1), "/camera/image_rect_color": colour()}
    (stream,) = cameras_of(write_topics(tmp_path / "bag.mcap", topics, count=4))
    assert stream.image == "/camera/image_rect_color"


def test_two_cameras_are_asked_for_and_their_other_topics_are_not(tmp_path):
    topics = {
        f"/stereo/{side}/{name}": raw(COLOUR, "rgb8", f"{side}_optical")
        for side in ("left", "right")
        for name in ("image_raw", "image_rect")
    }
    topics["/stereo/depth"] = raw(METRES, "32FC1", "left_optical")
    path = write_topics(tmp_path / "bag.mcap", topics)
    with pytest.raises(SourceChoiceError, match="2 cameras") as caught:
        open_source(path)
    expected = ["/stereo/left/image_raw", "/stereo/right/image_raw"]
    assert caught.value.choices == [["--topic", topic] for topic in expected]
    options, note = one_camera(path, SourceOptions())
    assert options.topic == expected[0] and "2 cameras" in note


@pytest.mark.parametrize("topic", ["/depth_camera/image_raw", "/long_range_camera/image_raw"])
def test_a_camera_in_colour_is_not_left_out_for_the_name_of_its_device(tmp_path, topic):
    path = write_topics(tmp_path / "bag.mcap", {topic: colour("d"), "/rear/image_raw": colour("r")})
    assert len(cameras_of(path)) == 2


def test_cameras_of_one_frame_and_of_numbered_names_stay_apart(tmp_path):
    topics = {f"/{name}": colour("base") for name in ("wide/image", "narrow/image", "cam/image_0", "cam/image_1")}
    assert len(cameras_of(write_topics(tmp_path / "bag.mcap", topics))) == 4


@pytest.mark.parametrize(
    ("topic", "says"),
    [
        ("/camera/aligned_depth_to_color/image_raw", "depth"),
        ("/depth_to_rgb/image_raw", "depth"),
        ("/rgb_to_depth/image_raw", "colour picture"),
        ("/depth_camera/color/image_raw", "colour picture"),
        ("/camera/depth/color", "depth"),
        ("/device_0/sensor_0/Depth_0/image/data", "depth"),
        ("/device_0/sensor_0/Infrared_1/image/data", "grey picture"),
        ("/stereo/image_rect", "depth"),
        ("/camera/image_raw/compressedDepth", ""),
        ("/camera/image_raw", ""),
    ],
)
def test_a_name_says_what_the_pictures_are(topic, says):
    assert name_says(topic) == says


def test_names_of_one_camera_agree():
    same = (
        "/z/left/image_raw",
        "/z/left/image_rect_color/compressed",
        "/z/left/color/rect/image",
        "/z/left/image/ffmpeg",
    )
    assert len({camera_key(topic) for topic in same}) == 1
    assert camera_key("/z/right/image_raw") != camera_key("/z/left/image_raw")
    assert base_name("/a/image_raw/compressedDepth") == "/a/image_raw" and base_name("/compressed") == "/compressed"


def test_the_outputs_of_a_depth_node_are_no_cameras_beside_one(tmp_path):
    fields = BagWriter.types[depth_status.TYPE].__dataclass_fields__
    names = [n for n in fields if n not in ("header", "__msgtype__") and not n.isupper()]
    values = {name: "" if "str" in str(fields[name].type) else 0 for name in names}
    status = (depth_status.TYPE, lambda at: messages.status(messages.header(at, "c"), values))
    outputs = {
        "/depth/status": status,
        "/rgb/image_rect": colour("c"),
        "/depth/color": colour("c"),
        "/depth/image": raw(METRES, "32FC1", "c"),
    }
    path = write_topics(tmp_path / "a.mcap", {**outputs, "/usb_cam/image_raw": colour("c")})
    assert [stream.image for stream in cameras_of(path)] == ["/usb_cam/image_raw"]
    assert [stream.image for stream in cameras_of(write_topics(tmp_path / "b.mcap", outputs))] == ["/rgb/image_rect"]


PACKETS = {
    "ffmpeg_image_transport_msgs/msg/FFMPEGPacket": "std_msgs/Header header\nint32 width\nint32 height\n"
    "string encoding\nuint64 pts\nuint8 flags\nbool is_bigendian\nuint8[] data\n",
    "foxglove_msgs/msg/CompressedVideo": "builtin_interfaces/Time timestamp\nstring frame_id\nuint8[] data\n"
    "string format\n",
}


@pytest.mark.parametrize("kind", PACKETS)
def test_video_packets_are_a_camera_of_kind_video(tmp_path, kind):
    store = get_typestore(Stores.ROS2_HUMBLE)
    store.register(get_types_from_msg(PACKETS[kind], kind))
    stamp = store.types["builtin_interfaces/msg/Time"](START_NS // 10**9, 0)
    data = np.frombuffer(b"\0\0\0\1\x67", np.uint8)
    if kind.startswith("ffmpeg"):
        header = store.types["std_msgs/msg/Header"](stamp, "c")
        message = store.types[kind](header, 640, 480, "libx264", 0, 1, False, data)
    else:
        message = store.types[kind](stamp, "c", data, "h264")
    with Writer(tmp_path / "bag", version=9, storage_plugin=StoragePlugin.MCAP) as writer:
        topic = writer.add_connection("/camera/image_raw/ffmpeg", kind, typestore=store)
        writer.write(topic, START_NS, store.serialize_cdr(message, kind))
    (stream,) = cameras_of(tmp_path / "bag")
    assert (stream.image, stream.kind) == ("/camera/image_raw/ffmpeg", "video")


def test_a_stream_that_holds_whole_pictures_is_preferred_to_its_video(tmp_path):
    video = compressed(b"\0\0\0\1\x67", "h264")
    topics = {"/camera/image_raw/h264": video, "/camera/camera_info": info()}
    with Recording(write_topics(tmp_path / "a.mcap", topics)) as recording:
        (stream,) = image_streams(recording)
    assert (stream.image, stream.kind, stream.camera_info) == ("/camera/image_raw/h264", "video", "/camera/camera_info")
    (stream,) = cameras_of(write_topics(tmp_path / "b.mcap", {**topics, "/camera/image_raw/compressed": jpeg()}))
    assert (stream.image, stream.kind) == ("/camera/image_raw/compressed", "compressed")
    (stream,) = cameras_of(write_topics(tmp_path / "c.mcap", {"/c/image": raw(COLOUR[..., 0], "h264")}))
    assert stream.kind == "video"


@pytest.mark.parametrize("form", ["16UC1; jpeg compressed mono8", "16UC1; h264"])
def test_depth_that_was_turned_into_pictures_or_video_is_no_camera(tmp_path, form):
    path = write_topics(
        tmp_path / "bag.mcap", {"/sensor/data/compressed": compressed(COLOUR[..., 0], form, suffix=".jpg")}
    )
    assert cameras_of(path) == []


@pytest.mark.parametrize(
    ("colour_topic", "infrared"),
    [
        ("/camera/camera/color/image_raw", ("/camera/camera/infra1/image_rect_raw", "/camera/camera/infra2/image")),
        ("/rgb/image_raw", ("/ir/image_raw",)),
        ("/device_0/sensor_1/Color_0/image/data", ("/device_0/sensor_0/Infrared_1/image/data",)),
        ("/camera/color/image_raw", ("/camera/left_ir/image_raw", "/camera/right_ir/image_raw")),
        ("/kinect2/hd/image_color", ("/kinect2/sd/image_ir_rect",)),
    ],
)
@pytest.mark.parametrize("values", [COLOUR[..., 0], THERMAL], ids=["8 bits", "16 bits"])
def test_infrared_gives_way_to_the_colour_camera_of_its_device_and_can_be_named(
    tmp_path, colour_topic, infrared, values
):
    topics = {colour_topic: colour("rgb")}
    topics |= {t: raw(values, "mono8" if values.itemsize == 1 else "mono16", "ir") for t in infrared}
    path = write_topics(tmp_path / "bag.mcap", topics)
    source, _ = read(path)
    assert source.stream.image == colour_topic
    assert f"{', '.join(infrared)}: infrared of the same device, left out (--topic takes one)" in source.notes
    named, _ = read(path, topic=infrared[0])
    assert named.stream.image == infrared[0]


def test_infrared_of_another_device_or_alone_stays_a_camera(tmp_path):
    topics = {"/front/color/image_raw": colour("a"), "/rear/infra1/image": raw(THERMAL, "mono16", "b")}
    assert len(cameras_of(write_topics(tmp_path / "a.mcap", topics))) == 2
    pair = {f"/camera/infra{n}/image_rect_raw": raw(COLOUR[..., 0], "mono8", f"infra{n}") for n in (1, 2)}
    assert [stream.image for stream in cameras_of(write_topics(tmp_path / "b.mcap", pair))] == list(pair)


def test_the_first_of_several_cameras_is_none_of_16_bits(tmp_path):
    topics = {"/boson/thermal/image": raw(THERMAL, "16UC1", "t"), "/zed/left/image": colour("z")}
    path = write_topics(tmp_path / "bag.mcap", topics)
    options, note = one_camera(path, SourceOptions())
    assert options.topic == "/zed/left/image" and note.endswith("(--topic chooses)")


def test_pictures_made_from_those_of_a_camera_are_no_second_camera(tmp_path):
    pair = np.hstack([COLOUR, COLOUR])
    topics = {
        "/zed/left/image_rect_color": colour("left"),
        "/zed/stereo/image_rect_color": raw(pair, "rgb8", "left"),
        "/zed/rgb_to_depth/image": colour("depth"),
        "/zed/left/image_rect_color/compressed_throttle": jpeg("left"),
        "/zed/left/image_rect_color/compressed/republished": colour("left"),
    }
    assert [stream.image for stream in cameras_of(write_topics(tmp_path / "bag.mcap", topics))] == [
        "/zed/left/image_rect_color"
    ]


def test_inverse_depth_is_no_reference(tmp_path):
    topics = {"/camera/image_raw": colour(), "/net/inverse_depth": raw(METRES, "32FC1")}
    with Recording(write_topics(tmp_path / "bag.mcap", topics)) as recording:
        assert depth_topics(recording) == []


def test_floats_that_are_millimetres_are_no_reference_and_said_so(tmp_path):
    topics = {"/camera/image_raw": colour(), "/camera/depth/image": raw(MILLIMETRES.astype(np.float32), "32FC1")}
    source, _ = read(write_topics(tmp_path / "bag.mcap", topics))
    assert not source.has_reference_depth
    assert any("they look like millimetres" in note for note in source.notes), source.notes


@pytest.mark.parametrize(
    "topic", ["/apriltag/image", "/vins/image_track", "/detector/result_image", "/bev/image", "/yolo/dbg_image"]
)
def test_what_other_nodes_draw_is_no_second_camera(tmp_path, topic):
    path = write_topics(tmp_path / "bag.mcap", {topic: colour(), "/tracking_camera/image_raw": colour()})
    assert [stream.image for stream in cameras_of(path)] == ["/tracking_camera/image_raw"]


def test_panoramas_of_a_lidar_are_cameras_only_without_one(tmp_path):
    lidar = {f"/ouster/{name}_image": raw(THERMAL, "mono16", "lidar") for name in ("signal", "nearir", "reflec")}
    path = write_topics(tmp_path / "a.mcap", {**lidar, "/cam/image_raw": colour()})
    assert [stream.image for stream in cameras_of(path)] == ["/cam/image_raw"]
    assert len(cameras_of(write_topics(tmp_path / "b.mcap", lidar))) == 3


def test_depth_that_begins_with_black_images_is_depth(tmp_path):
    kind, values = raw(MILLIMETRES, "mono16")
    _, black = raw(np.zeros_like(MILLIMETRES), "mono16")
    topics = {"/x/data": (kind, lambda at: (black if at == START_NS else values)(at)), "/cam/image_raw": colour("c")}
    path = write_topics(tmp_path / "bag.mcap", topics)
    assert [stream.image for stream in cameras_of(path)] == ["/cam/image_raw"]
    with Recording(path) as recording:
        assert depth_topics(recording) == ["/x/data"]


def test_16_bit_images_that_do_not_look_like_depth_are_no_reference_unless_named(tmp_path):
    numbers = (np.arange(MILLIMETRES.size) % 8).astype(np.uint16).reshape(MILLIMETRES.shape)
    topics = {"/cam/image_raw": colour(), "/cam/ids": raw(numbers, "16UC1"), "/boson/data": raw(THERMAL, "16UC1")}
    path = write_topics(tmp_path / "bag.mcap", topics)
    source, _ = read(path)
    assert not source.has_reference_depth
    assert "/cam/ids: 16-bit images that are neither" in source.why_no_depth()
    source, _ = read(path, depth_topic="/cam/ids")
    assert source.has_reference_depth


def test_estimates_of_other_networks_are_no_reference_unless_named(tmp_path):
    topics = {"/cam/image_raw": colour(), "/depth_anything_v2/depth": raw(METRES, "32FC1")}
    path = write_topics(tmp_path / "bag.mcap", topics)
    source, _ = read(path)
    assert not source.has_reference_depth and "an estimate by its name" in source.why_no_depth()
    assert read(path, depth_topic="/depth_anything_v2/depth")[0].has_reference_depth
