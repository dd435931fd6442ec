"""Frames of a recording: images with the calibration beside them, and ground truth where the bag has it."""

import math
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from monodepth_ros.data.bag_topics import (
    ImageStream,
    choose_image_stream,
    ground_truth_depth,
    ground_truth_odometry,
    image_streams,
)
from monodepth_ros.data.depth_codec import decode_depth
from monodepth_ros.data.image_codec import ImageError, Pixels, decode_compressed, decode_image
from monodepth_ros.data.recording import Recording, RecordingError
from monodepth_ros.data.sources.source import (
    FrameSource,
    SourceChoiceError,
    SourceError,
    SourceFrame,
    SourceOptions,
    as_published,
    camera_of_size,
    given_camera,
)
from monodepth_ros.data.static_transforms import StaticTransformError
from monodepth_ros.geometry.camera import CalibrationError, CameraModel
from monodepth_ros.geometry.motion import interpolate, make_transform, quaternion_to_rotation

# Ground truth may be recorded this much later than the image it belongs to.
LATE_NS = 500_000_000
# Exact poses further apart than this are not interpolated.
POSE_GAP_NS = 250_000_000


class BagSource(FrameSource):
    """One camera of a recording. Raises RecordingError, and SourceChoiceError where several cameras fit.

    The newest camera_info serves for every image, as in the live node; the first one also for the images
    before it. Ground truth is the depth image of the same stamp, and the odometry interpolated to it.
    """

    def __init__(self, path: str | Path, options: SourceOptions = SourceOptions()):
        self._recording = Recording(path)
        self._reading = threading.Lock()
        try:
            self.stream = _choose(self._recording, options)
            self._prepare(options)
        except BaseException:
            self.close()
            raise

    def _prepare(self, options: SourceOptions) -> None:
        recording, stream = self._recording, self.stream
        count = recording.topics[stream.image].count
        start, stop = recording.start_ns, recording.end_ns + 1
        self._start_ns = start + round(options.start * 1e9)
        self._stop_ns = min(stop, self._start_ns + round(1e9 * min(options.duration, recording.duration + 1)))
        share = max(0, self._stop_ns - self._start_ns) / max(1, stop - start)
        header = recording.first(stream.image).header
        where = f"{stream.image}, {stream.camera_info or 'no camera_info'}"
        super().__init__(f"{recording.path} ({where})", header.frame_id, math.ceil(count * min(1.0, share)))
        for name, topic in recording.topics.items():
            if name.endswith("/tf_static") and topic.count:
                for _, _, message in recording.read([name]):
                    self.transforms.add(message.transforms)
        self._given = given_camera(options)
        self._rectified = options.rectified
        if self._given is None and not stream.camera_info:
            self.notes.append(
                "no camera_info in the recording: the camera is taken for the one the checkpoint was trained "
                "on (or give --calibration FILE)"
            )
        self._truth = _Truth(recording, header.frame_id, self._start_ns, self._stop_ns, self)

    def close(self) -> None:
        self._recording.close()
        if hasattr(self, "_truth"):
            self._truth.close()

    def frames(self) -> Iterator[SourceFrame]:
        stream = self.stream
        camera, origin = self._given, "the calibration file"
        topics = [stream.image]
        if camera is None and stream.camera_info:
            topics.append(stream.camera_info)
            origin = stream.camera_info
        info_bytes = None
        index = -1
        if len(topics) == 2:
            camera = self._model(self._recording.first(stream.camera_info))
        for message in self._recording.messages(topics, self._start_ns, self._stop_ns):
            if message.topic != stream.image:
                # Stamps aside, calibrations repeat; the header differs in every message.
                if message.data[12:] != info_bytes:
                    info_bytes = message.data[12:]
                    camera = self._model(self._recording.deserialize(message))
                continue
            index += 1
            image = self._recording.deserialize(message)
            try:
                pixels = decode_compressed(image) if stream.compressed else decode_image(image)
                if isinstance(camera, CalibrationError):
                    raise camera
                model = camera_of_size(camera, pixels, origin)
            except (ImageError, CalibrationError) as error:
                self.left_out[str(error)] += 1
                continue
            stamp_ns = nanoseconds(image.header)
            depth, pose = self._truth.at(stamp_ns, message.stamp_ns)
            yield SourceFrame(f"{index:06d}", stamp_ns, message.stamp_ns, pixels, model, depth, pose)

    def read(self, stamp_ns: int, received_ns: int) -> Pixels:
        stream = self.stream
        with self._reading:  # one file, one place in it
            raw = list(self._recording.messages([stream.image], received_ns, received_ns + 1))
        for message in raw:
            image = self._recording.deserialize(message)
            if nanoseconds(image.header) == stamp_ns:
                try:
                    return decode_compressed(image) if stream.compressed else decode_image(image)
                except ImageError as error:
                    raise SourceError(f"{self.description}: image of stamp {stamp_ns}: {error}") from None
        raise SourceError(
            f"{self.description} has no image of stamp {stamp_ns}: it has changed since it was indexed"
        )

    def _model(self, info: Any) -> CameraModel | CalibrationError:
        """A camera_info that is no calibration concerns the images after it, until a better one comes."""
        try:
            return as_published(CameraModel.from_camera_info(info), self._rectified)
        except CalibrationError as error:
            return CalibrationError(f"{self.stream.camera_info}: {error}")


class _Truth:
    """Exact depth and poses around the images of a recording, read beside them by a reader of its own."""

    def __init__(
        self, recording: Recording, camera_frame: str, start_ns: int, stop_ns: int, source: FrameSource
    ):
        self._depth_topic = ground_truth_depth(recording)
        self._odometry_topic = ground_truth_odometry(recording)
        if self._depth_topic and recording.first(self._depth_topic).header.frame_id != camera_frame:
            self._depth_topic = ""
        if self._odometry_topic:
            child = recording.first(self._odometry_topic).child_frame_id
            try:
                self._T_child_camera = source.transforms.lookup(child, camera_frame)
            except StaticTransformError as error:
                source.notes.append(f"{self._odometry_topic} is of {child!r} and not used: {error}")
                self._odometry_topic = ""
        topics = [topic for topic in (self._depth_topic, self._odometry_topic) if topic]
        self._depths: dict[int, Any] = {}
        self._poses: list[tuple[int, np.ndarray]] = []
        self._recording = Recording(recording.path) if topics else None
        window = start_ns - LATE_NS, stop_ns + LATE_NS
        self._messages = self._recording.messages(topics, *window) if topics else iter(())
        self._read_until_ns = -1

    def close(self) -> None:
        if self._recording is not None:
            self._recording.close()

    def at(self, stamp_ns: int, received_ns: int) -> tuple[np.ndarray | None, np.ndarray | None]:
        """Depth (H, W) and T_world_camera of an image, None where there is none."""
        while self._read_until_ns < received_ns + LATE_NS:
            try:
                message = next(self._messages, None)
                content = None if message is None else self._recording.deserialize(message)
            except RecordingError:  # damaged from here on: the images come to it later, and say so
                self._messages = iter(())
                break
            if message is None:
                break
            self._read_until_ns = message.stamp_ns
            if message.topic == self._depth_topic:
                self._depths[nanoseconds(content.header)] = content
            else:
                self._poses.append((nanoseconds(content.header), _pose(content) @ self._T_child_camera))
        self._depths = {stamp: depth for stamp, depth in self._depths.items() if stamp >= stamp_ns}
        depth = self._depths.get(stamp_ns)
        return None if depth is None else decode_depth(depth), self._pose_at(stamp_ns)

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


def nanoseconds(header: Any) -> int:
    """The stamp of a std_msgs/Header."""
    return header.stamp.sec * 1_000_000_000 + header.stamp.nanosec


def _pose(odometry: Any) -> np.ndarray:
    p, q = odometry.pose.pose.position, odometry.pose.pose.orientation
    return make_transform(quaternion_to_rotation((q.x, q.y, q.z, q.w)), (p.x, p.y, p.z))


def _choose(recording: Recording, options: SourceOptions) -> ImageStream:
    if not options.topic:
        streams = image_streams(recording)
        if len(streams) > 1:
            raise SourceChoiceError(
                f"{recording.path} has {len(streams)} cameras, choose one:",
                [["--topic", stream.image] for stream in streams],
            )
    return choose_image_stream(recording, options.topic, options.camera_info)
