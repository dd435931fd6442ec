# SPDX-License-Identifier: Apache-2.0
"""The cameras of a recording: which image topics they are, and the calibration that belongs to them."""

from dataclasses import dataclass, field, replace

from monodepth_ros.data.bags.recording import Recording, RecordingError
from monodepth_ros.data.cameras.camera_groups import best_first, by_camera
from monodepth_ros.data.cameras.camera_info_choice import CAMERA_INFO, InfoChooser
from monodepth_ros.data.cameras.first_images import (
    COMPRESSED,
    COMPRESSED_IMAGE,
    COMPRESSED_VIDEO,
    FFMPEG_PACKET,
    IMAGE,
    IMAGE_TYPES,
    RAW,
    VIDEO,
    FirstImage,
    first_image,
)
from monodepth_ros.data.cameras.image_names import device_key, is_infrared_name
from monodepth_ros.data.cameras.image_roles import CAMERA, DEPTH, image_roles, is_depth, may_be_depth
from monodepth_ros.foreign_text import few

__all__ = [
    "CAMERA_INFO",
    "COMPRESSED",
    "COMPRESSED_IMAGE",
    "COMPRESSED_VIDEO",
    "FFMPEG_PACKET",
    "IMAGE",
    "IMAGE_TYPES",
    "RAW",
    "VIDEO",
    "ImageStream",
    "choose_image_stream",
    "image_streams",
    "is_depth",
    "matching_camera_info",
    "may_be_depth",
]


@dataclass(frozen=True)
class ImageStream:
    """Topics of one camera. camera_info: '' if no camera_info of the recording belongs to the image topic.

    kind: RAW (sensor_msgs/Image), COMPRESSED (each message holds a whole picture) or VIDEO (a message needs the ones
    before it). notes: what was chosen of several, for the user. missing: what there is instead of a camera_info.
    """

    image: str
    camera_info: str
    kind: str
    notes: tuple[str, ...] = field(default=(), compare=False)
    missing: str = field(default="", compare=False)

    @property
    def compressed(self) -> bool:
        return self.kind == COMPRESSED


def image_streams(recording: Recording) -> list[ImageStream]:
    """All cameras of the recording, one stream for each, sorted by name: without depth, masks and the like, and without
    infrared beside another camera of the same device. Those of 16 bits come last.

    Of the topics of one camera the driver's own image is taken (image_raw rather than image_rect_color), and raw rather
    than compressed rather than video.
    """
    counts = {name: topic.count for name, topic in recording.topics.items()}
    groups = [best_first(group, counts) for group in _cameras(recording)]
    kept = []
    for group in groups:
        left_out = _infrared_beside(group[0], groups)
        if group[0] in left_out:
            continue
        note = (
            f"{', '.join(image.topic for image in left_out)}: infrared of the same device, left out (--topic takes one)"
        )
        notes = [_note_on_group(group), note] if left_out else [_note_on_group(group)]
        kept.append((_is_grey_of_16_bits(group[0]), _stream(recording, group[0], *notes)))
    return [stream for _, stream in sorted(kept, key=lambda item: (item[0], item[1].image))]


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
            raise RecordingError(f"{recording.path} has no camera images{_instead(recording)}")
        if len(streams) > 1:
            choices = few([f"--topic {stream.image}" for stream in streams], joint=" or ")
            raise RecordingError(f"{recording.path} has {len(streams)} image topics, choose one: {choices}")
        stream = streams[0]
    if camera_info:
        info = recording.topic(camera_info)
        if info.type != CAMERA_INFO:
            raise RecordingError(f"topic {info.name} holds {info.type}, expected {CAMERA_INFO}")
        return replace(stream, camera_info=info.name, missing="")
    return stream


def matching_camera_info(recording: Recording, topic: str) -> str:
    """The camera_info of an image or depth topic, '' if none belongs to it (see `InfoChooser`)."""
    return _stream(recording, first_image(recording, topic)).camera_info


def _cameras(recording: Recording) -> list[list[FirstImage]]:
    """The topics of each camera."""
    roles = image_roles(recording)
    return by_camera([first_image(recording, name) for name, role in roles.items() if role.kind == CAMERA])


def _infrared_beside(image: FirstImage, groups: list[list[FirstImage]]) -> list[FirstImage]:
    """The infrared cameras of the device of `image`, if the device has another camera as well."""
    device = [group[0] for group in groups if device_key(group[0].base) == device_key(image.base)]
    infrared = [first for first in device if is_infrared_name(first.base)]
    return infrared if len(infrared) < len(device) else []


def _is_grey_of_16_bits(image: FirstImage) -> bool:
    return (image.channels, image.bits) == (1, 16)


def _stream(recording: Recording, image: FirstImage, *found: str) -> ImageStream:
    roles = image_roles(recording)
    cameras = [group for group in _cameras(recording) if all(one.base != image.base for one in group)]
    depth = [first_image(recording, name) for name, role in roles.items() if role.kind == DEPTH and name != image.topic]
    choice = InfoChooser(recording).choose(image, [one for group in cameras for one in group], depth)
    reason = roles[image.topic].reason
    remarks = (*found, reason and f"{image.topic}: {reason} (--topic names another)", choice.note)
    return ImageStream(image.topic, choice.topic, image.kind, tuple(filter(None, remarks)), choice.missing)


def _note_on_group(group: list[FirstImage]) -> str:
    """What was chosen of the topics of one camera; '' if they differ only by their transport."""
    others = [image for image in group if image.base != group[0].base]
    if not others:
        return ""
    names = few([image.topic for image in others])
    return f"{group[0].topic} is used; {names} are of the same camera (--topic chooses)"


def _named_stream(recording: Recording, name: str) -> ImageStream:
    topic = recording.topic(name)
    if topic.type not in IMAGE_TYPES:
        raise RecordingError(f"topic {topic.name} holds {topic.type}, expected {IMAGE} or {COMPRESSED_IMAGE}")
    if not topic.count:
        raise RecordingError(f"topic {topic.name} of {recording.path} has no messages")
    stream = _stream(recording, first_image(recording, topic.name))
    return replace(stream, notes=tuple(note for note in stream.notes if "--topic" not in note))


def _instead(recording: Recording) -> str:
    """What a recording without cameras has."""
    roles = image_roles(recording)
    if not roles:
        topics = few([f"{t.name} ({t.type})" for t in recording.topics.values()]) or "none at all"
        return f": its topics are {topics}"
    depth = [name for name, role in roles.items() if role.kind == DEPTH]
    others = [name for name in roles if name not in depth]
    found = [f"{few(names)} {what}" for names, what in ((depth, "is depth"), (others, "is none by its name")) if names]
    return f": {'; '.join(found)} (--topic takes one all the same)"
