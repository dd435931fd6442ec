# SPDX-License-Identifier: Apache-2.0
"""The images that a run was given and their calibration, written beside its outputs."""

from collections.abc import Iterator

import cv2

from monodepth_ros.data.bags import messages
from monodepth_ros.data.bags.recording import RawMessage, Recording
from monodepth_ros.data.bags.writer import BagWriter
from monodepth_ros.data.images.image_codec import to_rgb
from monodepth_ros.data.sources.source import FrameSource, SourceFrame

# Of a source that is no recording: the node's own input topics.
IMAGE, CAMERA_INFO = "/image/compressed", "/camera_info"
QUALITY = 95  # of a JPEG


class InputCopy:
    """Copies the input up to each frame.

    Messages of a recording are copied as they are, on their topics and with their times. Images of any other source are
    written as JPEG on IMAGE, with their calibration on CAMERA_INFO.
    """

    def __init__(self, source: FrameSource, bag: BagWriter):
        self._source, self._bag = source, bag
        self._recording: Recording | None = None
        self._waiting: Iterator[RawMessage] = iter(())
        self._next: RawMessage | None = None
        self._has_begun = False

    def until(self, frame: SourceFrame) -> None:
        """Write the input since the last call, up to this frame. Raises RecordingError."""
        if not self._has_begun:
            self._begin(frame)
            self._has_begun = True
        if self._recording is None:
            self._write_image(frame)
            return
        while self._next is not None and self._next.stamp_ns <= frame.received_ns:
            self._bag.write_raw(self._next.topic, self._next.stamp_ns, self._next.data)
            self._next = next(self._waiting, None)

    def close(self) -> None:
        """Release the recording."""
        if self._recording is not None:
            self._recording.close()

    def _begin(self, frame: SourceFrame) -> None:
        if self._source.recording is None:
            self._bag.add_topic(IMAGE, "sensor_msgs/msg/CompressedImage")
            self._bag.add_topic(CAMERA_INFO, "sensor_msgs/msg/CameraInfo")
            return
        self._recording = recording = Recording(self._source.recording)
        topics = [recording.topic(name) for name in self._source.topics]
        for topic in topics:
            self._bag.add_topic(topic.name, topic.type)
        # A calibration that was published once, before the first image of the run, holds for it.
        for topic in topics[1:]:
            earlier = next(recording.messages([topic.name]), None)
            if earlier is not None and earlier.stamp_ns < frame.received_ns:
                self._bag.write_raw(topic.name, frame.received_ns, earlier.data)
        start_ns = self._source.decodable_from(frame.received_ns)
        self._waiting = recording.messages([topic.name for topic in topics], start_ns)
        self._next = next(self._waiting, None)

    def _write_image(self, frame: SourceFrame) -> None:
        header = messages.header(frame.stamp_ns, self._source.frame_id)
        bgr = to_rgb(frame.pixels.array, frame.pixels.layout)[..., ::-1]
        data = cv2.imencode(".jpg", bgr, [cv2.IMWRITE_JPEG_QUALITY, QUALITY])[1].ravel()
        image = messages.compressed_image(header, "bgr8; jpeg compressed bgr8", data)
        self._bag.write(IMAGE, frame.received_ns, image)
        info = messages.camera_info(header, frame.camera, frame.camera.is_calibrated)
        self._bag.write(CAMERA_INFO, frame.received_ns, info)
