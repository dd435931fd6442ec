# SPDX-License-Identifier: Apache-2.0
"""Which topic of a recording is what: camera images with their calibration, and ground truth."""

from dataclasses import dataclass

from monodepth_ros.data.bags.recording import Recording, RecordingError

IMAGE = "sensor_msgs/msg/Image"
COMPRESSED_IMAGE = "sensor_msgs/msg/CompressedImage"
CAMERA_INFO = "sensor_msgs/msg/CameraInfo"
ODOMETRY = "nav_msgs/msg/Odometry"
POINT_CLOUD = "sensor_msgs/msg/PointCloud2"
DEPTH_ENCODINGS = ("32FC1", "16UC1")
GROUND_TRUTH_WORDS = ("ground_truth", "groundtruth", "gt")


@dataclass(frozen=True)
class ImageStream:
    """A camera's topics: `camera_info` is empty where the recording has none that belongs to the image."""

    image: str
    camera_info: str
    compressed: bool


def image_streams(recording: Recording) -> list[ImageStream]:
    """Every camera of the recording; depth images are none, raw wins where raw and compressed both exist."""
    streams: dict[str, ImageStream] = {}
    for topic in recording.topics.values():
        if topic.type not in (IMAGE, COMPRESSED_IMAGE) or not topic.count or _is_depth(recording, topic.name):
            continue
        compressed = topic.type == COMPRESSED_IMAGE
        base = _base_name(topic.name, compressed)
        if base not in streams or not compressed:
            streams[base] = ImageStream(topic.name, _matching_camera_info(recording, topic.name, base), compressed)
    return list(streams.values())


def choose_image_stream(recording: Recording, topic: str = "", camera_info: str = "") -> ImageStream:
    """The camera to use: the one named by `topic`, else the only one there is.

    Raises RecordingError where none or several fit (then with choices ready to paste), where `topic` is no
    image and where `camera_info` is no calibration.
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
        return ImageStream(stream.image, info.name, stream.compressed)
    return stream


def ground_truth_depth(recording: Recording) -> str:
    """The topic of exact depth images ('' if none): a depth image with ground truth in its name."""
    return _ground_truth(
        recording, [t for t in recording.topics if _is_image(recording, t) and _is_depth(recording, t)]
    )


def ground_truth_odometry(recording: Recording) -> str:
    """The topic of exact nav_msgs/Odometry ('' if none), recognised by its name."""
    return _ground_truth(recording, [t.name for t in recording.topics.values() if t.type == ODOMETRY])


def odometry_topic(recording: Recording, name: str) -> str:
    """The topic called `name`; RecordingError if it is no nav_msgs/Odometry, with those that are."""
    topic = recording.topic(name)
    if topic.type != ODOMETRY or not topic.count:
        others = [other.name for other in recording.topics.values() if other.type == ODOMETRY and other.count]
        raise RecordingError(
            f"topic {topic.name} holds {topic.count} {topic.type}, expected {ODOMETRY}"
            f" (there: {', '.join(others) or 'none'})"
        )
    return topic.name


def lidar_clouds(recording: Recording, camera_frame: str) -> list[str]:
    """Topics of point clouds that are not a camera's own: those in another frame than the camera's."""
    clouds = [topic.name for topic in recording.topics.values() if topic.type == POINT_CLOUD and topic.count]
    return [name for name in clouds if recording.first(name).header.frame_id != camera_frame]


def _ground_truth(recording: Recording, topics: list[str]) -> str:
    named = [t for t in topics if recording.topics[t].count and set(t.lower().split("/")) & set(GROUND_TRUTH_WORDS)]
    return named[0] if named else ""


def _named_stream(recording: Recording, name: str) -> ImageStream:
    topic = recording.topic(name)
    if topic.type not in (IMAGE, COMPRESSED_IMAGE):
        raise RecordingError(f"topic {topic.name} holds {topic.type}, expected {IMAGE} or {COMPRESSED_IMAGE}")
    if not topic.count:
        raise RecordingError(f"topic {topic.name} of {recording.path} has no messages")
    compressed = topic.type == COMPRESSED_IMAGE
    base = _base_name(topic.name, compressed)
    return ImageStream(topic.name, _matching_camera_info(recording, topic.name, base), compressed)


def _is_image(recording: Recording, name: str) -> bool:
    return recording.topics[name].type == IMAGE


def _is_depth(recording: Recording, name: str) -> bool:
    """Only the message tells: depth has no type of its own in ROS."""
    topic = recording.topics[name]
    if topic.type == COMPRESSED_IMAGE:
        return name.endswith("/compressedDepth") or "compressedDepth" in recording.first(name).format
    return topic.count > 0 and recording.first(name).encoding in DEPTH_ENCODINGS


def _base_name(name: str, compressed: bool) -> str:
    return name.removesuffix("/compressed") if compressed else name


def _matching_camera_info(recording: Recording, image: str, base: str) -> str:
    """image_transport's rule: camera_info beside the image; else the only one of the same optical frame."""
    infos = [t.name for t in recording.topics.values() if t.type == CAMERA_INFO and t.count]
    sibling = f"{base.rpartition('/')[0]}/camera_info"
    if sibling in infos:
        return sibling
    if not infos:
        return ""
    frame = recording.first(image).header.frame_id
    same_frame = [name for name in infos if recording.first(name).header.frame_id == frame]
    return same_frame[0] if len(same_frame) == 1 else ""


def _listing(recording: Recording) -> str:
    return ", ".join(f"{t.name} ({t.type})" for t in recording.topics.values()) or "none at all"
