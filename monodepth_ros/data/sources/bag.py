# SPDX-License-Identifier: Apache-2.0
"""Frames of a recording: images with their calibration, and the reference if the bag has one."""

import math
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from monodepth_ros.data.bags.recording import Recording
from monodepth_ros.data.bags.reference_topics import is_ground_truth
from monodepth_ros.data.bags.topics import ImageStream, choose_image_stream, image_streams
from monodepth_ros.data.image_codec import ImageError, Pixels, decode_compressed, decode_image
from monodepth_ros.data.sources.bag_reference import BagReference
from monodepth_ros.data.sources.reference_depth import CLOUD, ImageCamera
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
from monodepth_ros.geometry.calibration_checks import has_intrinsics
from monodepth_ros.geometry.camera import CalibrationError, CameraModel
from monodepth_ros.stamps import nanoseconds


class BagSource(FrameSource):
    """One camera of a recording.

    Each image uses the newest camera_info before it, as in the live node; images before the first camera_info use that
    one. For the reference see `BagReference`. Raises RecordingError, and SourceChoiceError if the recording has
    several cameras and `options` selects none of them.
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
        expected = options.share_of(math.ceil(count * min(1.0, share)))
        super().__init__(f"{recording.path} ({where})", header.frame_id, expected)
        self._takes = options.takes
        self.recording = recording.path
        self.topics = [topic for topic in (stream.image, stream.camera_info) if topic]
        for name, topic in recording.topics.items():
            if name.endswith("/tf_static") and topic.count:
                for _, _, message in recording.read([name]):
                    self.transforms.add(message.transforms)
        self._given = given_camera(options)
        self._rectified, self._field_of_view = options.rectified, options.field_of_view
        if self._given is None and not stream.camera_info:
            self.note_missing_calibration(options.field_of_view, found="no camera_info in the recording")
        elif self._given is None and not has_intrinsics(recording.first(stream.camera_info)):
            found = f"{stream.camera_info} holds no calibration (K[0] is 0)"
            self.note_missing_calibration(options.field_of_view, found=found)
        published = self._first_camera()
        image = ImageCamera(stream.image, self.frame_id, self._given or published, published)
        window, names = (self._start_ns, self._stop_ns), (options.depth_topic, options.odometry_topic)
        self._reference = BagReference(self, recording, image, window, names)

    def _first_camera(self) -> CameraModel | None:
        """The camera of the first images by their camera_info, None if it is unknown."""
        if not self.stream.camera_info:
            return None
        model = self._model(self._recording.first(self.stream.camera_info))
        return None if isinstance(model, CalibrationError) else model

    def close(self) -> None:
        self._recording.close()
        if hasattr(self, "_reference"):
            self._reference.close()

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
                # Calibrations repeat except for their stamps, which lie in the first bytes.
                if message.data[12:] != info_bytes:
                    info_bytes = message.data[12:]
                    camera = self._model(self._recording.deserialize(message))
                continue
            index += 1
            if not self._takes(index):
                continue
            image = self._recording.deserialize(message)
            try:
                pixels = decode_compressed(image) if stream.compressed else decode_image(image)
                if isinstance(camera, CalibrationError):
                    raise camera
                model = camera_of_size(camera, pixels, origin, self._field_of_view)
            except (ImageError, CalibrationError) as error:
                self.left_out[str(error)] += 1
                continue
            stamp_ns = nanoseconds(image.header.stamp)
            depth, pose = self._reference.at(stamp_ns, message.stamp_ns, model)
            yield SourceFrame(
                name=f"{index:06d}",
                stamp_ns=stamp_ns,
                received_ns=message.stamp_ns,
                pixels=pixels,
                camera=model,
                reference_depth=depth,
                T_world_camera=pose,
            )

    def read(self, stamp_ns: int, received_ns: int) -> Pixels:
        stream = self.stream
        with self._reading:  # the reader has one position in the file
            raw = list(self._recording.messages([stream.image], received_ns, received_ns + 1))
        for message in raw:
            image = self._recording.deserialize(message)
            if nanoseconds(image.header.stamp) == stamp_ns:
                try:
                    return decode_compressed(image) if stream.compressed else decode_image(image)
                except ImageError as error:
                    raise SourceError(f"{self.description}: image of stamp {stamp_ns}: {error}") from None
        raise SourceError(f"{self.description} has no image of stamp {stamp_ns}: the recording has changed since then")

    @property
    def has_reference_depth(self) -> bool:
        return self._reference.depth is not None

    @property
    def has_measured_depth(self) -> bool:
        depth = self._reference.depth
        return depth is not None and depth.kind != CLOUD and not is_ground_truth(depth.topic)

    def reference_depth(self, stamp_ns: int, received_ns: int, camera: CameraModel) -> np.ndarray | None:
        return self._reference.read(stamp_ns, received_ns, camera)

    def _model(self, info: Any) -> CameraModel | CalibrationError | None:
        """The camera of a camera_info, None if it holds none, or the error for the images up to the next valid one."""
        try:
            if not has_intrinsics(info):
                return None
            return as_published(CameraModel.from_camera_info(info), self._rectified)
        except CalibrationError as error:
            return CalibrationError(f"{self.stream.camera_info}: {error}")


def _choose(recording: Recording, options: SourceOptions) -> ImageStream:
    if not options.topic:
        streams = image_streams(recording)
        if len(streams) > 1:
            raise SourceChoiceError(
                f"{recording.path} has {len(streams)} cameras, choose one:",
                [["--topic", stream.image] for stream in streams],
            )
    return choose_image_stream(recording, options.topic, options.camera_info)
