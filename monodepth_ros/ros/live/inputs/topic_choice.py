# SPDX-License-Identifier: Apache-2.0
"""The choice of the topics that a camera's images and calibration come from, by what is published."""

import time
from collections.abc import Callable
from typing import NamedTuple

from rclpy.node import Node

from monodepth_ros.data.cameras.topics import COMPRESSED_IMAGE, IMAGE
from monodepth_ros.ros.live.inputs.camera_topics import (
    PublishedCamera,
    info_beside,
    outputs_of_depth_nodes,
    published_cameras,
)
from monodepth_ros.ros.live.inputs.publishers import Publishers
from monodepth_ros.ros.live.inputs.topic_advice import advice_for_types, advice_without_images, missing_info
from monodepth_ros.ros.live.inputs.video_topics import transport_of, video_topics
from monodepth_ros.ros.live.outputs import topic_prefix

# Time for which another topic must be published, and the chosen one not, before it is taken instead [s]. The topics of
# one driver do not appear at the same moment, and neither do the cameras of a robot that starts. A recording may be
# over after two seconds, so that another transport is taken soon, and exchanged if a better one appears within
# SETTLING.
PATIENCE = 0.2
SETTLING = 3.0
PATIENCE_OF_SEARCH = 2.0
# Period of the search for other cameras, which looks at every topic [s].
SEARCH_PERIOD = 0.5


class ImageTopics(NamedTuple):
    """The topics to subscribe to. reason: why these, in a few words. video: message type of a topic with video."""

    image: str
    is_compressed: bool
    info: str
    reason: str = ""
    video: str = ""

    def __str__(self) -> str:
        kind = "video" if self.video else "compressed" if self.is_compressed else "raw"
        return f"{self.image} ({kind}{self.reason and ', ' + self.reason})"

    @property
    def type(self) -> str:
        """The message type of the images."""
        return self.video or (COMPRESSED_IMAGE if self.is_compressed else IMAGE)


def published_topics(node: Node) -> dict[str, list[str]]:
    """The message types of every topic that has a publisher."""
    found = dict(node.get_topic_names_and_types())
    return {name: types for name, types in found.items() if node.count_publishers(name)}


class TopicChoice:
    """The topics of one camera: `image` or `image/compressed`, and `camera_info`, as they are remapped.

    transport: raw, compressed or auto, which takes raw images unless only compressed ones or video are published.
    Remapping `image` alone moves the others along: image:=/front/image_raw also means /front/image_raw/compressed and
    /front/camera_info. may_search: if nothing is published there, and nothing was remapped, the images may come from
    the only camera that is published; several are reported once, through `report`.

    current: the choice; it changes only in `look`, while nothing is published on the present one or shortly after it
    was chosen.
    """

    def __init__(self, node: Node, camera: str, transport: str, may_search: bool, report: Callable[[str], None]):
        self._node = node
        self._report = report
        self._transport = transport
        self._prefix = topic_prefix(camera)
        names = [self._prefix + item for item in ("image", "image/compressed", "camera_info")]
        self._image, compressed, info = map(node.resolve_topic_name, names)
        is_moved = [node.resolve_topic_name(name, only_expand=True) != node.resolve_topic_name(name) for name in names]
        self._compressed = compressed if is_moved[1] else f"{self._image}/compressed"
        self._fixed_info = info if is_moved[2] or not is_moved[0] else ""
        self._may_search = may_search and not (is_moved[0] or is_moved[1])
        self._has_own_info = is_moved[2]
        self._others: list[str] = []
        self._next: ImageTopics | None = None
        self._next_since = 0.0
        self._settled = 0.0
        self._searched = -SEARCH_PERIOD
        self._found: ImageTopics | None = None
        self._seen = ""
        self.current = self._named()[0]

    def look(self) -> bool:
        """Look at what is published; whether `current` has changed."""
        now = time.monotonic()
        is_published = self._is_published(self.current)
        if is_published and not self.is_settled and self._prefer_named():
            return True
        better = None if is_published else self._published_instead()
        if better != self._next:
            self._next, self._next_since = better, now
        if better is None:
            return False
        patience = PATIENCE if better in self._named() else PATIENCE_OF_SEARCH
        if now - self._next_since < patience:
            return False
        self.current, self._next, self._settled, self._seen = better, None, now + SETTLING, ""
        return True

    @property
    def is_settled(self) -> bool:
        """Whether the choice stays as long as its images come: not shortly after another topic was chosen."""
        return time.monotonic() >= self._settled

    def _prefer_named(self) -> bool:
        """Take the preferred topic if it is published; whether that is another one."""
        published = (topics for topics in self._named() if topics == self.current or self._is_published(topics))
        best = next(published, self.current)
        is_other = best != self.current
        self.current = best
        return is_other

    def mismatch(self) -> str:
        """The message types on the topic of the images if the expected one is not among them, and what to do.

        Empty if the topic has no publisher or one of the expected type.
        """
        topic, expected = self.current.image, self.current.type
        types = self._types(topic)
        if not types or expected in types:
            return ""
        advice = advice_for_types(self._published(), topic, expected, f"{self._prefix}image")
        return f"{topic} carries {', '.join(sorted(types))}, expected {expected}; {advice}"

    def other_cameras(self) -> list[str]:
        """The image topics of the other cameras that are published."""
        current = self.current.image.removesuffix("/compressed")
        return [camera.image for camera in self._cameras() if camera.image != current]

    def missing_info(self, publishers: Publishers, remap: str) -> tuple[str, str]:
        """Why there is no camera_info, and what to do, both in words.

        publishers: those of the camera_info. remap: its name for remappings.
        """
        published = self._published()
        outputs = outputs_of_depth_nodes(published)
        others = {name: types for name, types in published.items() if name not in outputs}
        return missing_info(others, self.current.info, publishers.nodes, remap, publishers.has_latched)

    @property
    def advice(self) -> str:
        """What a user can do while nothing is published."""
        if self._others:
            choices = " or ".join(f"{self._prefix}image:={name}" for name in self._others)
            return f"several cameras are published, choose one by remapping: {choices}"
        published, image, below = self._published(), self._image, self._image
        if self._seen and not any(name in published for name in (self._seen, f"{self._seen}/compressed")):
            return (
                f"{self._seen} was published for less than {PATIENCE_OF_SEARCH:.0f} s: remap with "
                f"{self._prefix}image:={self._seen}, or start that camera or recording again"
            )
        if self._may_search:
            unfit = [camera.image for camera in self._cameras() if not self._fits(camera)]
            image, below = (unfit or [image])[0], self._node.get_namespace()
        return advice_without_images(published, image, below, self._transport, f"{self._prefix}image")

    def _named(self) -> list[ImageTopics]:
        """The topics that the node's names stand for, in the order of preference."""
        image, is_auto = self._image, self._transport == "auto"
        info = self._fixed_info or info_beside(image)
        raw = ImageTopics(image, False, info)
        if self._transport == "raw":
            return [raw]
        compressed = ImageTopics(self._compressed, True, info, "nothing raw is published" if is_auto else "")
        # image:=/camera/image_raw/compressed, or a driver that calls its compressed images just so.
        info = self._fixed_info or info_beside(image.removesuffix("/compressed"))
        itself = ImageTopics(image, True, info, "its images are compressed")
        others = [raw, compressed, *self._videos()] if is_auto else [compressed]
        return [itself, *others] if image.endswith("/compressed") else [*others, itself]

    def _videos(self) -> list[ImageTopics]:
        """Topics with video, of the message types that are installed here."""
        found = []
        for topic, kind in video_topics(self._image):
            base = topic.removesuffix(f"/{transport_of(topic)}") if transport_of(topic) else topic
            info = self._fixed_info or info_beside(base)
            found.append(ImageTopics(topic, True, info, "nothing but video is published", kind))
        return found

    def _published_instead(self) -> ImageTopics | None:
        named = next((topics for topics in self._named() if self._is_published(topics)), None)
        if named is not None or not self._may_search:
            return named
        now = time.monotonic()
        if now - self._searched >= SEARCH_PERIOD:
            self._searched, self._found = now, self._search()
        return self._found

    def _search(self) -> ImageTopics | None:
        """The only camera that is published; None if there is none, or several."""
        wanted = [camera for camera in self._cameras() if self._fits(camera)]
        self._list_once([camera.image for camera in wanted])
        if len(wanted) != 1:
            return None
        image, has_raw, _ = wanted[0]
        self._seen = image
        is_compressed = self._transport == "compressed" or not has_raw
        info = self._fixed_info if self._has_own_info else info_beside(image)
        topic = f"{image}/compressed" if is_compressed else image
        return ImageTopics(topic, is_compressed, info, f"the only camera, as nothing is published on {self._image}")

    def _list_once(self, names: list[str]) -> None:
        others = names if len(names) > 1 else []
        if others != self._others:
            self._others = others
            if others:
                self._report(f"no image on {self._image}; {self.advice}")

    def _cameras(self) -> list[PublishedCamera]:
        return published_cameras(self._published(), self._node.get_namespace())

    def _published(self) -> dict[str, list[str]]:
        return published_topics(self._node)

    def _fits(self, camera: PublishedCamera) -> bool:
        by_transport = {"raw": camera.has_raw, "compressed": camera.has_compressed}
        return by_transport.get(self._transport, True)

    def _is_published(self, topics: ImageTopics) -> bool:
        return topics.type in self._types(topics.image)

    def _types(self, topic: str) -> set[str]:
        return {publisher.topic_type for publisher in self._node.get_publishers_info_by_topic(topic)}
