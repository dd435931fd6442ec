# SPDX-License-Identifier: Apache-2.0
"""Reference for the images of a recording: depth images or a LiDAR's clouds, and poses."""

import threading
from typing import Any

import numpy as np

from monodepth_ros.data.bags.message_times import SAME_CLOCK_NS, MessageTimes
from monodepth_ros.data.bags.recording import RawMessage, Recording, RecordingError
from monodepth_ros.data.sources.reference_clock import of_the_same_clock, stamped_times
from monodepth_ros.data.sources.reference_depth import CLOUD, ImageCamera, ReferenceDepth, choose_depth
from monodepth_ros.data.sources.reference_poses import StampedPose, choose_poses
from monodepth_ros.data.sources.reference_topics import NONE, PATH
from monodepth_ros.data.sources.source import FrameSource
from monodepth_ros.errors import MonodepthError
from monodepth_ros.foreign_text import few
from monodepth_ros.geometry.camera import CameraModel
from monodepth_ros.geometry.motion import interpolate
from monodepth_ros.stamps import nanoseconds

# The reference may be recorded this much later or earlier than its image; a synchronised one is within SOON_NS.
LATE_NS, SOON_NS = 500_000_000, 100_000_000
# Poses further apart than this are not interpolated.
POSE_GAP_NS = 250_000_000
# Largest difference of the stamps of a cloud and its image: half the period of a LiDAR at 10 Hz. That of a depth image
# is half the period of the images, and at most this.
DEPTH_GAP_NS = 50_000_000


class BagReference:
    """Reference depth and poses of a recording, read in step with its images by a reader of its own.

    times: of the first images. names: of the depth and the odometry topic, see `choose_depth` and `choose_poses`. The
    depth of an image is that of the nearest stamp within half the period of the images, or 50 ms for clouds. Fills in
    `references` and `notes` of the source. Raises RecordingError for a named topic that cannot be used.
    """

    def __init__(
        self,
        source: FrameSource,
        recording: Recording,
        image: ImageCamera,
        times: MessageTimes,
        window: tuple[int, int],
        names: tuple[str, str],
    ):
        self._recording = self._random_access = None
        self._lock = threading.Lock()
        self._source = source
        depth = choose_depth(recording, names[0], image, source.transforms)
        depth = of_the_same_clock(recording, times, depth, bool(names[0]))
        poses = choose_poses(recording, names[1], image.frame_id, source.transforms)
        poses = of_the_same_clock(recording, times, poses, bool(names[1]))
        self.depth: ReferenceDepth | None = depth.chosen
        self._against_depth = [*depth.notes, *depth.passed_over]
        self._closest_ns: int | None = None  # of the stamps of a depth message and of an image, so far
        self._poses_of = poses.chosen
        usable = [topic for topic in poses.others if not any(topic in note for note in poses.notes)]
        self._against_poses = [*poses.notes, *(f"--odometry-topic {topic} names one" for topic in usable)]
        self._offsets = self._offsets_from_receipt(recording, times)
        source.notes += depth.notes + poses.notes
        source.references += _in_words("reference depth", "--depth-topic", names[0], depth)
        source.references += _in_words("reference poses", "--odometry-topic", names[1], poses)
        is_cloud = self.depth is not None and self.depth.kind == CLOUD
        self._gap_ns = DEPTH_GAP_NS if is_cloud else _half_period(times)
        self._depths: dict[int, Any] = {}
        self._poses: list[StampedPose] = []
        topics = [] if self.depth is None else [self.depth.topic]
        if self._poses_of is not None and self._poses_of.type == PATH:
            self._poses = self._poses_of.all_at_once(recording)
        elif self._poses_of is not None:
            topics.append(self._poses_of.topic)
        self._path = recording.path
        self._recording = Recording(recording.path) if topics else None
        start_ns, stop_ns = window[0] - LATE_NS, window[1] + self._late_ns
        self._messages = self._recording.messages(topics, start_ns, stop_ns) if self._recording else iter(())
        self._read_until_ns = -1

    def close(self) -> None:
        """Release the file."""
        for recording in (self._recording, self._random_access):
            if recording is not None:
                recording.close()

    def at(self, stamp_ns: int, received_ns: int, camera: CameraModel) -> tuple[np.ndarray | None, np.ndarray | None]:
        """Depth (H, W) [m] in the camera's image and T_world_camera; None for either if it is not known.

        stamp_ns, received_ns: the image's times, which must not decrease from call to call.
        """
        while self._read_until_ns < received_ns + self._late_ns:
            try:
                message = next(self._messages, None)
                content = None if message is None else self._recording.deserialize(message)
            except RecordingError:  # damaged from here on: reading the images raises it again
                self._messages = iter(())
                break
            if message is None:
                break
            self._read_until_ns = message.stamp_ns
            if self.depth is not None and message.topic == self.depth.topic:
                self._depths[self._stamp(content, message)] = content
            else:
                self._poses += self._poses_of.poses(content, message.stamp_ns + self._offsets[message.topic])
        gaps = [abs(stamp - stamp_ns) for stamp in self._depths]
        self._closest_ns = min(
            gaps if self._closest_ns is None else [*gaps, self._closest_ns], default=self._closest_ns
        )
        self._depths = {stamp: depth for stamp, depth in self._depths.items() if stamp >= stamp_ns - self._gap_ns}
        return self._nearest(self._depths, stamp_ns, camera), self._pose_at(stamp_ns)

    def why_no_depth(self) -> str:
        """Why the images so far have no depth, with the topics and the rules that they miss; '' without a candidate."""
        if self.depth is None or self._closest_ns is None or self._closest_ns <= self._gap_ns:
            own = "" if self.depth is None else self.depth.topic
            return "; ".join(self._against_depth or [note for note in self._source.notes if own and own in note])
        return (
            f"the stamps of {self.depth.topic} are {1e-6 * self._closest_ns:.0f} ms or more from those of the images,"
            f" and at most {1e-6 * self._gap_ns:.0f} ms (half the period of the images) is taken for the same time"
        )

    def why_no_poses(self) -> str:
        """Why the images so far have no poses, or topics to name instead."""
        reasons = "; ".join([*self._against_poses, *self.unusable_poses()])
        return reasons or ("no topic with poses is there" if self._poses_of is None else "")

    def unusable_poses(self) -> list[str]:
        """Notes on the messages so far that hold no pose."""
        return [] if self._poses_of is None else self._poses_of.unusable_notes()

    def _offsets_from_receipt(self, recording: Recording, images: MessageTimes) -> dict[str, int]:
        """Offset of the stamps from the receive times [ns] by topic; sets how much later than the images they come."""
        topics = [choice.topic for choice in (self.depth, self._poses_of) if choice is not None]
        offsets = {topic: stamped_times(recording, topic).offset_ns or 0 for topic in topics}
        later = [(images.offset_ns or 0) - offset for offset in offsets.values()]
        self._late_ns = LATE_NS + min(max([0, *later]), SAME_CLOCK_NS)
        return offsets

    def _stamp(self, content: Any, message: RawMessage) -> int:
        return nanoseconds(content.header.stamp) or message.stamp_ns + self._offsets[message.topic]

    def read(self, stamp_ns: int, received_ns: int, camera: CameraModel) -> np.ndarray | None:
        """The depth that `at` gives for an image, for any image. Safe to call from several threads."""
        if self.depth is None:
            return None
        depths: dict[int, Any] = {}
        for margin_ns in (SOON_NS, self._late_ns):
            with self._lock:  # the reader has one position in the file
                if self._random_access is None:
                    self._random_access = Recording(self._path)
                window = received_ns - margin_ns, received_ns + margin_ns
                raw = list(self._random_access.messages([self.depth.topic], *window))
            for message in raw:
                content = self._random_access.deserialize(message)
                depths[self._stamp(content, message)] = content
            if any(abs(stamp - stamp_ns) <= self._gap_ns for stamp in depths):
                break
        return self._nearest(depths, stamp_ns, camera)

    def _nearest(self, depths: dict[int, Any], stamp_ns: int, camera: CameraModel) -> np.ndarray | None:
        nearest = min(depths, key=lambda stamp: abs(stamp - stamp_ns), default=None)
        if nearest is None or abs(nearest - stamp_ns) > self._gap_ns:
            return None
        try:
            return self.depth.depth(depths[nearest], camera)
        except MonodepthError as error:
            note = f"{self.depth.topic}: {error}"
            if note not in self._source.notes:
                self._source.notes.append(note)
            return None

    def _pose_at(self, stamp_ns: int) -> np.ndarray | None:
        while len(self._poses) > 1 and self._poses[1][0] <= stamp_ns:
            self._poses.pop(0)
        if not self._poses or self._poses[0][0] > stamp_ns:
            return None
        (before_ns, before), *later = self._poses[:2]
        if before_ns == stamp_ns:
            return before
        if not later or later[0][0] - before_ns > POSE_GAP_NS:
            return None
        after_ns, after = later[0]
        return interpolate(before, after, (stamp_ns - before_ns) / (after_ns - before_ns))


def _half_period(times: MessageTimes) -> int:
    """Half the median interval of the first images [ns], at most DEPTH_GAP_NS."""
    return DEPTH_GAP_NS if times.interval_ns is None else min(DEPTH_GAP_NS, times.interval_ns // 2)


def _in_words(what: str, option: str, given: str, choice: Any) -> list[tuple[str, str]]:
    """The line for the user about one kind of reference; none if the recording has no candidate."""
    if given == NONE:
        return [(what, f"off ({option} {NONE})")]
    others = few([f"{option} {topic}" for topic in choice.others])
    if choice.chosen is not None:
        return [(what, choice.chosen.description + (f"; others: {others}" if others else ""))]
    return [(what, f"none chosen; candidates: {others}")] if others else []
