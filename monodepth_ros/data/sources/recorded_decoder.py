# SPDX-License-Identifier: Apache-2.0
"""The decoder of a recording's images, which every reader of the recording makes alike."""

from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any

from monodepth_ros.data.bags.recording import Recording
from monodepth_ros.data.cameras.topics import RAW, VIDEO, ImageStream
from monodepth_ros.data.images.image_codec import DecoderOptions, ImageDecoder, ImageError

# Images that decide what the bytes mean: the first one, and others spread over the whole recording.
SAMPLE = 16


def recorded_decoder(
    recording: Recording, stream: ImageStream, options: DecoderOptions, remark: Callable[[str], None]
) -> ImageDecoder:
    """A decoder that has decided what the images leave open, whatever part of the recording is read then.

    remark: called with what a user should know about the bytes. Looks at the first image, and reads others only where
    something is open (16 bits, YUV 4:2:2). Raises ImageError for options that cannot be.
    """
    decoder = ImageDecoder(options, lambda text: remark(f"{stream.image}: {text}"))
    if stream.kind == VIDEO:
        return decoder
    first = recording.first(stream.image)
    if decoder.needs_sample(first):
        decoder.learn(_sample(recording, stream.image))
    elif stream.kind == RAW:  # a cheap look at what the bytes are
        with suppress(ImageError):
            decoder.decode(first)
    return decoder


def _sample(recording: Recording, topic: str) -> Iterator[Any]:
    start, end = recording.start_ns, recording.end_ns
    for number in range(SAMPLE):
        at_ns = start + (end - start) * number // SAMPLE
        for message in recording.messages([topic], at_ns, end + 1):
            yield recording.deserialize(message)
            break
