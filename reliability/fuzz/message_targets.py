# SPDX-License-Identifier: Apache-2.0
"""Targets: messages as a recording or the middleware brings them, in CDR."""

import io
import struct
from fractions import Fraction
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from hypothesis import strategies as st

from monodepth_ros.data.bags import messages
from monodepth_ros.data.bags.types import Ros2Types, common_types
from monodepth_ros.data.cameras.info_camera import ImagesOf, camera_of_info
from monodepth_ros.data.depth.cloud_depth import cloud_points, depth_of_points
from monodepth_ros.data.depth.compressed_depth import decode_compressed_depth
from monodepth_ros.data.depth.depth_codec import decode_depth
from monodepth_ros.data.depth.rvl import encode_rvl
from monodepth_ros.data.images.image_codec import ImageDecoder
from monodepth_ros.geometry.camera import CameraModel
from reliability.fuzz.mutations import ODD_WORDS, damaged
from reliability.fuzz.target import Target

CAMERA = CameraModel.pinhole(64, 48, 40.0, 40.0, 31.5, 23.5)
PICTURE = cv2.GaussianBlur(np.random.default_rng(3).integers(0, 255, (48, 64, 3), np.uint8), (0, 0), 2)
TYPES = common_types().types
NUMBERS = st.one_of(st.sampled_from((0, 1, 2, 3, 47, 63, 64, 192, 65_535, 2**31, 2**32 - 1)), st.integers(0, 2**32 - 1))
_NAMES = (
    *("rgb8", "bgr8", "rgba8", "mono8", "mono16", "bayer_rggb8", "bayer_gbrg16", "yuv422", "yuv422_yuy2", "nv12"),
    *("nv21", "nv24", "8UC1", "8UC3", "16UC1", "32FC1", "jpeg", "png", "h264", "rgb8; jpeg compressed bgr8"),
)
ENCODINGS = st.sampled_from((*_NAMES, *(word for word in ODD_WORDS if "\0" not in word)))


def to_cdr(message: Any) -> bytes:
    """A message's bytes."""
    return bytes(common_types().serialize_cdr(message, message.__msgtype__))


def from_cdr(file: Path, name: str) -> Any:
    """The message in a file, as a recording's reader gives it. Raises RecordingError."""
    return Ros2Types([]).deserialize(file.read_bytes(), name)


def header() -> Any:
    """A header."""
    return messages.header(10**18, "camera")


def image(encoding: str, width: int, height: int, step: int, data: bytes) -> Any:
    """sensor_msgs/Image of these fields."""
    facts = dict(height=height, width=width, encoding=encoding, is_bigendian=0, step=step)
    return TYPES["sensor_msgs/msg/Image"](header=header(), data=np.frombuffer(data, np.uint8), **facts)


@st.composite
def images(draw) -> bytes:
    """Images whose fields do not fit, and damaged bytes of good ones."""
    plain = [
        image("rgb8", 64, 48, 192, PICTURE.tobytes()),
        image("mono16", 64, 48, 128, bytes(2 * 64 * 48)),
        image("32FC1", 64, 48, 256, np.ones((48, 64), np.float32).tobytes()),
        image("jpeg", 64, 48, 0, cv2.imencode(".jpg", PICTURE)[1].tobytes()),
    ]
    if draw(st.booleans()):
        return draw(damaged([to_cdr(message) for message in plain]))
    data = draw(st.sampled_from([bytes(message.data) for message in plain]))
    width, height = draw(st.one_of(st.just(64), NUMBERS)), draw(st.one_of(st.just(48), NUMBERS))
    step = draw(st.one_of(st.sampled_from((64, 128, 192)), NUMBERS))
    return to_cdr(image(draw(ENCODINGS), width, height, step, data[: draw(st.integers(0, len(data)))]))


def read_image(file: Path) -> None:
    """As a camera's image, and as depth."""
    message = from_cdr(file, "sensor_msgs/msg/Image")
    if "FC" in message.encoding or "16U" in message.encoding:
        decode_depth(message)
        return
    decoder = ImageDecoder()
    decoder.needs_sample(message)
    decoder.learn([message])
    decoder.decode(message)


def pictures() -> list[bytes]:
    """Small pictures of every compressed format."""
    grey = PICTURE[..., 0]
    made = [cv2.imencode(ending, PICTURE)[1] for ending in (".jpg", ".png", ".webp", ".tiff", ".bmp")]
    made += [cv2.imencode(".png", grey.astype(np.uint16) * 257)[1], cv2.imencode(".tiff", grey.astype(np.float32))[1]]
    return [array.tobytes() for array in made]


@st.composite
def compressed_images(draw) -> bytes:
    """Damaged pictures, and damaged messages of them."""
    data = draw(st.one_of(damaged(pictures()), st.sampled_from(pictures())))
    format = draw(st.one_of(ENCODINGS, st.sampled_from(("jpeg", "png", "tiff", "16UC1; compressedDepth png"))))
    message = to_cdr(messages.compressed_image(header(), format, np.frombuffer(data, np.uint8)))
    return message if draw(st.integers(0, 3)) else draw(damaged([message]))


def read_compressed_image(file: Path) -> None:
    """As a camera's image."""
    message = from_cdr(file, "sensor_msgs/msg/CompressedImage")
    decoder = ImageDecoder()
    decoder.needs_sample(message)
    decoder.decode(message)


@st.composite
def compressed_depths(draw) -> bytes:
    """Depth as PNG and RVL with damaged headers and bodies."""
    counts = (np.arange(48 * 64, dtype=np.uint16).reshape(48, 64) * 3) % 5000
    bodies = {"png": cv2.imencode(".png", counts)[1].tobytes(), "rvl": encode_rvl(counts).tobytes()}
    form = draw(st.sampled_from(("png", "rvl")))
    head = struct.pack("<iff", 0, draw(st.floats(width=32)), draw(st.floats(width=32)))
    body = draw(st.one_of(damaged([bodies[form]], head=16), st.just(bodies[form])))
    kind = draw(st.sampled_from(("16UC1", "32FC1", "mono16", "", "64FC1")))
    format = f"{kind}; compressedDepth {form}"
    return to_cdr(messages.compressed_image(header(), format, np.frombuffer(head + body, np.uint8)))


def read_compressed_depth(file: Path) -> None:
    """As reference depth."""
    with np.errstate(all="ignore"):
        decode_compressed_depth(from_cdr(file, "sensor_msgs/msg/CompressedImage"))


DOUBLES = st.one_of(st.floats(), st.sampled_from((0.0, -1.0, 1e-300, 1e300, 1e12, -500.0)))


@st.composite
def camera_infos(draw) -> bytes:
    """Calibrations with odd numbers, lengths, sizes and models, and damaged bytes of good ones."""
    info = messages.camera_info(header(), CAMERA)
    if draw(st.integers(0, 3)) == 0:
        return draw(damaged([to_cdr(info)]))
    for _ in range(draw(st.integers(1, 4))):
        kind = draw(st.sampled_from(("k", "r", "p", "d", "size", "model", "binning", "roi")))
        if kind in ("k", "r", "p"):
            values = np.array(getattr(info, kind))
            values[draw(st.integers(0, len(values) - 1))] = draw(DOUBLES)
            setattr(info, kind, values)
        elif kind == "d":
            info.d = np.array(draw(st.lists(DOUBLES, max_size=20)))
        elif kind == "size":
            info.width, info.height = draw(NUMBERS), draw(st.one_of(st.just(48), NUMBERS))
        elif kind == "model":
            names = ("equidistant", "fisheye", "rational_polynomial", "thin_prism_fisheye", "KANNALA_BRANDT4", "none")
            info.distortion_model = draw(st.sampled_from((*names, *(word for word in ODD_WORDS if "\0" not in word))))
        elif kind == "binning":
            info.binning_x, info.binning_y = draw(NUMBERS), draw(NUMBERS)
        else:
            info.roi.width, info.roi.height = draw(NUMBERS), draw(NUMBERS)
            info.roi.x_offset, info.roi.y_offset = draw(NUMBERS), draw(NUMBERS)
    return to_cdr(info)


def read_camera_info(file: Path) -> None:
    """As the calibration of images, whose rays are then computed as for every new camera."""
    message = from_cdr(file, "sensor_msgs/msg/CameraInfo")
    for size in ((64, 48), None):
        camera = camera_of_info(message, ImagesOf("/camera/image_raw", "/camera/camera_info", size=size)).model
        if camera is not None and camera.is_calibrated:
            camera.project(np.array([[0.1, 0.1, 1.0], [0.0, 0.0, -1.0], [2.0, 0.5, 1.0]]))


@st.composite
def clouds(draw) -> bytes:
    """Clouds whose steps, fields and sizes do not fit, and damaged bytes of good ones."""
    points = np.zeros((4, 8), [("x", "f4"), ("y", "f4"), ("z", "f4"), ("rgb", "f4")])
    points["x"], points["z"] = np.arange(8), 5.0
    cloud = messages.point_cloud(header(), points, is_dense=True)
    if draw(st.booleans()):
        return draw(damaged([to_cdr(cloud)]))
    for name in draw(st.lists(st.sampled_from(("width", "height", "point_step", "row_step")), max_size=4)):
        setattr(cloud, name, draw(NUMBERS))
    if draw(st.booleans()):
        field = draw(st.sampled_from(cloud.fields))
        field.offset, field.datatype = draw(NUMBERS), draw(st.integers(0, 255))
        field.name = draw(st.sampled_from(("x", "y", "z", "", "x" * 300)))
    cloud.data = cloud.data[: draw(st.integers(0, len(cloud.data)))]
    return to_cdr(cloud)


def read_cloud(file: Path) -> None:
    """As a LiDAR's points in the camera's image."""
    depth_of_points(cloud_points(from_cdr(file, "sensor_msgs/msg/PointCloud2")), np.eye(4), CAMERA)


def other_messages() -> list[tuple[str, bytes]]:
    """Type and bytes of messages of a robot."""
    T = np.eye(4)
    made = [
        messages.odometry(header(), "base_link", T, np.eye(6), np.zeros(6), np.eye(6)),
        messages.transforms([messages.transform_stamped(header(), "base_link", T)]),
        messages.imu(header(), (0.0, 0.0, 0.1), 1e-4),
        messages.path(header(), [messages.pose_stamped(header(), T)]),
    ]
    return [(message.__msgtype__, to_cdr(message)) for message in made]


@st.composite
def other_cdr(draw) -> bytes:
    """The name of a type, a line break, and damaged bytes of a message of it or of another type."""
    samples = other_messages()
    name = draw(st.sampled_from([name for name, _ in samples]))
    return name.encode() + b"\n" + draw(damaged([data for _, data in samples]))


def read_other_cdr(file: Path) -> None:
    """As a message of the stated type."""
    name, _, data = file.read_bytes().partition(b"\n")
    Ros2Types([]).deserialize(data, name.decode(errors="replace"))


@st.composite
def video(draw) -> bytes:
    """A stream of packets, some of them damaged, each with its length before it."""
    packets = _stream(draw(st.sampled_from(("libx264", "libx265"))))
    chosen = [draw(damaged([data])) if draw(st.integers(0, 4)) == 0 else data for data in packets]
    if draw(st.booleans()):
        del chosen[draw(st.integers(0, len(chosen) - 1))]
    format = draw(st.sampled_from((b"h264", b"hevc", b"av1", b"vp9")))
    return b"".join(struct.pack("<4sI", format[:4], len(data)) + data for data in chosen)


_STREAMS: dict[str, list[bytes]] = {}


def _stream(encoder: str) -> list[bytes]:
    import av

    if encoder not in _STREAMS:
        try:
            context = av.CodecContext.create(encoder, "w")
        except Exception:  # FFmpeg of another build
            return [b"\0\0\0\1\x67" + bytes(20)] * 3
        context.width, context.height, context.pix_fmt, context.thread_count = 64, 48, "yuv420p", 1
        context.time_base, context.framerate, context.gop_size = Fraction(1, 10), Fraction(10), 4
        context.options = {"preset": "ultrafast", "x265-params": "log-level=none:bframes=0", "tune": "zerolatency"}
        packets = []
        for number in range(8):
            frame = av.VideoFrame.from_ndarray(np.roll(PICTURE, 3 * number, axis=1), format="rgb24")
            packets += context.encode(frame)
        _STREAMS[encoder] = [bytes(packet) for packet in [*packets, *context.encode(None)]]
    return _STREAMS[encoder]


def read_video(file: Path) -> None:
    """As the packets of a camera."""
    from monodepth_ros.data.video_stream.colors import to_pixels
    from monodepth_ros.data.video_stream.decoder import StreamDecoder
    from monodepth_ros.data.video_stream.packets import PacketParser

    stream, parser, decoder = io.BytesIO(file.read_bytes()), PacketParser(), StreamDecoder()
    kind = TYPES["foxglove_msgs/msg/CompressedVideo"]
    number = 0
    while head := stream.read(8):
        name, length = struct.unpack("<4sI", head.ljust(8, b"\0"))
        data = np.frombuffer(stream.read(min(length, 1 << 20)), np.uint8)
        message = kind(header().stamp, "camera", data, name.rstrip(b"\0").decode(errors="replace"))
        number += 1
        for outcome in decoder.feed(parser.parse(message), number):
            if outcome.frame is not None:
                to_pixels(outcome.frame)
    decoder.flush()


TARGETS = {
    "image": Target(images, read_image, "message.cdr"),
    "compressed_image": Target(compressed_images, read_compressed_image, "message.cdr"),
    "compressed_depth": Target(compressed_depths, read_compressed_depth, "message.cdr"),
    "camera_info": Target(camera_infos, read_camera_info, "message.cdr"),
    "cloud": Target(clouds, read_cloud, "message.cdr"),
    "cdr": Target(other_cdr, read_other_cdr, "message.cdr"),
    "video": Target(video, read_video, "packets.bin"),
}
