# SPDX-License-Identifier: Apache-2.0
"""The images of one topic of a recording, in order and again by their times."""

import threading
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import suppress
from itertools import islice
from typing import Any, NamedTuple

from monodepth_ros.data.bags.recording import RawMessage, Recording, RecordingError
from monodepth_ros.data.cameras.topics import VIDEO, ImageStream
from monodepth_ros.data.images.image_codec import ImageDecoder, ImageError, Pixels
from monodepth_ros.data.sources.source import SourceError
from monodepth_ros.data.video_stream.colors import to_pixels
from monodepth_ros.data.video_stream.decoder import Outcome
from monodepth_ros.data.video_stream.frame_store import Times
from monodepth_ros.data.video_stream.stream_reader import StreamReader
from monodepth_ros.geometry.camera import CalibrationError
from monodepth_ros.stamps import nanoseconds

# Images that are tried for their size; video may begin with packets that cannot be decoded.
TRIES = 300


class RecordedImage(NamedTuple):
    """One image of a recording, whose pixels are yet to be made.

    index: its number on the topic, from the first one that is read. stamp_ns: the receive time if the message states 0.
    message: what `BagImages.decode` takes.
    """

    index: int
    stamp_ns: int
    received_ns: int
    message: Any


class BagImages:
    """Images of a stream of a recording, decoded by `recorded_decoder`; video by PyAV.

    offset_ns: of the stamps from the receive times; an image whose stamp is 0 has its receive time plus this one.
    unstamped_count: such images so far, without those of video. damaged: messages so far that are none, by reason.

    Raises SourceError for video where PyAV is not installed.
    """

    def __init__(self, recording: Recording, stream: ImageStream, decoder: ImageDecoder, offset_ns: int = 0):
        self._recording, self._stream, self._decoder = recording, stream, decoder
        self._offset_ns, self.unstamped_count = offset_ns, 0
        self.damaged: Counter[str] = Counter()
        self._reading = threading.Lock()
        self._video: StreamReader | None = None
        if stream.kind == VIDEO:
            try:
                self._video = StreamReader(recording, stream.image, offset_ns)
            except ImageError as error:
                raise SourceError(str(error)) from None

    def keep_decoded(self) -> None:
        """Keep the pictures of video that `in_order` gives from now on, so that `read` finds them."""
        if self._video is not None:
            self._video.keep_decoded()

    def decodable_from(self, received_ns: int) -> int:
        """Receive time [ns] of the first message that the image received at this time needs."""
        return received_ns if self._video is None else self._video.key_frame_before(received_ns)

    def in_order(self, others: list[str], start_ns: int, stop_ns: int) -> Iterator[RecordedImage | RawMessage]:
        """The images, and between them the messages of other topics as they are stored, in the order of time."""
        messages = self._recording.messages([self._stream.image, *others], start_ns, stop_ns)
        if self._video is not None:
            yield from self._pictures(self._video, messages, start_ns)
            return
        index = -1
        for message in messages:
            if message.topic != self._stream.image:
                yield message
                continue
            index += 1
            try:
                image = self._recording.deserialize(message)
            except RecordingError as error:
                self.damaged[f"a damaged message: {error}"] += 1
                continue
            stamp_ns = nanoseconds(image.header.stamp)
            self.unstamped_count += stamp_ns == 0
            yield RecordedImage(index, stamp_ns or message.stamp_ns + self._offset_ns, message.stamp_ns, image)

    def _pictures(
        self, video: StreamReader, messages: Iterator[RawMessage], start_ns: int
    ) -> Iterator[RecordedImage | RawMessage]:
        """The pictures of a stream, decoded; pictures out of order come later than the messages around them."""
        stream, index = video.in_order(start_ns), -1

        def numbered(outcomes: Iterable[Outcome[Times]]) -> Iterator[RecordedImage]:
            nonlocal index
            for outcome in outcomes:
                index += 1
                yield RecordedImage(index, *outcome.tag, outcome)

        for message in messages:
            if message.topic == self._stream.image:
                yield from numbered(stream.feed(message))
            else:
                yield message
        yield from numbered(stream.flush())

    def size(self) -> tuple[int, int]:
        """(width, height) of the first image that can be decoded [pixels].

        Raises CalibrationError without one: only a calibration file without image size needs it.
        """
        images = self.in_order([], self._recording.start_ns, self._recording.end_ns + 1)
        for image in islice(images, TRIES):
            with suppress(ImageError):
                return self.decode(image).size
        raise CalibrationError(f"no image size, and none of the first {TRIES} images of {self._stream.image} is whole")

    def decode(self, image: RecordedImage) -> Pixels:
        """Pixels of an image of `in_order`. Raises ImageError."""
        if self._video is None:
            return self._pixels(image.message)
        if image.message.frame is None:
            raise ImageError(image.message.reason)
        return to_pixels(image.message.frame)

    def read(self, stamp_ns: int, received_ns: int) -> Pixels:
        """Pixels of any image by its times; safe to call from several threads. Raises SourceError."""
        where = f"{self._recording.path} ({self._stream.image})"
        try:
            pixels = self._read(stamp_ns, received_ns)
        except ImageError as error:
            raise SourceError(f"{where}: image of stamp {stamp_ns}: {error}") from None
        if pixels is None:
            raise SourceError(f"{where} has no image of stamp {stamp_ns}: the recording has changed since then")
        return pixels

    def _read(self, stamp_ns: int, received_ns: int) -> Pixels | None:
        if self._video is not None:
            frame = self._video.read((stamp_ns, received_ns))
            return None if frame is None else to_pixels(frame)
        with self._reading:  # the reader has one position in the file
            raw = list(self._recording.messages([self._stream.image], received_ns, received_ns + 1))
        for message in raw:
            image = self._recording.deserialize(message)
            if (nanoseconds(image.header.stamp) or message.stamp_ns + self._offset_ns) == stamp_ns:
                return self._pixels(image)
        return None

    def _pixels(self, message: Any) -> Pixels:
        return self._decoder.decode(message)
