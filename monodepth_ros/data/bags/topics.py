# SPDX-License-Identifier: Apache-2.0
"""Camera images of a recording, and the calibration that belongs to them."""

from dataclasses import dataclass, replace

from monodepth_ros.data.bags.recording import Recording, RecordingError, Topic
from monodepth_ros.data.bags.video_types import COMPRESSED_VIDEO, FFMPEG_PACKET
from monodepth_ros.data.video_stream.codecs import codec_of, original_encoding
from monodepth_ros.data.video_stream.packets import frame_id, is_video

IMAGE = "sensor_msgs/msg/Image"
COMPRESSED_IMAGE = "sensor_msgs/msg/CompressedImage"
CAMERA_INFO = "sensor_msgs/msg/CameraInfo"
DEPTH_ENCODINGS = ("32FC1", "16UC1")


VIDEO_TYPES = (FFMPEG_PACKET, COMPRESSED_VIDEO)
IMAGE_TYPES = (IMAGE, COMPRESSED_IMAGE, *VIDEO_TYPES)

RAW, COMPRESSED, VIDEO = KINDS = "raw", "compressed", "video"  # in the order of preference
# What transports of video add to the name of an image topic.
VIDEO_TRANSPORTS = ("ffmpeg", "foxglove", "video", "compressed", "compressed_video")


@dataclass(frozen=True)
class ImageStream:
    """Topics of one camera. camera_info: '' if no camera_info of the recording belongs to the image topic.

    kind: RAW (sensor_msgs/Image), COMPRESSED (each message holds a whole picture) or VIDEO (a message needs the ones
    before it).
    """

    image: str
    camera_info: str
    kind: str

    @property
    def compressed(self) -> bool:
        return self.kind == COMPRESSED


def image_streams(recording: Recording) -> list[ImageStream]:
    """All cameras of the recording, without depth images; raw rather than compressed rather than video, if a camera has
    several."""
    streams: dict[str, ImageStream] = {}
    for topic in recording.topics.values():
        if topic.type not in IMAGE_TYPES or not topic.count or is_depth(recording, topic.name):
            continue
        kind = _kind(recording, topic)
        base = _base_name(topic.name, kind)
        if base not in streams or KINDS.index(kind) < KINDS.index(streams[base].kind):
            streams[base] = ImageStream(topic.name, matching_camera_info(recording, topic.name, base), kind)
    return list(streams.values())


def choose_image_stream(recording: Recording, topic: str = "", camera_info: str = "") -> ImageStream:
    """The camera to use: the one on `topic`, or else the only one of the recording.

    Raises RecordingError if there is no camera or more than one (the message then lists options to paste), if `topic`
    is not an image topic, and if `camera_info` is not a calibration topic.
    """
    if topic:
        stream = _named_stream(recording, topic)
    else:
        streams = image_streams(recording)
        if not streams:
            raise RecordingError(f"{recording.path} has no camera images: its topics are {_listing(recording)}")
        if len(streams) > 1:
            choices = " or ".join(f"--topic {stream.image}" for stream in streams)
            raise RecordingError(f"{recording.path} has {len(streams)} image topics, choose one: {choices}")
        stream = streams[0]
    if camera_info:
        info = recording.topic(camera_info)
        if info.type != CAMERA_INFO:
            raise RecordingError(f"topic {info.name} holds {info.type}, expected {CAMERA_INFO}")
        return replace(stream, camera_info=info.name)
    return stream


def is_depth(recording: Recording, name: str) -> bool:
    """Whether the images are depth. That takes a look at a message, because ROS has no message type for depth."""
    topic = recording.topics[name]
    if topic.type in VIDEO_TYPES:
        return original_encoding(getattr(recording.first(name), "encoding", "")) in DEPTH_ENCODINGS
    if topic.type == COMPRESSED_IMAGE:
        if name.endswith("/compressedDepth"):
            return True
        format = recording.first(name).format
        return "compressedDepth" in format or format.startswith(DEPTH_ENCODINGS)
    return topic.count > 0 and recording.first(name).encoding in DEPTH_ENCODINGS


def matching_camera_info(recording: Recording, image: str, base: str) -> str:
    """The camera_info beside the image topic (image_transport's rule), or else the only one of the same frame."""
    infos = [t.name for t in recording.topics.values() if t.type == CAMERA_INFO and t.count]
    for name in (base, image):
        sibling = f"{name.rpartition('/')[0]}/camera_info"
        if sibling in infos:
            return sibling
    if not infos:
        return ""
    frame = frame_id(recording.first(image))
    same_frame = [name for name in infos if recording.first(name).header.frame_id == frame]
    return same_frame[0] if len(same_frame) == 1 else ""


def _named_stream(recording: Recording, name: str) -> ImageStream:
    topic = recording.topic(name)
    if topic.type not in IMAGE_TYPES:
        raise RecordingError(f"topic {topic.name} holds {topic.type}, expected {' or '.join(IMAGE_TYPES)}")
    if not topic.count:
        raise RecordingError(f"topic {topic.name} of {recording.path} has no messages")
    kind = _kind(recording, topic)
    base = _base_name(topic.name, kind)
    return ImageStream(topic.name, matching_camera_info(recording, topic.name, base), kind)


def _kind(recording: Recording, topic: Topic) -> str:
    if topic.type in VIDEO_TYPES or is_video(recording.first(topic.name)):
        return VIDEO
    return COMPRESSED if topic.type == COMPRESSED_IMAGE else RAW


def _base_name(name: str, kind: str) -> str:
    if kind == VIDEO:
        base, _, last = name.rpartition("/")
        return base if last in VIDEO_TRANSPORTS or codec_of(last) else name
    return name.removesuffix("/compressed") if kind == COMPRESSED else name


def _listing(recording: Recording) -> str:
    return ", ".join(f"{t.name} ({t.type})" for t in recording.topics.values()) or "none at all"
