# SPDX-License-Identifier: Apache-2.0
"""What a user can do about images or a camera_info that do not come, by what is published. Knows no ROS."""

from collections.abc import Collection, Mapping

from monodepth_ros.data.cameras.topics import CAMERA_INFO, COMPRESSED_IMAGE, IMAGE

# Message types of image_transport that hold a camera's picture and are not read, and the name of the transport.
# Those of VIDEO_PACKAGES are read where their package is installed.
UNREAD_TRANSPORTS = {
    "theora_image_transport/msg/Packet": "theora",
    "ffmpeg_image_transport_msgs/msg/FFMPEGPacket": "ffmpeg",
    "foxglove_msgs/msg/CompressedVideo": "foxglove",
}
VIDEO_PACKAGES = {
    "ffmpeg_image_transport_msgs/msg/FFMPEGPacket": "ffmpeg-image-transport-msgs",
    "foxglove_msgs/msg/CompressedVideo": "foxglove-msgs",
}
DISPARITY = "stereo_msgs/msg/DisparityImage"
# Ways out of one kind of topic [transport set, what is published]: the setting that reads it.
_SETTINGS = {IMAGE: "raw or auto", COMPRESSED_IMAGE: "compressed or auto"}

Topics = Mapping[str, Collection[str]]


def advice_without_images(topics: Topics, image: str, below: str, transport: str, remap: str) -> str:
    """What to do if nothing is published where the images are expected.

    topics: message types by published topic. image: the topic without a transport. below: where other transports of it
    may be published. transport: the setting image_transport. remap: the topic's name for remappings.
    """
    if transport == "raw" and COMPRESSED_IMAGE in topics.get(f"{image}/compressed", ()):
        return f"{image}/compressed is published: set image_transport to {_SETTINGS[COMPRESSED_IMAGE]}"
    if transport == "compressed" and IMAGE in topics.get(image, ()):
        return f"{image} is published: set image_transport to {_SETTINGS[IMAGE]}"
    below = below.rstrip("/") + "/"
    for name, types in sorted(topics.items()):
        unread = [kind for kind in types if kind in UNREAD_TRANSPORTS]
        if unread and name.startswith(below):
            return f"only {name} ({unread[0]}) is published: {_republish(unread[0], remap)}"
    return f"start the camera, or remap with {remap}:=/your/topic"


def advice_for_types(topics: Topics, topic: str, expected: str, remap: str) -> str:
    """What to do if a topic carries other message types than the expected one; arguments as above."""
    types = topics.get(topic, ())
    if IMAGE in types and expected == COMPRESSED_IMAGE and topic.endswith("/compressed"):
        return f"set image_transport to raw and remap with {remap}:={topic}, or let the driver rename its raw images"
    for kind, setting in _SETTINGS.items():
        if kind in types and kind != expected:
            return f"set image_transport to {setting}"
    base = topic.rpartition("/")[0]
    if IMAGE in topics.get(base, ()) or COMPRESSED_IMAGE in topics.get(f"{base}/compressed", ()):
        return f"remap with {remap}:={base}"
    for kind in types:
        if kind in UNREAD_TRANSPORTS:
            return _republish(kind, remap)
    if DISPARITY in types:
        return f"a disparity is no camera's picture: remap with {remap}:= to the images that it is made from"
    return f"remap with {remap}:=/your/topic"


def missing_info(topics: Topics, topic: str, publishers: str, remap: str, is_latched: bool = False) -> tuple[str, str]:
    """Why there is no camera_info, and what to do, both in words.

    topic: where it is expected. publishers: the nodes that publish it there; empty for none. is_latched: they keep the
    last one for subscribers to come.
    """
    remedy = f"remap with {remap}:=/your/topic"
    if publishers:
        kept = "transient_local" if is_latched else "volatile: one that was sent before this node started is lost"
        return f"no camera_info on {topic} so far, though published by {publishers} ({kept})", (
            "raise camera_info_timeout if it comes rarely"
        )
    others = sorted(set(topics.get(topic, ())) - {CAMERA_INFO})
    if others:
        return f"no camera_info on {topic}, which carries {', '.join(others)}", remedy
    elsewhere = sorted(name for name, types in topics.items() if CAMERA_INFO in types)
    if elsewhere:
        choices = " or ".join(f"{remap}:={name}" for name in elsewhere[:3])
        return f"no camera_info on {topic}", f"if it belongs to this camera, remap with {choices}"
    return f"no camera_info on {topic}", remedy


def _republish(kind: str, remap: str) -> str:
    unread = "this type is not read;"
    if kind in VIDEO_PACKAGES:
        unread = f"install the message type (apt install ros-$ROS_DISTRO-{VIDEO_PACKAGES[kind]}), or"
    return (
        f"{unread} republish it with image_transport's republish (in_transport "
        f"{UNREAD_TRANSPORTS[kind]}, out_transport raw) and remap with {remap}:=/the/republished/topic"
    )
