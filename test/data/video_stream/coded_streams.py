# SPDX-License-Identifier: Apache-2.0
"""Small streams of every codec, encoded by PyAV, and recordings of them; without PyAV the tests are skipped."""

from fractions import Fraction
from typing import NamedTuple

import numpy as np
import pytest

from monodepth_ros.data.bags import messages
from monodepth_ros.data.bags.video_types import COMPRESSED_VIDEO, FFMPEG_PACKET
from monodepth_ros.data.bags.writer import BagWriter
from monodepth_ros.geometry.camera import CameraModel

av = pytest.importorskip("av", reason="PyAV is not installed")

START_NS, TENTH = 1_700_000_000_000_000_000, 100_000_000
WIDTH, HEIGHT = 64, 48
CAMERA = CameraModel.pinhole(WIDTH, HEIGHT, 40.0, 40.0, 31.5, 23.5)
TOPIC = "/camera/image_raw"
TRANSPORTS = ("ffmpeg", "foxglove", "compressed", "image")

# Encoder, its options, and number of pictures that may come out of order, by the name of a test.
LOW_DELAY = {"preset": "ultrafast", "tune": "zerolatency"}
X265 = "log-level=none:keyint=5:min-keyint=5"
ENCODERS = {
    "h264": ("libx264", LOW_DELAY, 0),
    "h264 out of order": ("libx264", {"preset": "medium"}, 3),
    "hevc": ("libx265", {"x265-params": f"{X265}:bframes=0"}, 0),
    "hevc out of order": ("libx265", {"x265-params": f"{X265}:bframes=3"}, 3),
    "av1": ("libsvtav1", {"preset": "8", "crf": "20", "svtav1-params": "lp=1"}, 0),
    "vp9": ("libvpx-vp9", {"deadline": "realtime", "cpu-used": "8", "lag-in-frames": "0"}, 0),
    "vp8": ("libvpx", {"deadline": "realtime", "cpu-used": "8", "lag-in-frames": "0"}, 0),
}
IN_ORDER = tuple(name for name in ENCODERS if "order" not in name)


class Coded(NamedTuple):
    """One packet as an encoder gave it. number: of its picture."""

    number: int
    is_key: bool
    data: bytes


def picture(number: int) -> np.ndarray:
    """An RGB image that shows its number in three bands of eight greys, see `number_in`; the lower part moves."""
    image = np.zeros((HEIGHT, WIDTH, 3), np.uint8)
    for band in range(3):
        image[8 * band : 8 * band + 8] = 30 * (number // 8**band % 8) + 16
    ramp = (np.arange(WIDTH) * 3 + 8 * number) % 200 + 20
    image[24:] = ramp[None, :, None]
    return image


def number_in(image: np.ndarray) -> int:
    """The number that an image shows."""
    return sum(8**band * round((float(image[8 * band + 2 : 8 * band + 6].mean()) - 16) / 30) for band in range(3))


def encode(name, count: int = 20, group: int = 5, pictures=None, pix_fmt: str = "yuv420p", **colors) -> list[Coded]:
    """A stream of `count` pictures with a key frame in `group` of them."""
    encoder, options, reordered = ENCODERS[name] if isinstance(name, str) else name
    pictures = pictures or [picture(i) for i in range(count)]
    try:
        context = av.CodecContext.create(encoder, "w")
    except Exception as error:  # FFmpeg of another build
        pytest.skip(f"PyAV has no {encoder}: {error}")
    context.height, context.width = pictures[0].shape[:2]
    context.pix_fmt, context.time_base, context.framerate = pix_fmt, Fraction(1, 10), Fraction(10)
    context.gop_size, context.max_b_frames = group, reordered
    if "crf" not in options:
        context.bit_rate = 2_000_000
    context.thread_count = 1
    context.options = options
    matrix, extent = colors.get("matrix", 0), colors.get("range", 0)
    if matrix:
        context.colorspace = matrix
    if extent:
        context.color_range = extent
    packets = []
    for i, image in enumerate(pictures):
        frame = av.VideoFrame.from_ndarray(image, format="rgb24")
        full = 2 if extent == 2 or pix_fmt.startswith("yuvj") else 1
        frame = frame.reformat(format=pix_fmt, dst_colorspace=matrix or 5, src_color_range=2, dst_color_range=full)
        frame.pts = i
        if matrix:
            frame.colorspace = matrix
        if extent:
            frame.color_range = extent
        packets += context.encode(frame)
    packets += context.encode(None)
    return [Coded(packet.pts, packet.is_keyframe, bytes(packet)) for packet in packets]


def message(transport: str, form: str, coded: Coded, frame: str = "camera_optical", interval_ns: int = TENTH):
    """The message of a packet; its stamp is that of its picture."""
    stamp_ns = START_NS + coded.number * interval_ns
    header = messages.header(stamp_ns, frame)
    data = np.frombuffer(coded.data, np.uint8)
    types = BagWriter.types
    if transport == "ffmpeg":
        kind, flags = types[FFMPEG_PACKET], int(coded.is_key)
        return kind(header, WIDTH, HEIGHT, f"lib{form}".replace("libh", "libx"), coded.number, flags, False, data)
    if transport == "foxglove":
        return types[COMPRESSED_VIDEO](header.stamp, frame, data, form)
    if transport == "image":
        return types["sensor_msgs/msg/Image"](header, HEIGHT, WIDTH, form, 0, 0, data)
    return messages.compressed_image(header, form, data)


def topic_of(transport: str) -> str:
    return TOPIC if transport == "image" else f"{TOPIC}/{transport}"


def write_stream(path, packets, transport="ffmpeg", form="h264", lost=()):
    """A recording of packets in their order, and a camera_info with each; `lost` numbers of packets are left out."""
    topic = topic_of(transport)
    with BagWriter(path) as bag:
        bag.add_topic("/camera/camera_info", "sensor_msgs/msg/CameraInfo")
        bag.add_topic(topic, message(transport, form, packets[0]).__msgtype__)
        for order, coded in enumerate(packets):
            at_ns = START_NS + order * TENTH
            header = messages.header(at_ns, "camera_optical")
            bag.write("/camera/camera_info", at_ns, messages.camera_info(header, CAMERA))
            if order not in lost:
                bag.write(topic, at_ns + 1000, message(transport, form, coded))
    return path
