# SPDX-License-Identifier: Apache-2.0
"""The static transforms of a recording: those of /tf_static, and those of other topics that never change.

Foxglove's files and older robot_state_publishers repeat the places of their sensors among the moving transforms of /tf.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from monodepth_ros.data.bags.recording import RawMessage, Recording, RecordingError
from monodepth_ros.data.bags.static_transforms import FIXED_FRAMES, ROBOT_BASES, StaticTransforms, ends_in
from monodepth_ros.data.sources.reference_topics import POINT_CLOUD, TF

STATIC_TOPIC = "/tf_static"
# A long topic is looked at in windows spread over the recording: a joint that moves is seen to have moved.
WINDOWS, FIRST_WINDOW, LATER_WINDOW = 10, 200, 40  # messages
# Repetitions of one transform differ by rounding at most: [m], and the cosine of half the angle.
SAME_PLACE, SAME_TURN = 1e-6, 1 - 1e-12
NAMED = 4  # transforms that a note names


def add_recorded_transforms(recording: Recording, camera_frame: str, transforms: StaticTransforms) -> list[str]:
    """Add the static transforms of a recording, and return notes about those that stand on other topics.

    Topics other than /tf_static are looked at only if the frames of /tf_static leave the camera without a base, or a
    point cloud without connection to the camera. Frames that /tf_static places keep their place.
    """
    topics = [topic for topic in recording.topics.values() if topic.type == TF and topic.count]
    for topic in topics:
        if topic.name.endswith(STATIC_TOPIC):
            for _, _, message in recording.read([topic.name]):
                transforms.add(message.transforms)
    others = [topic.name for topic in topics if not topic.name.endswith(STATIC_TOPIC)]
    if not others or not _is_incomplete(recording, camera_frame, transforms):
        return []
    notes = []
    for name in others:
        unchanged = _unchanged_transforms(recording, name)
        unchanged = [item for item in unchanged if not transforms.parent_of(item.child_frame_id)]
        transforms.add(unchanged)
        used = [f"{item.header.frame_id} -> {item.child_frame_id}" for item in unchanged]
        if used:
            more = f" and {len(used) - NAMED} more" if len(used) > NAMED else ""
            notes.append(f"transforms of {name} that never change count as static: {', '.join(used[:NAMED])}{more}")
    return notes


def _is_incomplete(recording: Recording, camera_frame: str, transforms: StaticTransforms) -> bool:
    """Whether the camera has no base above it, or a point cloud no connection to the camera."""
    base = transforms.root_of(camera_frame)
    if not ends_in(base, ROBOT_BASES):
        return True
    clouds = [topic.name for topic in recording.topics.values() if topic.type == POINT_CLOUD and topic.count]
    return any(transforms.root_of(recording.first(name).header.frame_id) != base for name in clouds)


@dataclass
class _Place:
    """The transform of a child frame, as first seen. values: see `_values`."""

    item: Any
    values: tuple[str | float, ...]
    has_moved: bool = False


def _unchanged_transforms(recording: Recording, topic: str) -> list[Any]:
    """The transforms of a topic that have one value in every message that is looked at."""
    places: dict[str, _Place] = {}
    for message in _sample(recording, topic):
        try:
            items = recording.deserialize(message).transforms
        except RecordingError:
            continue
        for item in items:
            values = _values(item)
            place = places.setdefault(item.child_frame_id.lstrip("/"), _Place(item, values))
            place.has_moved = place.has_moved or (values != place.values and not _is_same(values, place.values))
    return [place.item for place in places.values() if not place.has_moved and not _is_of_robot(place.item)]


def _is_of_robot(item: Any) -> bool:
    """Whether a transform is the pose of a robot in the world: one that stands still is on no mount."""
    is_robot = ends_in(item.child_frame_id, ROBOT_BASES) or ends_in(item.child_frame_id, FIXED_FRAMES)
    return is_robot and ends_in(item.header.frame_id, FIXED_FRAMES)


def _sample(recording: Recording, topic: str) -> Iterator[RawMessage]:
    """All messages of a topic, or those at the beginning of each window. Damaged bytes end a window."""
    count = recording.topics[topic].count
    start, stop = recording.start_ns, recording.end_ns + 1
    windows = 1 if count <= FIRST_WINDOW + (WINDOWS - 1) * LATER_WINDOW else WINDOWS
    for i in range(windows):
        begin, end = (start + (stop - start) * k // windows for k in (i, i + 1))
        try:
            for number, message in enumerate(recording.messages([topic], begin, end)):
                yield message
                if windows > 1 and number + 1 == (LATER_WINDOW if i else FIRST_WINDOW):
                    break
        except RecordingError:  # reading the images raises it again
            continue


def _values(item: Any) -> tuple[str | float, ...]:
    """Parent, translation [m] and quaternion of a transform."""
    t, q = item.transform.translation, item.transform.rotation
    return item.header.frame_id.lstrip("/"), t.x, t.y, t.z, q.x, q.y, q.z, q.w


def _is_same(a: tuple[Any, ...], b: tuple[Any, ...]) -> bool:
    """Whether two `_values` are equal but for rounding; a rotation has quaternions of both signs."""
    (move_a, turn_a), (move_b, turn_b) = ((np.array(values[1:4]), np.array(values[4:])) for values in (a, b))
    scale = float(np.linalg.norm(turn_a) * np.linalg.norm(turn_b)) or 1.0
    is_same_turn = abs(float(turn_a @ turn_b)) / scale >= SAME_TURN
    return a[0] == b[0] and is_same_turn and bool(np.abs(move_a - move_b).max() < SAME_PLACE)
