# SPDX-License-Identifier: Apache-2.0
"""Camera images of a recording, and the calibration that belongs to them."""

from dataclasses import dataclass, replace

from monodepth_ros.data.bags.recording import Recording, RecordingError

IMAGE = "sensor_msgs/msg/Image"
COMPRESSED_IMAGE = "sensor_msgs/msg/CompressedImage"
CAMERA_INFO = "sensor_msgs/msg/CameraInfo"
DEPTH_ENCODINGS = ("32FC1", "16UC1")


RAW, COMPRESSED, VIDEO = "raw", "compressed", "video"


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
    """All cameras of the recording, without depth images; raw rather than compressed if a camera has both."""
    streams: dict[str, ImageStream] = {}
    for topic in recording.topics.values():
        if topic.type not in (IMAGE, COMPRESSED_IMAGE) or not topic.count or is_depth(recording, topic.name):
            continue
        compressed = topic.type == COMPRESSED_IMAGE
        base = _base_name(topic.name, compressed)
        if base not in streams or not compressed:
            streams[base] = ImageStream(
                topic.name, matching_camera_info(recording, topic.name, base), _kind(compressed)
            )
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
    if topic.type == COMPRESSED_IMAGE:
        if name.endswith("/compressedDepth"):
            return True
        format = recording.first(name).format
        return "compressedDepth" in format or format.startswith(DEPTH_ENCODINGS)
    return topic.count > 0 and recording.first(name).encoding in DEPTH_ENCODINGS


def matching_camera_info(recording: Recording, image: str, base: str) -> str:
    """The camera_info beside the image topic (image_transport's rule), or else the only one of the same frame."""
    infos = [t.name for t in recording.topics.values() if t.type == CAMERA_INFO and t.count]
    sibling = f"{base.rpartition('/')[0]}/camera_info"
    if sibling in infos:
        return sibling
    if not infos:
        return ""
    frame = recording.first(image).header.frame_id
    same_frame = [name for name in infos if recording.first(name).header.frame_id == frame]
    return same_frame[0] if len(same_frame) == 1 else ""


def _named_stream(recording: Recording, name: str) -> ImageStream:
    topic = recording.topic(name)
    if topic.type not in (IMAGE, COMPRESSED_IMAGE):
        raise RecordingError(f"topic {topic.name} holds {topic.type}, expected {IMAGE} or {COMPRESSED_IMAGE}")
    if not topic.count:
        raise RecordingError(f"topic {topic.name} of {recording.path} has no messages")
    compressed = topic.type == COMPRESSED_IMAGE
    base = _base_name(topic.name, compressed)
    return ImageStream(topic.name, matching_camera_info(recording, topic.name, base), _kind(compressed))


def _kind(compressed: bool) -> str:
    return COMPRESSED if compressed else RAW


def _base_name(name: str, compressed: bool) -> str:
    return name.removesuffix("/compressed") if compressed else name


def _listing(recording: Recording) -> str:
    return ", ".join(f"{t.name} ({t.type})" for t in recording.topics.values()) or "none at all"
