# SPDX-License-Identifier: Apache-2.0
"""Topics with video: their names beside an image topic, and whether their message types are installed here."""

import importlib
from functools import cache
from typing import Any

from rclpy.type_support import check_for_type_support

from monodepth_ros.data.bags.video_types import COMPRESSED_VIDEO, FFMPEG_PACKET

# By the name that image_transport adds to that of the images.
VIDEO_TRANSPORTS = {"ffmpeg": FFMPEG_PACKET, "foxglove": COMPRESSED_VIDEO}


@cache
def message_class(name: str) -> Any:
    """The class of a message type pkg/msg/Name; None where the package or its type support is not installed."""
    package, _, kind = name.split("/")
    try:
        found = getattr(importlib.import_module(f"{package}.msg"), kind)
        check_for_type_support(found)
    except Exception:  # of many classes, for a package that was built for another distribution
        return None
    return found


def transport_of(topic: str) -> str:
    """The transport of video that a topic's name ends in; '' if it ends in none."""
    last = topic.rpartition("/")[2]
    return last if last in VIDEO_TRANSPORTS else ""


def video_topics(image: str) -> list[tuple[str, str]]:
    """(topic, message type) of the video that may belong to an image topic, or that it may be itself, of the types that
    are installed here."""
    beside = [(f"{image}/{transport}", kind) for transport, kind in VIDEO_TRANSPORTS.items()]
    itself = [(image, kind) for kind in VIDEO_TRANSPORTS.values()]
    return [(topic, kind) for topic, kind in beside + itself if message_class(kind) is not None]
