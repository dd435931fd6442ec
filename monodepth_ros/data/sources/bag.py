# SPDX-License-Identifier: Apache-2.0
"""Frames of a recording: images with their calibration, and the reference if the bag has one."""

import math
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from monodepth_ros.data.bags.message_times import first_times
from monodepth_ros.data.bags.recorded_transforms import add_recorded_transforms
from monodepth_ros.data.bags.recording import Recording
from monodepth_ros.data.cameras.first_images import first_image
from monodepth_ros.data.cameras.topics import ImageStream, choose_image_stream, image_streams
from monodepth_ros.data.images.image_codec import DecoderOptions, ImageError, Pixels
from monodepth_ros.data.sources.bag_calibration import BagCalibration
from monodepth_ros.data.sources.bag_images import BagImages, RecordedImage
from monodepth_ros.data.sources.bag_reference import BagReference
from monodepth_ros.data.sources.recorded_decoder import recorded_decoder
from monodepth_ros.data.sources.reference_depth import CLOUD, ImageCamera
from monodepth_ros.data.sources.reference_topics import is_ground_truth
from monodepth_ros.data.sources.source import (
    FrameSource,
    SourceChoiceError,
    SourceFrame,
    SourceOptions,
)
from monodepth_ros.data.sources.stamp_order import StampOrder
from monodepth_ros.foreign_text import shown
from monodepth_ros.geometry.camera import CalibrationError, CameraModel


class BagSource(FrameSource):
    """One camera of a recording.

    Each image uses the newest camera_info before it, as in the live node; images before the first camera_info use that
    one. For the reference see `BagReference`. Raises RecordingError, and SourceChoiceError if the recording has
    several cameras and `options` selects none of them.
    """

    def __init__(self, path: str | Path, options: SourceOptions = SourceOptions()):
        self._recording = Recording(path)
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
        frame_id = first_image(recording, stream.image).frame_id
        where = f"{shown(stream.image)}, {shown(stream.camera_info) or 'no camera_info'}"
        expected = options.share_of(math.ceil(count * min(1.0, share)))
        super().__init__(f"{recording.path} ({where})", frame_id, expected)
        self._takes = options.takes
        self.notes += recording.notes
        self.recording = recording.path
        self.topics = [topic for topic in (stream.image, stream.camera_info) if topic]
        self.notes += add_recorded_transforms(recording, self.frame_id, self.transforms)
        decoding = DecoderOptions(options.encoding, options.intensity_range)
        decoder = recorded_decoder(recording, stream, decoding, self.notes.append)
        times = first_times(recording, stream.image)
        self._are_stamped = not times.are_unstamped
        self._images = BagImages(recording, stream, decoder, times.offset_ns or 0)
        if times.are_unstamped:
            which = "all" if len(times.stamps_ns) == count else "the first"
            self.notes.append(
                f"{which} {len(times.stamps_ns)} stamps of {stream.image} are 0 (the driver does not fill"
                " header.stamp): the receive times are used"
            )
        self._calibration = calibration = BagCalibration(recording, stream, options, self._images.size)
        self.given_camera = calibration.given
        self.notes += [*stream.notes, *calibration.notes]
        if calibration.missing:
            self.note_missing_calibration(options.field_of_view, found=calibration.missing)
        model = calibration.published if calibration.given is None else calibration.given
        image = ImageCamera(stream.image, self.frame_id, model, calibration.published)
        window, names = (self._start_ns, self._stop_ns), (options.depth_topic, options.odometry_topic)
        self._reference = BagReference(self, recording, image, times, window, names)

    def close(self) -> None:
        self._recording.close()
        if hasattr(self, "_reference"):
            self._reference.close()

    def frames(self) -> Iterator[SourceFrame]:
        order = StampOrder()
        for item in order(self._images.in_order(self._calibration.topics, self._start_ns, self._stop_ns)):
            if not isinstance(item, RecordedImage):
                self._calibration.take(item)
                continue
            if not self._takes(item.index):
                continue
            try:
                pixels = self._images.decode(item)
                model = self._calibration.camera_of(pixels)
            except (ImageError, CalibrationError) as error:
                self.left_out[str(error)] += 1
                continue
            depth, pose = self._reference.at(item.stamp_ns, item.received_ns, model)
            yield SourceFrame(
                name=f"{item.index:06d}",
                stamp_ns=item.stamp_ns,
                received_ns=item.received_ns,
                pixels=pixels,
                camera=model,
                reference_depth=depth,
                T_world_camera=pose,
            )
        for reason, count in self._recording.lost(self.stream.image).items():
            self.left_out[reason] = count
        self.left_out.update(self._images.damaged)
        self._note_order(order)

    def _note_order(self, order: StampOrder) -> None:
        """Say what the stamps were like, after all images."""
        if order.strays:
            self.left_out["a stamp far from those of the images around it"] += len(order.strays)
        if order.sorted_count:
            images = "1 image" if order.sorted_count == 1 else f"{order.sorted_count} images"
            self.notes.append(f"{images} out of order: sorted by stamp")
        if self._images.unstamped_count and self._are_stamped:
            self.notes.append(
                f"the stamps of {self._images.unstamped_count} images are 0: the receive times are used, less the usual"
                " delay"
            )
        self.notes += [note for note in self._reference.unusable_poses() if note not in self.notes]

    def keep_decoded(self) -> None:
        self._images.keep_decoded()

    def decodable_from(self, received_ns: int) -> int:
        return self._images.decodable_from(received_ns)

    def read(self, stamp_ns: int, received_ns: int) -> Pixels:
        return self._images.read(stamp_ns, received_ns)

    @property
    def has_reference_depth(self) -> bool:
        return self._reference.depth is not None

    @property
    def has_measured_depth(self) -> bool:
        depth = self._reference.depth
        return depth is not None and depth.kind != CLOUD and not is_ground_truth(depth.topic)

    def why_no_depth(self) -> str:
        return self._reference.why_no_depth()

    def why_no_poses(self) -> str:
        return self._reference.why_no_poses()

    def reference_depth(self, stamp_ns: int, received_ns: int, camera: CameraModel) -> np.ndarray | None:
        return self._reference.read(stamp_ns, received_ns, camera)


def _choose(recording: Recording, options: SourceOptions) -> ImageStream:
    if not options.topic:
        streams = image_streams(recording)
        if len(streams) > 1:
            raise SourceChoiceError(
                f"{recording.path} has {len(streams)} cameras, choose one:",
                [["--topic", stream.image] for stream in streams],
            )
    return choose_image_stream(recording, options.topic, options.camera_info)
