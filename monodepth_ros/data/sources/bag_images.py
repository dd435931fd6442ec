# SPDX-License-Identifier: Apache-2.0
"""The images of one topic of a recording, in order and again by their times."""

import threading
from collections.abc import Iterator
from typing import Any, NamedTuple

from monodepth_ros.data.bags.recording import RawMessage, Recording
from monodepth_ros.data.bags.topics import ImageStream
from monodepth_ros.data.image_codec import ImageDecoder, ImageError, Pixels
from monodepth_ros.data.sources.source import SourceError
from monodepth_ros.stamps import nanoseconds


class RecordedImage(NamedTuple):
    """One image of a recording, not yet decoded.

    index: its number on the topic, from the first one that is read. stamp_ns: the receive time if the message states 0.
    """

    index: int
    stamp_ns: int
    received_ns: int
    message: Any


class BagImages:
    """Images of a stream of a recording, decoded by `recorded_decoder`."""

    def __init__(self, recording: Recording, stream: ImageStream, decoder: ImageDecoder):
        self._recording, self._stream, self._decoder = recording, stream, decoder
        self._reading = threading.Lock()

    def in_order(self, others: list[str], start_ns: int, stop_ns: int) -> Iterator[RecordedImage | RawMessage]:
        """The images, and between them the messages of other topics as they are stored, in the order of time."""
        index = -1
        topics = [self._stream.image, *others]
        for message in self._recording.messages(topics, start_ns, stop_ns):
            if message.topic != self._stream.image:
                yield message
                continue
            index += 1
            image = self._recording.deserialize(message)
            yield RecordedImage(index, nanoseconds(image.header.stamp) or message.stamp_ns, message.stamp_ns, image)

    def decode(self, image: RecordedImage) -> Pixels:
        """Pixels of an image of `in_order`. Raises ImageError."""
        return self._pixels(image.message)

    def read(self, stamp_ns: int, received_ns: int) -> Pixels:
        """Pixels of any image by its times; safe to call from several threads. Raises SourceError."""
        with self._reading:  # the reader has one position in the file
            raw = list(self._recording.messages([self._stream.image], received_ns, received_ns + 1))
        where = f"{self._recording.path} ({self._stream.image})"
        for message in raw:
            image = self._recording.deserialize(message)
            if (nanoseconds(image.header.stamp) or message.stamp_ns) == stamp_ns:
                try:
                    return self._pixels(image)
                except ImageError as error:
                    raise SourceError(f"{where}: image of stamp {stamp_ns}: {error}") from None
        raise SourceError(f"{where} has no image of stamp {stamp_ns}: the recording has changed since then")

    def _pixels(self, message: Any) -> Pixels:
        return self._decoder.decode(message)
